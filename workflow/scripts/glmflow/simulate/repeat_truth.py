"""What is known of a genome of repeats: its chain, and where its copies lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.statistics.repeat_source import RepeatSource

PREFIX = "copies_"


def write_truth(
    path: Path, chain: NDArray[np.float64], substitutions: float, copies: Mapping[str, NDArray[np.int64]]
) -> None:
    """Write chain, chance of a substitution, and of each contig its copies, ``[n, 3]``: start, end, distance."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        named = {PREFIX + contig: rows for contig, rows in copies.items()}
        np.savez(handle, chain=chain, substitutions=substitutions, **named)


class RepeatTruth:
    """The truth of a genome of repeats.

    Raises
    ------
    InputError
        There is no such file.
    """

    def __init__(self, path: Path):
        if not path.is_file():
            raise InputError("the truth of the simulation is not here", where=path, fix="Simulate the genome first.")
        stored = np.load(path)
        self.source = RepeatSource(stored["chain"], float(stored["substitutions"]))
        self.copies = {name.removeprefix(PREFIX): stored[name] for name in stored.files if name.startswith(PREFIX)}

    def distances(self, place: str) -> NDArray[np.int64]:
        """Return how far back the original of each base of a place stands, ``int64[L]``; 0: no copy.

        Parameters
        ----------
        place
            ``contig:start-end``, whose contig may be such a place itself: parts are counted from its start.

        Raises
        ------
        InputError
            The contig was not simulated.
        """
        name, offset, length = place, 0, None
        while name not in self.copies:
            name, _, span = name.rpartition(":")
            first, _, last = span.partition("-")
            if not name or not (first.isdigit() and last.isdigit()):
                raise InputError(
                    f"{place} is of no simulated contig", fix="The truth is known of simulated genomes alone."
                )
            offset += int(first)
            length = int(last) - int(first) if length is None else length
        assert length is not None
        found = np.zeros(length, np.int64)
        for start, end, distance in self.copies[name]:
            if start < offset + length and end > offset:
                found[max(0, start - offset) : end - offset] = distance
        return found

"""Sets of edits: where they come from, the distinct ones, and some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .edits import Edits, Records


class Source(Protocol):
    """A file of variants."""

    path: Path

    def parts(self, size: int, keep: bool = False) -> Iterator[Records]:
        """Yield about `size` records at a time, always cut at the same places; with their lines where `keep`."""
        ...


class AlleleTable:
    """Alleles of a data frame, a row each, as a file of variants.

    Parameters
    ----------
    alleles
        `chrom`, `start` (from 0), `ref`, `alt`.
    path
        Where they come from, for messages.
    """

    def __init__(self, alleles: pd.DataFrame, path: Path):
        self.path = path
        self._columns = [alleles[name].astype(str).tolist() for name in ("chrom", "ref", "alt")]
        self._start = alleles["start"].astype(np.int64).tolist()

    def parts(self, size: int, keep: bool = False) -> Iterator[Records]:
        """Yield the rows; see `Source`."""
        chrom, ref, alt = self._columns
        for begin in range(0, len(chrom), size):
            some = slice(begin, begin + size)
            yield Records(chrom[some], self._start[some], ref[some], alt[some])


def unique_edits(edits: Edits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first of equal edits, and which of these each edit is. Alleles with a reason stand for themselves."""
    seen: dict[tuple, int] = {}
    first: list[int] = []
    which = np.empty(len(edits), np.int64)
    keys = zip(edits.contig.tolist(), edits.start.tolist(), edits.end.tolist(), edits.bases, edits.ok.tolist())
    for number, (*key, ok) in enumerate(keys):
        found = seen.setdefault(tuple(key) if ok else (number,), len(first))
        if found == len(first):
            first.append(number)
        which[number] = found
    return np.array(first, np.int64), which


def chosen(edits: Edits, places: NDArray[np.int64]) -> Edits:
    """Return some of the edits."""
    some = places.tolist()
    return replace(
        edits,
        record=edits.record[places],
        alt=[edits.alt[i] for i in some],
        contig=edits.contig[places],
        start=edits.start[places],
        end=edits.end[places],
        bases=[edits.bases[i] for i in some],
        reason=edits.reason[places],
    )

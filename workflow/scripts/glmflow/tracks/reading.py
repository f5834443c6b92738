"""Reading bigWig tracks: a missing interval, a missing contig and a value that is no number are 0."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from glmflow.bigwig import Bases, BigWig, Steps
from glmflow.errors import InputError
from glmflow.genome.contigs import ContigNames, match_contigs
from glmflow.genome.window_map import Stretches

_MEMORY = 64 << 20
"""Bytes of decoded coverage that a reader remembers: the windows of a gene are read for every sample and epoch."""


class TrackReader:
    """Coverage of several tracks by coordinates.

    Handles are opened when first needed, again in every process, so that an instance can be pickled and shared
    with workers however those are started.

    Parameters
    ----------
    paths
        bigWig files, one a track.

    Attributes
    ----------
    paths : list[Path]
        The files, in the order of the tracks.
    contigs : dict[str, int]
        Length in bases of every contig that any of the files names.

    Raises
    ------
    InputError
        A file is missing, damaged or not bigWig.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]]):
        self.paths = [Path(path) for path in paths]
        self.contigs: dict[str, int] = {}
        self._handles: list[_Track] = []
        self._owner = -1
        for track in self._open():
            self.contigs |= track.contigs

    def read(self, chrom: str, start: int, end: int) -> np.ndarray:
        """Return the coverage of an interval.

        Parameters
        ----------
        chrom
            Contig; a track that does not have it is 0 there. `chr1` and `1` are taken as the same.
        start, end
            0-based half-open; may reach past either end of the contig, where tracks are 0.

        Returns
        -------
        float32[tracks, end - start]
            Finite values.
        """
        begin = min(max(-start, 0), end - start)
        whole = Stretches(*(np.array([value]) for value in (begin, end - start, start + begin)))
        return self.along(chrom, whole, end - start)

    def along(self, chrom: str, stretches: Stretches, length: int) -> np.ndarray:
        """Return the coverage of the stretches of a window, each where it lies in the window.

        Parameters
        ----------
        chrom
            As `read`.
        stretches
            Where the window follows the reference.
        length
            Bases of the window.

        Returns
        -------
        float32[tracks, length]
            Finite values. Of the bases between two stretches nothing is said: what they have is left to the caller.
        """
        shape = len(self.paths), length
        if not len(stretches.place) or not length:
            return np.zeros(shape, np.float32)
        start, end = int(stretches.place[0]), int(stretches.place[-1] + stretches.stop[-1] - stretches.begin[-1])
        runs: list[Steps] = []
        rows: list[int] = []
        single: list[tuple[int, Bases]] = []
        for row, track in enumerate(self._open()):
            for piece in track.pieces(chrom, start, end):
                if isinstance(piece, Bases):
                    single.append((row, piece))
                else:
                    runs.append(piece)
                    rows.append(row)
        coverage = _lay_out(runs, rows, stretches, shape) if runs else np.zeros(shape, np.float32)
        for row, piece in single:
            _lay_bases(piece, stretches, coverage[row])
        return coverage

    def __len__(self) -> int:
        return len(self.paths)

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_handles": [], "_owner": -1}

    def _open(self) -> list[_Track]:
        """Return this process's own handles."""
        if self._owner != os.getpid():
            for track in self._handles:
                track.file.close()
            self._handles = [_Track(path, _MEMORY // len(self.paths)) for path in self.paths]
            self._owner = os.getpid()
        return self._handles


class _Track:
    """One open bigWig file."""

    def __init__(self, path: Path, memory: int):
        self.file = BigWig(path, memory)
        self.contigs = self.file.contigs
        self._names = ContigNames(self.contigs)

    def pieces(self, chrom: str, start: int, end: int) -> Iterable[Steps | Bases]:
        """Return the values of the part of a stretch that the contig has."""
        name = self._names.find(chrom)
        start, end = max(start, 0), min(end, self.contigs.get(name, 0))
        return self.file.pieces(name, start, end) if start < end else ()


def _lay_out(runs: list[Steps], rows: list[int], stretches: Stretches, shape: tuple[int, int]) -> np.ndarray:
    """Write runs of several tracks (`rows`) out along the stretches of a window, all tracks at once: float32[T, L].

    A run that begins or ends in what a haplotype lacks begins or ends where the haplotype goes on.
    """
    edges, values = runs[0] if len(runs) == 1 else map(np.concatenate, zip(*runs))
    if not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, 0)
    position = _in_window(edges, stretches)
    if shape[0] > 1:
        position += np.repeat(np.array(rows) * shape[1], [2 * len(part.values) for part in runs])
    counts = np.empty(len(position) + 1, np.int64)  # bases of the gaps and runs in turn
    counts[0] = position[0]
    np.subtract(position[1:], position[:-1], out=counts[1:-1])
    counts[-1] = shape[0] * shape[1] - position[-1]
    gaps_too = np.zeros(len(counts), np.float32)
    gaps_too[1::2] = values
    return gaps_too.repeat(counts).reshape(shape)


def _in_window(position: np.ndarray, stretches: Stretches) -> np.ndarray:
    """Return where in the window reference positions within the reach of its stretches lie; a new array."""
    begin, stop, place = stretches
    if len(place) == 1:
        return position + (begin[0] - place[0])
    of = place.searchsorted(position, "right") - 1
    moved = (begin - place)[of]
    moved += position
    return np.minimum(moved, stop[of], out=moved)


def _lay_bases(piece: Bases, stretches: Stretches, row: np.ndarray) -> None:
    """Write values of single bases into the stretches of a window."""
    values = piece.values
    if not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, 0)
    first, last = piece.start, piece.start + len(values)
    for begin, stop, place in zip(*(column.tolist() for column in stretches)):
        low, high = max(place, first), min(place + stop - begin, last)
        if low < high:
            row[begin + low - place : begin + high - place] = values[low - first : high - first]


def check_track_matches(path: str | os.PathLike[str], contigs: Mapping[str, int]) -> dict[str, str]:
    """Stop when a track lies on another genome build.

    Parameters
    ----------
    path
        bigWig file.
    contigs
        Length in bases of every contig of the genome.

    Returns
    -------
    dict[str, str]
        The genome's names of the contigs that both have, to the file's.

    Raises
    ------
    InputError
        A contig has another length than in the genome, or no contig is shared; or as `BigWig`.
    """
    with BigWig(path) as file:
        theirs = file.contigs
    names = match_contigs(contigs, theirs, where=path)
    for ours, name in names.items():
        if theirs[name] != contigs[ours]:
            raise InputError(
                f"a track of another genome build: contig {name} has {theirs[name]:,} bases,"
                f" in the genome {contigs[ours]:,}",
                where=path,
                fix="Give a track of the same build, or lift it over.",
            )
    return names


def check_track_sign(path: str | os.PathLike[str], negate: bool) -> None:
    """Stop when the values of a track are not all of the sign that its configuration says.

    Only the summary in the header of the file is read, where it has one.

    Raises
    ------
    InputError
        Some values are negative though the sign is not to be turned, some positive though it is, or there are both.
    """
    with BigWig(path) as file:
        _, low, high, total = file.summary
    if low < 0 < high:
        raise InputError(
            f"values from {low:,g} to {high:,g}, positive and negative: two strands in one file, or a log ratio",
            where=path,
            fix="Give each strand a file of its own, and coverage rather than its logarithm.",
        )
    if low < 0 and not negate:
        raise InputError(
            f"coverage is negative (its sum is {total:,g})", where=path, fix="Say `negate: true` of the track."
        )
    if high > 0 and negate:
        raise InputError(
            f"coverage is positive (its sum is {total:,g})", where=path, fix="Leave `negate` out of the track."
        )

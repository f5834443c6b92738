"""Reading bigWig tracks: a missing interval, a missing contig and a value that is no number are 0."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.contigs import find_contig, match_contigs
from glmflow.tracks.bigwig import BigWig, Runs, spread

_MEMORY = 64 << 20
"""Bytes of decoded coverage that a reader remembers: the windows of a gene are read for every person and epoch."""


class TrackReader:
    """Coverage of several tracks by coordinates.

    Handles are opened when first needed, anew in every process, so that an instance can be pickled and shared
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
        coverage = np.zeros((len(self.paths), end - start), np.float32)
        for row, track in zip(coverage, self._open()):
            for runs in track.runs(chrom, start, end):
                begin, stop = int(runs.starts[0]) - start, int(runs.ends[-1]) - start
                row[begin:stop] = spread(runs._replace(values=np.where(np.isfinite(runs.values), runs.values, 0)))
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
        self._names: dict[str, str | None] = {}

    def name(self, chrom: str) -> str | None:
        """Return what this file calls a contig."""
        if chrom not in self._names:
            self._names[chrom] = find_contig(chrom, self.contigs)
        return self._names[chrom]

    def runs(self, chrom: str, start: int, end: int) -> Iterable[Runs]:
        """Return the intervals of the part of a stretch that the contig has."""
        name = self.name(chrom)
        start, end = max(start, 0), min(end, self.contigs.get(name, 0))
        return self.file.runs(name, start, end) if start < end else ()


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
                mend="Give a track of the same build, or lift it over.",
            )
    return names


def check_track_sign(path: str | os.PathLike[str], negate: bool) -> None:
    """Stop when a track's values have not the sign that its configuration says: that of their sum.

    Raises
    ------
    InputError
        The sum is negative though the sign is not to be turned, or positive though it is.
    """
    with BigWig(path) as file:
        total = file.total
    if total < 0 and not negate:
        raise InputError(
            f"coverage is negative (its sum is {total:,g})", where=path, mend="Say `negate: true` of the track."
        )
    if total > 0 and negate:
        raise InputError(
            f"coverage is positive (its sum is {total:,g})", where=path, mend="Leave `negate` out of the track."
        )

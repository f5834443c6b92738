"""Tracks in bins, and what a finer track is in the bins of another: a copy at a lower resolution has no shape of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.bigwig import BigWig
from glmflow.genome.contigs import ContigNames

EDGES = 64
"""Changes of value at least by which bins are recognised: by chance all of them are even once in 2^64 tracks."""
SECTIONS = 64
"""Sections of a file whose changes of value are looked at."""
LEAST, MOST = 2, 1 << 14
"""Bases of a bin."""
SHIFTS = 2_000
"""Bases by which a copy in bins can lie along."""
PLACES, BINS = 16, 128
"""Places that tell by how much, and bins of each."""
WAYS = ("mean", "highest", "mean of covered bases")
"""What a bin's value can be of the values of its bases."""


class Grid(NamedTuple):
    """Bins of `width` bases, the first of which begins at `start`, less than `width`; width 1: every base is its own."""

    width: int
    start: int


class Binned:
    """A bigWig file as it would be in bins: it has what comparisons of `BigWig` need, `contigs`, `listed`, `sections`, `values`.

    Parameters
    ----------
    file
        The file, open.
    grid
        The bins.
    way
        One of `WAYS`.
    """

    def __init__(self, file: BigWig, grid: Grid, way: str):
        self.contigs, self.listed, self.sections = file.contigs, file.listed, file.sections
        self._file, self._grid, self._way = file, grid, way

    def values(self, chrom: str, start: int, end: int) -> NDArray[np.float32]:
        """Return the value of the bin of every base of a stretch, float32[end - start]; raises as `BigWig.values`."""
        width, length = self._grid.width, self.contigs[chrom]
        if end <= start:
            return np.zeros(0, np.float32)
        first = (start - self._grid.start) // width * width + self._grid.start
        count = -(-(end - first) // width)
        low, high = max(first, 0), min(first + count * width, length)
        padded = np.full(count * width, np.nan)  # what lies beyond the contig counts as no base
        padded[low - first : high - first] = np.nan_to_num(self._file.values(chrom, low, high), posinf=0, neginf=0)
        table = padded.reshape(count, width)
        if self._way == "highest":
            bins = np.nanmax(table, axis=1)
        else:
            counted = np.isfinite(table) if self._way == "mean" else np.nan_to_num(table) != 0
            bins = np.nansum(table, axis=1) / np.maximum(1, counted.sum(axis=1))
        return np.repeat(bins, width)[start - first : end - first].astype(np.float32)


def grid_of(path: str | os.PathLike[str]) -> Grid:
    """Return the bins of a track: what all its changes of value are multiples of; width 1 where that is not known.

    Raises
    ------
    InputError
        As `BigWig`.
    """
    edges = []
    with BigWig(path) as file:
        listed = file.listed()
        for n in np.unique(np.linspace(0, len(listed) - 1, SECTIONS).astype(int)) if listed else []:
            chrom, start, end = listed[n]
            for runs in file.runs(chrom, start, end):
                edges += [runs.starts, runs.ends[runs.ends < file.contigs[chrom]]]
    found = np.concatenate(edges) if edges else np.zeros(0, np.int64)
    if len(np.unique(found)) < EDGES:
        return Grid(1, 0)
    width = int(np.gcd.reduce(found - found[0]))
    return Grid(width, int(found[0] % width)) if LEAST <= width <= MOST else Grid(1, 0)


def of_finer(grids: Sequence[Grid]) -> Iterator[tuple[int, int]]:
    """Yield the number of every track in bins, after that of each track that is finer, whose bins fill its own."""
    for coarse, one in enumerate(grids):
        for fine, other in enumerate(grids):
            finer = other.width < one.width and one.width % other.width == 0
            if finer and (one.start - other.start) % other.width == 0:
                yield fine, coarse


def in_bins(fine: BigWig, coarse: BigWig, grid: Grid) -> Iterator[tuple[Binned, int]]:
    """Yield what a finer track can be in the bins of another, and by how many bases that may lie further on in the other."""
    for way in WAYS:
        yield Binned(fine, grid, way), 0
    shift = shift_in_bins(fine, coarse, grid)
    if shift:
        moved = Grid(grid.width, (grid.start - shift) % grid.width)
        for way in WAYS:
            yield Binned(fine, moved, way), shift


def shift_in_bins(fine: BigWig, coarse: BigWig, grid: Grid) -> int:
    """Return by how many bases a track in bins lies further on than a finer one, if it is that: where they correlate most.

    Parameters
    ----------
    fine, coarse
        The tracks.
    grid
        Bins of the second.
    """
    shifts = np.arange(-SHIFTS, SHIFTS + 1)
    names, width, listed = ContigNames(fine.contigs), grid.width, coarse.listed()
    count = sum_y = 0.0
    sum_x, squares_x, products = np.zeros((3, len(shifts)))
    for n in np.unique(np.linspace(0, len(listed) - 1, PLACES).astype(int)) if listed else []:
        chrom, start, end = listed[n]
        name = names.find(chrom)
        if name is None:
            continue
        low = max(SHIFTS, (start + end - BINS * width) // 2)
        first = low + (grid.start - low) % width
        bins = min(BINS, (min(fine.contigs[name], coarse.contigs[chrom]) - SHIFTS - first) // width)
        if bins < 1:
            continue
        begins = first + width * np.arange(bins)
        before = first - SHIFTS
        own = fine.values(name, before, int(begins[-1]) + width + SHIFTS)
        sums = np.append(0, np.cumsum(np.nan_to_num(own, posinf=0, neginf=0), dtype=np.float64))
        at = begins[None] - shifts[:, None] - before
        x = (sums[at + width] - sums[at]) / width
        y = np.nan_to_num(coarse.values(chrom, first, int(begins[-1]) + 1)[begins - first]).astype(float)
        count, sum_y = count + bins, sum_y + y.sum()
        sum_x, squares_x, products = sum_x + x.sum(axis=1), squares_x + (x**2).sum(axis=1), products + x @ y
    if count < 2:
        return 0
    variance = squares_x - sum_x**2 / count
    r = np.abs(products - sum_x * sum_y / count) / np.sqrt(np.where(variance > 1e-9 * squares_x, variance, np.inf))
    return int(shifts[r.argmax()]) if r.any() else 0

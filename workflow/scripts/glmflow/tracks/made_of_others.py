"""Tracks that are others smoothed, or sums and means of others: by their changes from base to base, which are those of reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.bigwig import BigWig
from glmflow.genome.contigs import ContigNames
from glmflow.statistics.combinations import Combination, combinations, left_by_filter
from glmflow.tracks.shingles import sampled_regions

LOOKED_AT, KEPT = 12, 4
"""Regions that are read of every track, and those of them that hold most, which are compared."""
REACH = 300
"""Bases to either side over which a track may be smoothed."""
LEFT = 5e-3
"""Share of the changes of a smoothed track that its original leaves; of two measurements at 12,000 reads a base 1.4e-2."""
ONE, FEWEST = 1 - 1e-4, 200
"""Correlation from which on changes are one but for a factor (two deep measurements: .993), and how many there have to be."""
SMOOTHER = 0.02
"""How much more a smoothed track's changes correlate with those one base on."""


class Sample(NamedTuple):
    """Changes from base to base, `[bases, tracks]`, and the bases whose neighbours are known as far as smoothing reaches."""

    changes: NDArray[np.float32]
    inside: NDArray[np.bool_]


def sample_of(paths: Sequence[str | os.PathLike[str]]) -> Sample:
    """Return the changes of tracks in some regions, 0 for `REACH` bases between these.

    Raises
    ------
    InputError
        As `BigWig`.
    """
    regions = sampled_regions(paths)
    regions = (
        [regions[n] for n in np.unique(np.linspace(0, len(regions) - 1, LOOKED_AT).astype(int))] if regions else []
    )
    values = [_values(path, regions) for path in paths]
    held = sum(
        (np.array([np.abs(one).mean() for one in own]) / (_size(own) or 1) for own in values), np.zeros(len(regions))
    )
    kept = np.sort(np.argsort(-held, kind="stable")[:KEPT])
    gap = np.zeros(REACH, np.float32)
    parts = [[piece for n in kept for piece in (np.diff(own[n]), gap)] for own in values]
    changes = (
        np.stack([np.concatenate([gap, *one]) for one in parts], axis=1)
        if len(kept)
        else np.zeros((0, len(paths)), np.float32)
    )
    inside = [np.zeros(REACH, bool)]
    for n in kept:
        own = np.ones(regions[n][2] - regions[n][1] - 1, bool)
        own[:REACH] = own[-REACH:] = False
        inside += [own, np.zeros(REACH, bool)]
    return Sample(changes, np.concatenate(inside))


def smoothed_pairs(sample: Sample) -> Iterator[tuple[int, int]]:
    """Yield each track that is smoother than another and follows from it, after that other one."""
    changes = sample.changes.astype(np.float64)
    squares = np.maximum((changes**2).sum(axis=0), 1e-300)
    along = (changes[1:] * changes[:-1]).sum(axis=0) / squares
    for b in np.argsort(along, kind="stable").tolist():
        for a in np.flatnonzero(along <= along[b] - SMOOTHER).tolist():
            if left_by_filter(changes[:, a], changes[:, b], REACH, sample.inside) < LEFT:
                yield a, b
                break


def parallel_pairs(sample: Sample) -> Iterator[tuple[int, int]]:
    """Yield the pairs of tracks whose changes are one but for a factor: a number was added, as by standardising."""
    changes = sample.changes.astype(np.float64)
    size = np.sqrt((changes**2).sum(axis=0))
    enough = (changes != 0).sum(axis=0) >= FEWEST
    r = np.abs(changes.T @ changes) / np.maximum(np.outer(size, size), 1e-300)
    yield from np.argwhere(np.triu((r >= ONE) & np.outer(enough, enough), 1)).tolist()


def sums_of_others(sample: Sample, left_out: Sequence[int]) -> list[Combination]:
    """Return the tracks that are weighted sums of two or more others; those left out are copies of others."""
    own = np.setdiff1d(np.arange(sample.changes.shape[1]), np.asarray(left_out, int))
    found = combinations(sample.changes[:, own].astype(np.float64))
    return [Combination(int(own[c.column]), tuple(own[list(c.parts)].tolist()), c.weights) for c in found]


def _values(path: str | os.PathLike[str], regions: Sequence[tuple[str, int, int]]) -> list[NDArray[np.float32]]:
    """Return the values of a track in regions, 0 where it has none."""
    found = []
    with BigWig(path) as file:
        names = ContigNames(file.contigs)
        for chrom, start, end in regions:
            values, name = np.zeros(end - start, np.float32), names.find(chrom)
            if name and start < (length := file.contigs[name]):
                values[: min(end, length) - start] = file.values(name, start, min(end, length))
            found.append(np.nan_to_num(values, posinf=0, neginf=0))
    return found


def _size(values: Sequence[NDArray[np.float32]]) -> float:
    """Return the mean size of a track's values."""
    return float(np.mean([np.abs(one).mean() for one in values]))

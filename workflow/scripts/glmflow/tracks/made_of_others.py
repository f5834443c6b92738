"""Tracks that are others smoothed, differentiated, reversed, or sums of others: by their changes, which are those of reads."""

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
IN_REGION = 50
"""Changes in a region from which on it says something of its own."""
SMOOTHER = 0.02
"""How much more a smoothed track's changes correlate with those one base on."""
NEXT_TO = 0.3
"""Correlation with changes of another track, a base on or back at most, from which on a rougher one may be its differences."""


class Sample(NamedTuple):
    """Tracks in some regions, as `[bases, tracks]`, with `REACH` bases of nothing between these.

    Attributes
    ----------
    changes, mirrored
        From base to base, and those from the other end of the contig, read backwards.
    values
        Of the base before each change.
    inside
        Bases whose neighbours are known as far as smoothing reaches.
    regions
        First and last row of each region.
    """

    changes: NDArray[np.float32]
    mirrored: NDArray[np.float32]
    values: NDArray[np.float32]
    inside: NDArray[np.bool_]
    regions: tuple[slice, ...]


def sample_of(paths: Sequence[str | os.PathLike[str]]) -> Sample:
    """Return tracks in the regions, of some, that hold most.

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
    kept = np.sort(np.argsort(-held, kind="stable")[:KEPT]).tolist()
    turned = [_values(path, [regions[n] for n in kept], mirrored=True) for path in paths]
    lengths = [regions[n][2] - regions[n][1] - 1 for n in kept]
    inside, spans = [np.zeros(REACH, bool)], []
    for length in lengths:
        start = sum(map(len, inside))
        spans.append(slice(start, start + length))
        own = np.ones(length, bool)
        own[:REACH] = own[-REACH:] = False
        inside += [own, np.zeros(REACH, bool)]

    def laid_out(parts: list[list[NDArray[np.float32]]]) -> NDArray[np.float32]:
        table = np.zeros((sum(map(len, inside)), len(paths)), np.float32)
        for column, own in enumerate(parts):
            for span, part in zip(spans, own):
                table[span, column] = part
        return table

    return Sample(
        laid_out([[np.diff(own[n]) for n in kept] for own in values]),
        laid_out([[np.diff(one) for one in own] for own in turned]),
        laid_out([[own[n][:-1] for n in kept] for own in values]),
        np.concatenate(inside),
        tuple(spans),
    )


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


def differences(sample: Sample) -> Iterator[tuple[int, int]]:
    """Yield each track that is rougher than another and follows from it, such as its differences, after that other one."""
    changes = sample.changes.astype(np.float64)
    size = np.maximum(np.sqrt((changes**2).sum(axis=0)), 1e-300)
    along = (changes[1:] * changes[:-1]).sum(axis=0) / size**2
    near = np.max([np.abs(changes[1 - lag : len(changes) - 1 - lag].T @ changes[1:-1]) for lag in (-1, 0, 1)], axis=0)
    for a, b in np.argwhere((near >= NEXT_TO * np.outer(size, size)) & (along[:, None] >= along + SMOOTHER)).tolist():
        if left_by_filter(changes[:, a], changes[:, b], REACH, sample.inside) < LEFT:
            yield a, b


def parallel_pairs(sample: Sample) -> Iterator[tuple[int, int]]:
    """Yield the pairs of tracks whose changes are one but for a factor: a number was added, as by standardising contigs."""
    yield from np.argwhere(np.triu(_alike(sample, sample.changes), 1)).tolist()


def mirrored_pairs(sample: Sample) -> Iterator[tuple[int, int]]:
    """Yield the pairs of tracks of which one is the other from the contigs' last base to their first, but for factor and sum."""
    alike = _alike(sample, sample.mirrored)
    yield from np.argwhere(np.triu(alike | alike.T, 1)).tolist()


def _alike(sample: Sample, others: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which tracks have, but for a factor in each region, the changes of which others, `[tracks, tracks]`."""
    tracks = sample.changes.shape[1]
    total, alike = np.zeros((tracks, tracks), int), np.ones((tracks, tracks), bool)
    for span in sample.regions:
        own, theirs = (table[span].astype(np.float64) for table in (sample.changes, others))
        count = np.minimum.outer((own != 0).sum(axis=0), (theirs != 0).sum(axis=0))
        most = np.maximum.outer((own != 0).sum(axis=0), (theirs != 0).sum(axis=0))
        sizes = np.outer(*(np.sqrt((table**2).sum(axis=0)) for table in (own, theirs)))
        alike &= (np.abs(own.T @ theirs) >= ONE * sizes) | (most < IN_REGION)
        total += np.where(most < IN_REGION, 0, count)
    return alike & (total >= FEWEST)


def sums_of_others(sample: Sample, left_out: Sequence[int]) -> list[Combination]:
    """Return the tracks that are weighted sums of two or more others; those left out are copies of others."""
    own = np.setdiff1d(np.arange(sample.changes.shape[1]), np.asarray(left_out, int))
    found = combinations(sample.changes[:, own].astype(np.float64))
    return [Combination(int(own[c.column]), tuple(own[list(c.parts)].tolist()), c.weights) for c in found]


def _values(
    path: str | os.PathLike[str], regions: Sequence[tuple[str, int, int]], mirrored: bool = False
) -> list[NDArray[np.float32]]:
    """Return the values of a track in regions, 0 where it has none; of regions counted from the contigs' ends backwards."""
    found = []
    with BigWig(path) as file:
        names = ContigNames(file.contigs)
        for chrom, start, end in regions:
            values, name = np.zeros(end - start, np.float32), names.find(chrom)
            if name and start < (length := file.contigs[name]):
                end = min(end, length)
                own = (
                    file.values(name, length - end, length - start)[::-1] if mirrored else file.values(name, start, end)
                )
                values[: end - start] = own
            found.append(np.nan_to_num(values, posinf=0, neginf=0))
    return found


def _size(values: Sequence[NDArray[np.float32]]) -> float:
    """Return the mean size of a track's values."""
    return float(np.mean([np.abs(one).mean() for one in values]))

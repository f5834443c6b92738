"""Which of many tracks could be one signal: pairs that share the shape of their coverage in a sample of regions.

The shape of a stretch is where its value changes and whether it rises or falls there. Neither scale, sign, encoding, a
monotone transformation nor a shift alters it, and two measurements do not have it in common: reads begin elsewhere.
Noise on every value alters what rises; where values change, or where there are any, is the outline, which it leaves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from glmflow.bigwig import BigWig, join
from glmflow.genome.contigs import ContigNames

SEGMENTS = 32
"""Segments of one value in a shingle."""
ISLANDS = 8
"""Stretches with a value, and between them, of an outline."""
REGION = 1 << 16
"""Bases of a sampled region."""
REGIONS = 128
"""Regions that are sampled at least, and one of every track besides."""
WHOLE = 48
"""Sections of a file that is read whole: in so sparse a track a region holds too little."""
SAMPLED = 4
"""Of a track with more than `MANY` shingles one in this number is kept, chosen by its hash."""
MANY = 20_000
FEWEST = 8
"""Shingles that two tracks share at least."""
SHARED = 0.01
"""Share of the shingles of the track that has fewer that two tracks have in common at least."""

Region = tuple[str, int, int]


class Candidate(NamedTuple):
    """Two tracks, by number, that may be one signal; `shift`: where most of what they share lies in `b` beyond `a`."""

    a: int
    b: int
    shift: int


class Shingles(NamedTuple):
    """Hashes of the shapes of a track (uint64[n]) and the genome's base at which each lies (int64[n])."""

    hashes: NDArray[np.uint64]
    places: NDArray[np.int64]


def candidates(paths: Sequence[str | os.PathLike[str]]) -> list[Candidate]:
    """Return the pairs of tracks that share shapes, in order.

    Parameters
    ----------
    paths
        bigWig files of one genome, two at least.

    Raises
    ------
    InputError
        As `BigWig`.
    """
    regions = sampled_regions(paths)
    drawn = [_shingles(path, regions) for path in paths]
    found = {
        (one.a, one.b): one for kind in reversed(list(zip(*drawn))) for one in _sharing(kind)
    }  # shapes tell shifts
    return [found[pair] for pair in sorted(found)]


def _sharing(found: Sequence[Shingles]) -> list[Candidate]:
    """Return the pairs of tracks that have enough shingles in common."""
    if not sum(len(one.hashes) for one in found):
        return []
    hashes, column = np.unique(np.concatenate([one.hashes for one in found]), return_inverse=True)
    row = np.repeat(np.arange(len(found)), [len(one.hashes) for one in found])
    table = coo_array((np.ones(len(row), np.int64), (row, column)), shape=(len(found), len(hashes))).tocsr()
    table.data[:] = 1
    shared = (table @ table.T).toarray()
    sizes = shared.diagonal()
    enough = np.maximum(FEWEST, SHARED * np.minimum(sizes[:, None], sizes[None]))
    return [Candidate(a, b, _shift(found[a], found[b])) for a, b in np.argwhere(np.triu(shared >= enough, 1)).tolist()]


def sampled_regions(paths: Sequence[str | os.PathLike[str]]) -> list[Region]:
    """Return regions around data of each track in turn, disjoint, sorted, by the contig names of the first that has them."""
    listed = []
    names: dict[str, str] = {}  # of every file, to those of the first that has the contig
    for path in paths:
        with BigWig(path) as file:
            listed.append(file.listed())
        known = ContigNames(names)
        for chrom in dict.fromkeys(section[0] for section in listed[-1]):
            alike = known.find(chrom)
            names.setdefault(chrom, names[alike] if alike else chrom)
    each = -(-REGIONS // len(paths)) + 1
    starts: dict[str, set[int]] = {}
    for sections in listed:
        chosen = np.unique(np.linspace(0, len(sections) - 1, each).astype(int)) if sections else []
        for chrom, first, last in (sections[n] for n in chosen):
            starts.setdefault(names[chrom], set()).add((first + last) // 2 // REGION * REGION)
    return [(chrom, start, start + REGION) for chrom in starts for start in sorted(starts[chrom])]


def _shingles(path: str | os.PathLike[str], regions: Sequence[Region]) -> tuple[Shingles, Shingles]:
    """Return the shapes and the outlines of a track in some regions, or of all of it where it is sparse."""
    parts, outlines = [], []
    with BigWig(path) as file:
        names = ContigNames(file.contigs)
        if len(file.listed()) <= WHOLE:
            regions = [(chrom, 0, length) for chrom, length in file.contigs.items()]
        for chrom, start, end in regions:
            name = names.find(chrom)
            if name and start < (length := file.contigs[name]):
                segments = _segments(file, name, start, min(end, length))
                parts += [_shapes(*segments, seed=7), _shapes(*_turns(*segments), seed=11)]
                level = np.zeros(len(segments[0]), np.float32)
                outlines += [_shapes(segments[0], level, seed=13), _shapes(*_islands(*segments), 17, ISLANDS)]
    return _kept(parts), _kept(outlines)


def _kept(parts: Sequence[tuple[NDArray[np.uint64], NDArray[np.int64]]]) -> Shingles:
    """Return the shingles that a track has once; of many, some."""
    if not parts:
        return Shingles(np.zeros(0, np.uint64), np.zeros(0, np.int64))
    hashes, places = map(np.concatenate, zip(*parts))
    kept = hashes % np.uint64(SAMPLED if len(hashes) > MANY else 1) == 0
    hashes, first, times = np.unique(hashes[kept], return_index=True, return_counts=True)
    once = times == 1  # a shape that a track has twice says little
    return Shingles(hashes[once], places[kept][first][once])


def _segments(file: BigWig, chrom: str, start: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return where the segments of one value of a stretch begin, and their values; what is missing is 0."""
    parts = [runs for runs in file.runs(chrom, start, end) if len(runs.starts)]
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    runs = join(parts)
    edges = np.empty(2 * len(runs.starts), np.int64)
    edges[::2], edges[1::2] = runs.starts, runs.ends
    values = np.zeros(len(edges), np.float32)
    values[::2] = np.nan_to_num(runs.values, posinf=0, neginf=0)
    kept = np.append(edges[1:] > edges[:-1], True)  # no gap between runs that touch
    edges, values = edges[kept], values[kept]
    changes = np.append(True, values[1:] != values[:-1])
    return edges[changes], values[changes]


def _turns(starts: NDArray[np.int64], values: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the segments that are the highest or the lowest around: what smooth tracks have a shape by."""
    rises = values[1:] > values[:-1]
    turn = (rises[1:] != rises[:-1]).nonzero()[0] + 1
    return starts[turn], values[turn]


def _islands(starts: NDArray[np.int64], values: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return where stretches with a value and without one begin, all of one level."""
    some = values != 0
    begins = starts[np.append(True, some[1:] != some[:-1])] if len(starts) else starts
    return begins, np.zeros(len(begins), np.float32)


def _shapes(
    starts: NDArray[np.int64], values: NDArray[np.float32], seed: int, segments: int = SEGMENTS
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hash and the place of every stretch of some segments whose lengths and rises are not all alike."""
    count = len(starts) - segments
    if count < 1:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    lengths = np.diff(starts).astype(np.uint64)
    rises = values[1:] > values[:-1]
    up, down = np.full(count, seed, np.uint64), np.full(count, seed, np.uint64)
    for n in range(segments):
        for total, rising in ((up, rises), (down, ~rises)):  # a signal and its negative have one hash
            total *= _FACTOR
            total ^= (total >> np.uint64(29)) + 2 * lengths[n : n + count] + rising[n : n + count]
    turns, told = rises[1:] != rises[:-1], np.zeros(count, np.int64)
    for n in range(1, segments):
        told += lengths[n : n + count] != lengths[:count]
    for n in range(segments - 2):
        told += turns[n : n + count]
    kept = told >= segments // 2
    return np.minimum(up, down)[kept] * _FACTOR, starts[:count][kept]


_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hashing: 2^64 over the golden ratio


def _shift(a: Shingles, b: Shingles) -> int:
    """Return by how many bases most shapes that two tracks share lie further on in the second."""
    _, first, second = np.intersect1d(a.hashes, b.hashes, assume_unique=True, return_indices=True)
    shifts, counts = np.unique(b.places[second] - a.places[first], return_counts=True)
    return int(shifts[counts.argmax()])

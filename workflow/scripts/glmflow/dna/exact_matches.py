"""Longest exact matches of sequences to a collection of others, on both strands: what a model has learned by heart.

Every 32-mer of the collection is one number of 64 bits, and they are sorted: of any 32 bases the neighbours there share the
longest beginning. Matches of more than 32 bases are runs of 32-mers on one diagonal. Both are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.canonical import Sequence, as_bases, opposite_strand

from .kmer_tables import CODE

WIDTH = 32
OFTEN = 256
"""Places of one 32-mer that are followed: of a match inside a repeat of more copies the length is a lower bound."""


class Match(NamedTuple):
    """How a sequence matches a collection.

    Attributes
    ----------
    forward, reverse
        Bases of its longest match on the same and on the opposite strand.
    length : int64[L]
        For each base, the longest match of either strand that covers it; only matches of 32 and more are exact here,
        shorter ones are 0.
    """

    forward: int
    reverse: int
    length: NDArray[np.int64]

    @property
    def longest(self) -> int:
        """Bases of the longest match of either strand."""
        return max(self.forward, self.reverse)

    def covered(self, least: int) -> int:
        """Return how many bases lie in matches of at least the given length (32 or more bases)."""
        return int((self.length >= least).sum())


class Collection:
    """Sequences that others are looked up in; 32 bytes a base.

    Parameters
    ----------
    sequences
        Matches do not pass their ends, nor letters other than A, C, G and T. Stretches of fewer than 32 bases are left out.
    """

    def __init__(self, sequences: Iterable[Sequence]):
        pieces = [piece for sequence in sequences for _, piece in stretches(sequence) if len(piece) >= WIDTH]
        self.bases = sum(map(len, pieces))
        self._one = _Strand(pieces)
        self._other = _Strand([opposite_strand(piece) for piece in pieces])

    def match(self, sequence: Sequence) -> Match:
        """Return how a sequence matches the collection."""
        length = np.zeros(len(sequence), np.int64)
        longest = [0, 0]
        for start, piece in stretches(sequence):
            end = start + len(piece)
            own, turned = length[start:end], length[start:end][::-1]
            opposite = opposite_strand(piece)
            # The end of a stretch has no whole 32-mer; the beginning of its reverse complement has.
            for side, strands in enumerate(((self._one, self._other), (self._other, self._one))):
                longest[side] = max(longest[side], strands[0].search(piece, own), strands[1].search(opposite, turned))
        return Match(longest[0], longest[1], length)


class _Strand:
    """The sorted 32-mers of one strand."""

    def __init__(self, pieces: list[NDArray[np.uint8]]):
        numbers, places, before = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], 0
        for piece in pieces:
            own = _windows(CODE[piece])
            numbers.append(own)
            places.append(before + np.arange(len(own)))
            before += len(piece) + 1  # diagonals of two pieces do not touch
        joined = np.concatenate(numbers)
        order = np.argsort(joined)
        self.numbers, self.places = joined[order], np.concatenate(places)[order]

    def search(self, bases: NDArray[np.uint8], cover: NDArray[np.int64]) -> int:
        """Return the longest match of bases; `cover` is raised to the lengths of the matches of 32 and more."""
        if not len(self.numbers):
            return 0
        codes = CODE[bases]
        padded = np.concatenate([codes, np.zeros(WIDTH - 1, np.int64)])
        wanted = _windows(padded)
        order = np.argsort(wanted)  # neighbours are looked up one after the other: five times as fast
        left = np.empty(len(wanted), np.int64)
        left[order] = np.searchsorted(self.numbers, wanted[order])
        shared = np.maximum(
            _shared(wanted, self.numbers[np.maximum(left - 1, 0)]),
            _shared(wanted, self.numbers[np.minimum(left, len(self.numbers) - 1)]),
        )
        shared = np.minimum(shared, len(bases) - np.arange(len(bases)))
        longest = int(shared.max(initial=0))
        whole = np.flatnonzero(shared >= WIDTH)
        if len(whole):
            for start, length in self._runs(wanted, whole, left[whole]):
                part = cover[start : start + length]
                np.maximum(part, length, out=part)
                longest = max(longest, length)
        return longest

    def _runs(
        self, wanted: NDArray[np.uint64], whole: NDArray[np.int64], left: NDArray[np.int64]
    ) -> Iterator[tuple[int, int]]:
        """Yield start and length of the matches: 32-mers that follow each other on a diagonal."""
        right = np.searchsorted(self.numbers, wanted[whole], side="right")
        many = np.minimum(right - left, OFTEN)
        owner = np.repeat(np.arange(len(whole)), many)
        rank = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)
        query = whole[owner]
        diagonal = self.places[left[owner] + rank] - query
        order = np.lexsort((query, diagonal))
        query, diagonal = query[order], diagonal[order]
        fresh = np.append(True, (diagonal[1:] != diagonal[:-1]) | (query[1:] != query[:-1] + 1))
        first = np.flatnonzero(fresh)
        lengths = np.diff(np.append(first, len(query))) + WIDTH - 1
        yield from zip(query[first].tolist(), lengths.tolist())


def _windows(codes: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return all 32-mers of codes as numbers, the first base most significant."""
    part, width = codes.astype(np.uint64), 1
    while width < WIDTH:
        part = (part[:-width] << np.uint64(2 * width)) | part[width:]
        width *= 2
    return part


def _shared(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many first bases two 32-mers share."""
    left, shared = one ^ other, np.zeros(len(one), np.int64)
    for bases in (16, 8, 4, 2, 1):
        same = left >> np.uint64(64 - 2 * bases) == 0
        shared += bases * same
        left = np.where(same, left << np.uint64(2 * bases), left)
    return shared + (left == 0)


def stretches(sequence: Sequence) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield the stretches of A, C, G and T with where they start."""
    bases = as_bases(sequence)
    known = CODE[bases] >= 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
        yield start, bases[start:end]

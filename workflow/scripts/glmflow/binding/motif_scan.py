"""Best sites of motifs in sequences, on both strands, at every position: the last one of short motifs too.

Scores of all motifs are one matrix product of windows of one-hot bases in float32; the places that come near the best are
scored again in float64, so that what is returned is exact. No window length is skipped, as scanners with a filter of a fixed
length do for motifs that are shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.packed import Packed, pack

BLOCK = 1 << 12
"""Bases that are scored at a time."""
NEAR = 1e-3
"""How far below the best in float32 a score is looked at again: far more than its rounding."""
ROUNDED = 9
"""Decimals at which scores are equal: sums of the same numbers in another order are."""
NOTHING = -np.inf
LOWEST = np.finfo(np.float32).min
CODES = np.full(256, 4, np.uint8)
for _code, _letter in enumerate("ACGT"):
    CODES[ord(_letter)] = CODES[ord(_letter.lower())] = _code


class BestSites(NamedTuple):
    """The best site of each motif in each sequence.

    Attributes
    ----------
    score
        `[sequences, motifs]`; -inf where no window without N fits.
    position
        First base on the forward strand, 0-based; of equal ones the first, and + before -.
    reverse
        Whether it is on the reverse strand.
    """

    score: NDArray[np.float64]
    position: NDArray[np.int32]
    reverse: NDArray[np.bool_]


class _Scanner:
    """Motifs and their reverse complements as one matrix, the widest first."""

    def __init__(self, matrices: Sequence[NDArray[np.float64]]):
        self.count = len(matrices)
        self.widths = np.repeat([len(matrix) for matrix in matrices], 2)
        self.width = int(self.widths.max())
        both = [one for matrix in matrices for one in (matrix, matrix[::-1, ::-1])]
        self.exact = np.zeros((2 * self.count, self.width, 5))
        for place, matrix in enumerate(both):
            self.exact[place, : len(matrix), :4] = matrix
        self.flat = np.ascontiguousarray(self.exact[:, :, :4].reshape(2 * self.count, -1).T.astype(np.float32))

    def scores(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the score of every motif and strand at every base, `[bases, 2 motifs]`; -inf where N is in the window."""
        length = len(codes)
        padded = np.append(codes, np.full(self.width, 4, np.uint8))
        bases = np.zeros((len(padded), 4), np.float32)
        known = np.flatnonzero(padded < 4)
        bases[known, padded[known]] = 1
        windows = np.lib.stride_tricks.as_strided(bases, (length, 4 * self.width), (bases.strides[0], bases.strides[1]))
        found = np.ascontiguousarray(windows) @ self.flat
        stop = np.where(padded == 4, np.arange(len(padded)), len(padded))
        known_bases = (np.minimum.accumulate(stop[::-1])[::-1] - np.arange(len(padded)))[:length]
        short = np.flatnonzero(known_bases < self.width)
        found[short] = np.where(known_bases[short, None] < self.widths, np.float32(NOTHING), found[short])
        return found

    def again(
        self, codes: NDArray[np.uint8], place: NDArray[np.int64], motif: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return exact scores of some places, summed from the first position of the site on the forward strand."""
        padded = np.append(codes, np.full(self.width, 4, np.uint8))
        total = np.zeros(len(place))
        for offset in range(self.width):
            total += self.exact[motif, offset, padded[place + offset]]
        return total


def best_sites(sequences: Packed | Sequence[str], matrices: Sequence[NDArray[np.float64]]) -> BestSites:
    """Return the best site of each log-odds matrix `[width, 4]` in each sequence.

    Lower case counts as upper; windows with any other letter have no score.
    """
    packed = sequences if isinstance(sequences, Packed) else pack(list(sequences))
    scanner = _Scanner(matrices)
    score = np.full((packed.count, scanner.count), NOTHING)
    position = np.full((packed.count, scanner.count), -1, np.int32)
    reverse = np.zeros((packed.count, scanner.count), bool)
    for rows, codes, starts in blocks(packed):
        found = scanner.scores(codes)
        best = np.maximum.reduceat(found, starts, axis=0)
        owner = np.repeat(np.arange(len(rows)), np.diff(np.append(starts, len(codes))))
        both = np.repeat(np.maximum(best[:, 0::2], best[:, 1::2]), 2, axis=1) - NEAR
        place, column = places_of(found >= np.maximum(both, LOWEST)[owner])
        exact = scanner.again(codes, place, column)
        # The last one written wins: the highest score, then the first place, then the forward strand.
        order = np.lexsort((-(column % 2), -place, exact.round(ROUNDED)))
        place, column, exact = place[order], column[order], exact[order]
        own, motif = rows[owner[place]], column // 2
        score[own, motif] = exact
        position[own, motif] = place - starts[owner[place]]
        reverse[own, motif] = column % 2 == 1
    return BestSites(score, position, reverse)


def places_of(chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of what is true: `nonzero`, but several times faster on few in many."""
    return np.divmod(np.flatnonzero(chosen.ravel()), chosen.shape[1])


class Hits(NamedTuple):
    """All sites of a score of at least a threshold, a value a site: row of the sequence and of the motif, place, strand."""

    sequence: NDArray[np.int64]
    motif: NDArray[np.int64]
    position: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    score: NDArray[np.float64]


def all_hits(
    sequences: Packed | Sequence[str], matrices: Sequence[NDArray[np.float64]], thresholds: Sequence[float]
) -> Hits:
    """Return all sites whose score reaches the threshold of their matrix, by sequence and place."""
    packed = sequences if isinstance(sequences, Packed) else pack(list(sequences))
    scanner = _Scanner(matrices)
    least = np.repeat(np.asarray(thresholds, np.float64), 2)
    parts = []
    for rows, codes, starts in blocks(packed):
        place, column = places_of(scanner.scores(codes) >= (least - NEAR).astype(np.float32))
        exact = scanner.again(codes, place, column)
        kept = exact >= least[column]
        place, column, exact = place[kept], column[kept], exact[kept]
        own = np.searchsorted(starts, place, "right") - 1
        parts.append((rows[own], column // 2, place - starts[own], column % 2 == 1, exact))
    if not parts:
        return Hits(*(np.zeros(0, kind) for kind in (np.int64, np.int64, np.int64, bool, np.float64)))
    return Hits(*(np.concatenate(values) for values in zip(*parts)))


def blocks(packed: Packed) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield rows, codes and starts of whole sequences, each with an N behind it, of about `BLOCK` bases together."""
    lengths = packed.lengths
    rows = np.flatnonzero(lengths > 0)
    first = 0
    while first < len(rows):
        total = np.cumsum(lengths[rows[first : first + BLOCK]] + 1)
        last = first + max(1, int(np.searchsorted(total, BLOCK, "right")))
        own = rows[first:last]
        codes = np.concatenate([np.append(CODES[packed.one(row)], np.uint8(4)) for row in own])
        yield own, codes, np.append(0, np.cumsum(lengths[own] + 1)[:-1])
        first = last


def threshold_of(
    matrix: NDArray[np.float64], p: float = 1e-4, background: Sequence[float] = (0.25,) * 4, steps: int = 20_000
) -> float:
    """Return the score that a random window of the background reaches with a probability of at most `p`.

    The distribution is summed up in `steps` steps over the whole range of scores.
    """
    low, high = matrix.min(axis=1), matrix.max(axis=1)
    step = float((high - low).sum()) / steps
    if step == 0:
        return float(high.sum())
    chance = np.ones(1)
    for row, least in zip(matrix, low):
        added = np.rint((row - least) / step).astype(np.int64)
        grown = np.zeros(len(chance) + added.max())
        for shift, probability in zip(added, background):
            grown[shift : shift + len(chance)] += probability * chance
        chance = grown
    tail = np.cumsum(chance[::-1])[::-1]
    reached = np.flatnonzero(tail <= p)
    return float(low.sum() + step * (reached[0] if len(reached) else len(chance)))

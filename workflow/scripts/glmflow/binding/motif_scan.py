"""Best sites of motifs in sequences, on both strands, at every position: the last one of short motifs too.

Sites are found by words of bases: best ones with scores of 16 bits (`motif_maxima`), all above a threshold in float32
(`motif_words`). Those that come near the best or the threshold are scored again in float64, so that what is returned is exact. No
window length is skipped, as scanners with a filter of a fixed length do for motifs that are shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.packed import Packed, pack, ranges

from .motif_maxima import PIECE, Pieces, groups_of
from .motif_words import SHORT, UNKNOWN, Bases, Finder, Matrices

BLOCK = 1 << 18
"""Bases that are scored at a time."""
STEPS = 2000
"""Steps of a unit of score that thresholds are found in."""
ROUNDED = 9
"""Decimals at which scores are equal: sums of the same numbers in another order are."""
NOTHING = -np.inf
CODES = np.full(256, UNKNOWN, np.uint8)
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


def best_sites(sequences: Packed | Sequence[str], matrices: Sequence[NDArray[np.float64]]) -> BestSites:
    """Return the best site of each log-odds matrix `[width, 4]` in each sequence.

    Lower case counts as upper; windows with any other letter have no score. Scores are finite.
    """
    packed = sequences if isinstance(sequences, Packed) else pack(list(sequences))
    both = Matrices(matrices)
    shape = packed.count, len(matrices)
    found = BestSites(np.full(shape, NOTHING), np.full(shape, -1, np.int32), np.zeros(shape, bool))
    if not len(matrices):
        return found
    groups = groups_of(both.exact, both.widths)
    for rows, bases, starts in blocks(packed, both.width + PIECE + 2 * SHORT):
        lengths = np.diff(np.append(starts, bases.length)) - 1
        pieces = Pieces(bases, starts, lengths, both.width)
        near = [group.near(pieces) for group in groups]
        place, row = (np.concatenate(values) for values in zip(*near))
        exact = both.again(bases, place, row)
        # The last one written wins: the highest score, then the first place, then the forward strand.
        order = np.lexsort((-(row % 2), -place, exact.round(ROUNDED)))
        place, row, exact = place[order], row[order], exact[order]
        sequence = np.searchsorted(starts, place, "right") - 1
        own, motif = rows[sequence], row // 2
        found.score[own, motif] = exact
        found.position[own, motif] = place - starts[sequence]
        found.reverse[own, motif] = row % 2 == 1
    return found


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
    both = Matrices(matrices)
    finder = Finder(both, thresholds)
    parts = []
    for rows, bases, starts in blocks(packed, both.width):
        for place, row, _ in finder.sites(bases):
            exact = both.again(bases, place, row)
            kept = exact >= finder.least[row]
            place, row, exact = place[kept], row[kept], exact[kept]
            own = np.searchsorted(starts, place, "right") - 1
            parts.append((rows[own], row // 2, place - starts[own], row % 2 == 1, exact))
    if not parts:
        return Hits(*(np.zeros(0, kind) for kind in (np.int64, np.int64, np.int64, bool, np.float64)))
    found = Hits(*(np.concatenate(values) for values in zip(*parts)))
    order = np.lexsort((found.reverse, found.motif, found.position, found.sequence))
    return Hits(*(values[order] for values in found))


def blocks(packed: Packed, room: int) -> Iterator[tuple[NDArray[np.int64], Bases, NDArray[np.int64]]]:
    """Yield rows, bases and starts of whole sequences, each with an N behind it, of about `BLOCK` bases together."""
    lengths = packed.lengths
    rows = np.flatnonzero(lengths > 0)
    first = 0
    while first < len(rows):
        total = np.cumsum(lengths[rows[first : first + BLOCK]] + 1)
        last = first + max(1, int(np.searchsorted(total, BLOCK, "right")))
        own = rows[first:last]
        starts = np.append(0, np.cumsum(lengths[own] + 1)[:-1])
        codes = np.full(int(starts[-1] + lengths[own[-1]] + 1), UNKNOWN, np.uint8)
        codes[ranges(starts, lengths[own])] = CODES[packed.take(own).codes]
        yield own, Bases(codes, room), starts
        first = last


def threshold_of(
    matrix: NDArray[np.float64], p: float = 1e-4, background: Sequence[float] = (0.25,) * 4, steps: int = STEPS
) -> float:
    """Return the score that a random window of the background reaches with a probability of at most `p`, as MOODS has it.

    Scores are rounded to `steps` a unit for their distribution. Where even the best word is likelier than `p`, as of motifs
    shorter than 7 bases, the best words alone reach what is returned: it lies half a step to the next word below theirs.
    """
    scaled = steps * np.asarray(matrix, np.float64)
    whole = np.trunc(scaled + np.where(scaled > 0, 0.5, -0.5)).astype(np.int64)
    low = whole.min(axis=1)
    chance = np.ones(1)
    for row, least in zip(whole, low):
        added = row - least
        grown = np.zeros(len(chance) + int(added.max()))
        for shift, probability in zip(added, background):
            grown[shift : shift + len(chance)] += probability * chance
        chance = grown
    tail = np.cumsum(chance[::-1])[::-1]
    if tail[-1] > p:
        highest = np.max(matrix, axis=1, keepdims=True)
        gap = np.where(matrix < highest, highest - matrix, np.inf).min()
        return float(highest.sum() - (gap / 2 if np.isfinite(gap) else 0))
    return float((low.sum() + np.flatnonzero(tail <= p)[0]) / steps)

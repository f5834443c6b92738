"""The highest score of many motifs in every piece of 32 places, in numbers of 16 bits that 32 motifs share one look-up for.

A score is the sum of what words of 6 bases add. The numbers that one word adds to all motifs of a group, on both strands, lie side
by side, so that one look-up finds them all; they are rounded to a step of a few hundredths of a bit at most. What comes near the
place of the highest score of a sequence is returned, to be scored exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .motif_words import SHORT, Bases, sums_of_words

PIECE = 32
"""Places of a piece."""
TOGETHER = 32
"""Motifs of a group, on two strands each."""
PIECES = 256
"""Pieces that are scored at a time: what is added up stays in the cache of a core."""
STEPS = 8
"""Places of each of them that are scored at a time."""
RANGE = 30_000
"""Steps between the lowest and the highest score of a motif."""
LOWEST = np.iinfo(np.int16).min


class Near(NamedTuple):
    """Sites whose rounded score is near the highest one of their sequence: first base, and row of the matrix (two a motif)."""

    place: NDArray[np.int64]
    row: NDArray[np.int64]


class Batch(NamedTuple):
    """Pieces that are scored together: their rows, words `[places, pieces]`, and known bases from each place on if some are few."""

    rows: NDArray[np.int64]
    words: NDArray[np.intp]
    known: NDArray[np.int32] | None


class Pieces:
    """Pieces of sequences that lie one behind another with an unknown base behind each.

    Parameters
    ----------
    starts, lengths
        First base and bases of each sequence, one at least.
    widest
        Positions of the widest motif.
    """

    def __init__(self, bases: Bases, starts: NDArray[np.int64], lengths: NDArray[np.int64], widest: int):
        self.bases = bases
        count = -(-lengths // PIECE)
        self.first = np.cumsum(count) - count
        """First piece of each sequence."""
        self.owner = np.repeat(np.arange(len(starts)), count)
        within = np.arange(len(self.owner)) - self.first[self.owner]
        self.start = starts[self.owner] + within * PIECE
        self.end = (starts + lengths)[self.owner]
        """End of the sequence of each piece."""
        whole = bases.known[self.start] >= PIECE + widest - 1
        reach = np.arange(PIECE + SHORT * (-(-widest // SHORT) - 1))[:, None]
        self.batches = []
        for rows, all_known in ((np.flatnonzero(whole), True), (np.flatnonzero(~whole), False)):
            for low in range(0, len(rows), PIECES):
                own = rows[low : low + PIECES]
                place = self.start[own] + reach
                known = None if all_known else self.known_from(place[:PIECE], self.end[own])
                self.batches.append(Batch(own, bases.short[place].astype(np.intp), known))

    def known_from(self, place: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return how many bases from each place on are known, 0 behind the end of the sequence."""
        return np.where(place < end, self.bases.known[place], 0)


class Group:
    """Matrices of similar widths, with a table of what every word adds to each, a table a part of the matrices.

    Parameters
    ----------
    exact
        Log-odds matrices and their reverse complements in turn, `[rows, positions, 4 or more]`, with zeros behind shorter ones.
    widths
        Their widths, `[rows]`.
    rows
        Rows that belong to the group, both of each motif, in the order of the columns.
    """

    def __init__(self, exact: NDArray[np.float64], widths: NDArray[np.int64], rows: NDArray[np.int64]):
        self.rows, self.widths = rows, widths[rows]
        length = -(-int(self.widths.max()) // SHORT) * SHORT
        columns = np.zeros((len(rows), length, 4))
        own = exact[rows, :length, :4]
        columns[:, : own.shape[1]] = own
        high, low = columns.max(axis=2), columns.min(axis=2)
        span = (high - low).sum(axis=1)
        step = RANGE / np.where(span > 0, span, 1)[:, None]
        self.tables = []
        for start in range(0, length, SHORT):
            part = slice(start, start + SHORT)
            centre = (high[:, part] + low[:, part]).sum(axis=1, keepdims=True) / 2
            scaled = (sums_of_words(columns[:, part]) - centre) * step
            self.tables.append(np.ascontiguousarray(np.rint(scaled).T, np.int16))

    def maxima(self, pieces: Pieces) -> NDArray[np.int16]:
        """Return the highest rounded score of each row in each piece, `[pieces, rows]`; `LOWEST` where no site fits."""
        found = np.empty((len(pieces.start), len(self.rows)), np.int16)
        for rows, words, known in pieces.batches:
            best = np.full((len(rows), len(self.rows)), LOWEST, np.int16)
            total, more = (np.empty((STEPS, *best.shape), np.int16) for _ in range(2))
            for place in range(0, PIECE, STEPS):
                for part, table in enumerate(self.tables):
                    own = words[place + SHORT * part : place + SHORT * part + STEPS]
                    table.take(own, axis=0, out=more if part else total, mode="clip")
                    if part:
                        np.add(total, more, out=total)
                if known is not None:
                    total[known[place : place + STEPS, :, None] < self.widths] = LOWEST
                for own in total:
                    np.maximum(best, own, out=best)
            found[rows] = best
        return found

    def near(self, pieces: Pieces) -> Near:
        """Return the sites near the highest score of their motif, over both strands, in their sequence."""
        found = self.maxima(pieces)
        best = np.maximum.reduceat(found, pieces.first, axis=0)
        best = np.maximum(best[:, ::2], best[:, 1::2])
        # Each part is rounded by half a step at most, in either of two scores.
        away = len(self.tables) + 1
        least = (np.maximum(best, LOWEST + away + 1) - away).repeat(2, axis=1)
        piece, column = np.divmod(np.flatnonzero(found >= least[pieces.owner]), len(self.rows))
        place = pieces.start[piece][:, None] + np.arange(PIECE)
        total = np.zeros(place.shape, np.int16)
        for part, table in enumerate(self.tables):
            word = pieces.bases.short.take(place + SHORT * part).astype(np.intp)
            total += table.ravel().take(word * len(self.rows) + column[:, None])
        near = total >= least[pieces.owner[piece], column][:, None]
        near &= pieces.known_from(place, pieces.end[piece][:, None]) >= self.widths[column][:, None]
        row, offset = np.divmod(np.flatnonzero(near), PIECE)
        return Near(place[row, offset], self.rows[column[row]])


def groups_of(exact: NDArray[np.float64], widths: NDArray[np.int64]) -> list[Group]:
    """Return all matrices (`Group`) in groups of similar widths."""
    order = np.argsort(widths[::2], kind="stable")
    parts = np.array_split(order, -(-len(order) // TOGETHER))
    return [Group(exact, widths, np.stack([2 * own, 2 * own + 1], axis=1).ravel()) for own in parts]

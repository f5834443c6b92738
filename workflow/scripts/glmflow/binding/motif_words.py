"""Motifs as words: tables of what every word of 8 or 6 bases adds to the score of every motif and strand.

A motif is looked for by the word that says most of it: of all 65,536 words of 8 bases few can be part of a site that reaches a
threshold, whatever the other positions of the motif are. Only places with such a word are looked at further, six positions at a
time, and left as soon as the threshold is out of reach. No site is lost by this, and a word may be shorter than 8 bases or stand
at the end of a sequence: positions that a motif has not add nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONG, SHORT = 8, 6
"""Bases of a word that motifs are looked for by, and of one that the rest of a motif is summed up by."""
NEAR = 1e-3
"""How far below a threshold sums in float32 are kept: far more than their rounding."""
ROWS_AT_ONCE = 64
CANDIDATES_AT_ONCE = 1 << 17
UNKNOWN = 4


class Places(NamedTuple):
    """Sites: first base of each, row of the matrix (two rows a motif: as it is, and its reverse complement), and score."""

    place: NDArray[np.int64]
    row: NDArray[np.int64]
    score: NDArray[np.float32]


class Bases:
    """Bases of sequences as words, with 0 for A to 3 for T; whatever else is not known, and no site holds it.

    Attributes
    ----------
    codes
        The bases with `room` unknown ones behind them.
    words
        Word of 8 bases that begins at each place (unknown bases as A), uint16.
    short
        The same of 6 bases.
    known
        Bases from each place to the next unknown one.
    """

    def __init__(self, codes: NDArray[np.uint8], room: int):
        self.length = len(codes)
        self.codes = np.append(codes, np.full(room + LONG, UNKNOWN, np.uint8))
        single = np.where(self.codes < UNKNOWN, self.codes, 0).astype(np.uint16)
        two = single[:-1] << 2 | single[1:]
        four = two[:-2] << 4 | two[2:]
        self.words = four[:-4] << 8 | four[4:]
        self.short = self.words >> np.uint16(2 * (LONG - SHORT))
        place = np.arange(len(self.codes), dtype=np.int32)
        stop = np.where(self.codes == UNKNOWN, place, np.int32(len(self.codes)))
        self.known = np.minimum.accumulate(stop[::-1])[::-1] - place


class Matrices:
    """Log-odds matrices `[width, 4]` and their reverse complements, in turn."""

    def __init__(self, matrices: Sequence[NDArray[np.float64]]):
        both = [one for matrix in matrices for one in (matrix, matrix[::-1, ::-1])]
        self.widths = np.array([len(matrix) for matrix in both])
        self.width = int(self.widths.max(initial=0))
        self.exact = np.zeros((len(both), self.width + LONG, 5))
        for row, matrix in enumerate(both):
            self.exact[row, : len(matrix), :4] = matrix
        highest = self.exact[:, :, :4].max(axis=2)
        known = np.arange(self.width + LONG) < self.widths[:, None]
        telling = np.where(known, highest - self.exact[:, :, :4].mean(axis=2), 0)
        summed = np.pad(np.cumsum(telling, axis=1), ((0, 0), (1, 0)))
        places = np.arange(self.width + 1)
        gain = summed[:, np.minimum(places + LONG, summed.shape[1] - 1)] - summed[:, places]
        fits = places <= np.maximum(self.widths - LONG, 0)[:, None]
        self.first = np.where(fits, gain, -1).argmax(axis=1)
        """Where the word stands in the motif that says most of it."""
        self._rest(highest)

    def _rest(self, highest: NDArray[np.float64]) -> None:
        """Cut what the first word leaves of each motif into short words, with the most that is still to come before each."""
        cuts = []
        for first, width in zip(self.first, self.widths):
            left = [(place, min(place + SHORT, first)) for place in range(0, first, SHORT)]
            cuts.append(left + [(place, min(place + SHORT, width)) for place in range(first + LONG, width, SHORT)])
        count = max(map(len, cuts), default=0)
        rows = len(cuts)
        self.offset = np.zeros((rows, count), np.int64)
        self.more = np.zeros((rows, count + 1))
        self.tables = [np.zeros((rows, 4**SHORT), np.float32) for _ in range(count)]
        for part in range(count):
            own = np.zeros((rows, SHORT, 4))
            for row, cut in enumerate(cuts):
                if part < len(cut):
                    start, end = cut[part]
                    self.offset[row, part] = start
                    own[row, : end - start] = self.exact[row, start:end, :4]
            self.tables[part] = sums_of_words(own)
            self.more[:, : part + 1] += own.max(axis=2).sum(axis=1)[:, None]

    def again(self, bases: Bases, place: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return exact scores of some sites, summed from the first base on the forward strand."""
        total = np.zeros(len(place))
        for offset in range(self.width):
            total += self.exact[row, offset, bases.codes[place + offset]]
        return total


def sums_of_words(columns: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what every word adds, `[rows, 4 ** n]`, of columns `[rows, n, 4]`; the first base is the highest digit."""
    half = columns.shape[1] // 2
    first, second = (_sums(part).astype(np.float32) for part in (columns[:, :half], columns[:, half:]))
    return (first[:, :, None] + second[:, None, :]).reshape(len(columns), -1)


def _sums(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros((len(columns), 1))
    for column in columns.transpose(1, 0, 2):
        total = (total[:, :, None] + column[:, None, :]).reshape(len(columns), -1)
    return total


class Finder:
    """Matrices with the words that a site of at least a threshold can hold, a threshold a matrix."""

    def __init__(self, matrices: Matrices, thresholds: Sequence[float]):
        self.matrices = matrices
        self.least = np.repeat(np.asarray(thresholds, np.float64), 2)
        lowest = (self.least - NEAR)[:, None]
        self.bounds = (lowest - matrices.more).astype(np.float32)
        words, rows, scores = [], [], []
        for start in range(0, len(self.least), ROWS_AT_ONCE):
            own = np.arange(start, min(start + ROWS_AT_ONCE, len(self.least)))
            places = matrices.first[own, None] + np.arange(LONG)
            table = sums_of_words(matrices.exact[own[:, None], places, :4])
            reached = table >= self.bounds[own, :1]
            found = np.flatnonzero(reached)
            row, word = np.divmod(found, 4**LONG)
            words.append(word.astype(np.uint16))
            rows.append((row + start).astype(np.int32))
            scores.append(table.ravel()[found])
        word = np.concatenate(words) if words else np.zeros(0, np.uint16)
        order = np.argsort(word, kind="stable")
        self.rows = np.concatenate(rows)[order] if rows else np.zeros(0, np.int32)
        self.scores = np.concatenate(scores)[order] if rows else np.zeros(0, np.float32)
        self.count = np.bincount(word, minlength=4**LONG)
        self.start = np.cumsum(self.count) - self.count

    def sites(self, bases: Bases) -> Iterator[Places]:
        """Yield all sites whose score in float32 comes near or above the threshold of their row."""
        words = bases.words[: bases.length]
        count = self.count[words]
        reached = np.cumsum(count)
        first = 0
        while first < bases.length:
            done = reached[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(reached, done + CANDIDATES_AT_ONCE, "right")))
            yield self._part(bases, first, last, count[first:last])
            first = last

    def _part(self, bases: Bases, first: int, last: int, count: NDArray[np.int64]) -> Places:
        """Return the sites whose telling word begins at some places."""
        before = np.cumsum(count) - count
        shift = self.start[bases.words[first:last]] - before
        entry = np.arange(int(count.sum())) + np.repeat(shift, count)
        row, score = self.rows[entry], self.scores[entry]
        place = np.repeat(np.arange(first, last), count) - self.matrices.first[row]
        own = np.flatnonzero((place >= 0) & (bases.known[np.maximum(place, 0)] >= self.matrices.widths[row]))
        row, score, place = row[own], score[own], place[own]
        for part, table in enumerate(self.matrices.tables):
            word = bases.short[place + self.matrices.offset[row, part]]
            score = score + table.ravel()[row.astype(np.int64) << (2 * SHORT) | word]
            own = np.flatnonzero(score >= self.bounds[row, part + 1])
            row, score, place = row[own], score[own], place[own]
        return Places(place, row.astype(np.int64), score)

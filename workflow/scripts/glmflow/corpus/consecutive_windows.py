"""Windows of a corpus that follow one another in their record, for models whose state is carried from window to window."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .corpus_store import Corpus
from .corpus_windows import CorpusWindows, on_strand

FEWEST = 16
"""Bases of the last window of a stretch; fewer are left out: they would be a row of their own with next to nothing to learn."""


class PlacedWindow(NamedTuple):
    """A window of a stretch, `start` to `end` of a row of the corpus, read off the other strand if `turned`.

    `first` windows begin a stretch: nothing was read before them. The base that follows a window in its stretch is part of it,
    to be asked of the model and not to be read.
    """

    row: int
    start: int
    end: int
    turned: bool
    first: bool


class ConsecutiveWindows:
    """Stretches of a split of a corpus, cut into windows that follow one another.

    Bases are seen as often as the weights of their sequences say, whatever the lengths of these.

    Parameters
    ----------
    length
        Bases of a window.
    carried
        Bases of a stretch, a multiple of `length`: less where a sequence ends.
    both_strands
        Whether half of the stretches are read off the other strand.
    short
        Length from which on sequences that are shorter than a window are read too; None: they are not.

    Raises
    ------
    InputError
        No sequence of the split is long enough.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        length: int,
        carried: int,
        both_strands: bool = True,
        short: int | None = None,
    ):
        self.stretches = CorpusWindows(corpus, split, carried, both_strands, min(length, short or length))
        self.corpus, self.length, self.period = corpus, length, carried // length
        weights = corpus.table.loc[self.stretches.rows, "weight"].to_numpy(float) / self.stretches.sizes
        self.stretches.cumulative = np.cumsum(weights / weights.sum())

    def drawn(self, generator: np.random.Generator) -> list[PlacedWindow]:
        """Draw as many windows as a stretch of full length has: those of one, or of several that are shorter."""
        found: list[PlacedWindow] = []
        while len(found) < self.period:
            row, start, codes = self.stretches.place(generator, (self.period - len(found)) * self.length)
            turned = self.stretches.both_strands and bool(generator.random() < 0.5)
            found += self._cut(row, start, len(codes), turned)
        return found

    def _cut(self, row: int, start: int, size: int, turned: bool) -> list[PlacedWindow]:
        found = []
        for left in range(0, size, self.length):
            if left and size - left < FEWEST:
                break
            right = min(left + self.length + 1, size)
            places = (size - right, size - left) if turned else (left, right)
            found.append(PlacedWindow(row, start + places[0], start + places[1], turned, left == 0))
        return found

    def read(self, window: PlacedWindow) -> dict[str, Any]:
        """Return the `sequence` of a window, with the base that follows it, and which bases are in `lower` case."""
        letters, lower = on_strand(self.corpus.codes(window.row, window.start, window.end), window.turned)
        return {"sequence": letters.tobytes().decode("ascii"), "lower": lower}

    def describe(self, window: PlacedWindow) -> str:
        """Return a window in words."""
        strand = "-" if window.turned else "+"
        return f"{self.corpus.table.loc[window.row, 'sequence']}:{window.start}-{window.end}({strand})"

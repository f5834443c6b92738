"""Short words of a hazard in the hazard's order: copies in which every dozenth base is inserted, lost or changed.

Such a copy has no long word of the hazard. Its short words are everyone's, one by one, but hardly many of them in one order:
all within a few dozen bases of one diagonal (place in the hazard less place in the sequence).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.dna.kmer_tables import kmer_index
from glmflow.genome.canonical import as_bases, opposite_strand

SHORTEST, LONGEST = 8, 11
"""Bases of the words: the longer the list, the longer, or it holds all of them."""
STRETCH = 1 << 14
"""Bases that are compared at a time, which bounds the memory."""


class Span(NamedTuple):
    """Where words count together: bases of the window, of them that must lie in words, and by how much a copy may shift."""

    bases: int
    least: int
    shift: int


SPANS = (Span(50, 38, 8), Span(200, 60, 32))
"""An insertion every eight bases shifts a copy by an eighth of the window."""


class Found(NamedTuple):
    """A window, 0-based half-open on the forward strand: bases of it that lie in words, and the number of the hazard."""

    start: int
    end: int
    covered: int
    hazard: int


class ShortWords:
    """Where the short words of hazards stand.

    Parameters
    ----------
    hazards
        Bases, as text; of none (a protein) nothing is found.
    """

    def __init__(self, hazards: Sequence[str]):
        self.length = word_length(sum(map(len, hazards)))
        apart = "N" * max(span.bases for span in SPANS)
        self.starts = np.cumsum([0, *(len(bases) + len(apart) for bases in hazards)])
        index = kmer_index(as_bases("".join(bases + apart for bases in hazards)), self.length)
        self.total = len(index)
        places = np.flatnonzero(index >= 0)
        self._places = places[np.argsort(index[places], kind="stable")]
        counts = np.bincount(index[places], minlength=4**self.length)
        self._first = np.append(0, np.cumsum(counts))

    def best(self, sequence: NDArray[np.uint8], span: Span) -> Found | None:
        """Return the window in which most bases lie in words of one hazard in its order; None where too few do.

        Bases of the hazard must be as many: a run of one letter is no copy of a hazard that has a shorter one.

        Parameters
        ----------
        sequence
            ASCII codes in upper case, ``uint8[L]``.
        """
        best: Found | None = None
        for start in range(0, len(sequence), STRETCH):
            piece = sequence[start : start + STRETCH + span.bases]
            for found in self._of_strands(piece, span):
                if found.covered >= span.least and (best is None or found.covered > best.covered):
                    best = found._replace(start=start + found.start, end=start + found.end)
        return best

    def _of_strands(self, piece: NDArray[np.uint8], span: Span) -> Iterator[Found]:
        """Yield the best windows of each strand, one for each way to lay bands over the diagonals."""
        for opposite in (False, True):
            places, there = self._matches(opposite_strand(piece) if opposite else piece)
            # Bands are two shifts wide and laid twice, half a band apart, so that any one shift lies within a band.
            for offset in (0, span.shift) if len(places) else ():
                start, covered, hazard = self._densest(places, there, len(piece), span, offset)
                end = min(start + span.bases, len(piece))
                if opposite:
                    start, end = len(piece) - end, len(piece) - start
                yield Found(start, end, covered, hazard)

    def _matches(self, piece: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each place of a piece with each place of the hazards that has the same word."""
        index = kmer_index(piece, self.length)
        places = np.flatnonzero(index >= 0)
        first = self._first[index[places]]
        times = self._first[index[places] + 1] - first
        before = np.cumsum(times) - times
        rank = np.arange(times.sum()) - np.repeat(before, times)
        return np.repeat(places, times), self._places[np.repeat(first, times) + rank]

    def _densest(
        self, places: NDArray[np.int64], there: NDArray[np.int64], length: int, span: Span, offset: int
    ) -> tuple[int, int, int]:
        """Return start, covered bases and hazard of the window that begins with a word and has most bases in words."""
        width = 2 * span.shift
        lowest = length + offset  # so that no diagonal is negative
        band = (there - places + lowest) // width
        step = self.total + 2 * length + 2 * span.bases + width  # more than any place: bands do not touch
        here, in_hazard = np.unique(band * step + places), np.unique(band * step + there)
        band, start = here // step, here % step
        own = _covered(here, here, here + span.bases - self.length + 1, self.length)
        # Places of the hazard that the band has for the window's bases.
        first = band * width - lowest + start
        last = first + span.bases + width
        theirs = _covered(in_hazard, band * step + np.maximum(first, 0), band * step + np.maximum(last, 0), self.length)
        covered = np.minimum(own, theirs)
        best = int(covered.argmax())
        middle = int(first[best]) + width // 2
        hazard = np.searchsorted(self.starts, middle, side="right") - 1
        return int(start[best]), int(covered[best]), int(np.clip(hazard, 0, len(self.starts) - 2))


def word_length(bases: int) -> int:
    """Return how long words are: the shortest of which there are more than the list has bases, from 8 to 11."""
    return next((length for length in range(SHORTEST, LONGEST) if 4**length >= bases), LONGEST)


def _covered(
    words: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64], length: int
) -> NDArray[np.int64]:
    """Return how many bases lie in the words that start from `first` on and before `last`; words are sorted starts."""
    new = np.minimum(np.append(np.diff(words), length), length)  # bases of each word before the next begins
    before = np.append(0, np.cumsum(new))
    return before[np.searchsorted(words, last)] - before[np.searchsorted(words, first)]

"""How often each base follows each context, for contexts of all lengths up to one at once.

Every place of the sequences is one number: the bases before it, the nearest first, and the base itself. Sorted, the places
that share a context of any length lie together, so that one array answers for every length, without a table of 4^k.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

LONGEST = 31
"""Bases of the longest context: two bits each, and the base that follows, in 64 bits."""

SHORT = 11
"""Longest contexts that are looked up in a table (of 4^11 places, 34 MB); longer ones are searched for."""

NEIGHBOURS = 16
"""Places that a stretch is widened by one by one; wider ones are searched for."""

Codes = NDArray[np.uint8]
"""Bases as 0 to 3 for A, C, G and T; anything above is no base."""


def known_before(codes: Codes, most: int) -> NDArray[np.int64]:
    """Return how many bases stand before each place without a gap, at most `most`, `[L]`."""
    places = np.arange(len(codes))
    unknown = np.where(codes > 3, places, -1)
    last = np.maximum.accumulate(np.append(-1, unknown))[:-1]
    return np.minimum(places - last - 1, most)


def contexts(codes: Codes, length: int) -> NDArray[np.uint64]:
    """Return the `length` bases before each place as a number, the nearest in its highest digits, `[L]`; others read as A."""
    found = np.zeros(len(codes), np.uint64)
    bases = np.where(codes > 3, 0, codes).astype(np.uint64)
    for distance in range(1, min(length, len(codes) - 1) + 1):
        found[distance:] |= bases[:-distance] << np.uint64(2 * (length - distance))
    return found


def other_strand(codes: Codes) -> Codes:
    """Return the reverse complement of codes; what is no base stays what it is."""
    return np.where(codes > 3, codes, 3 - codes)[::-1]


def shared_bases(first: NDArray[np.uint64], second: NDArray[np.uint64], length: int) -> NDArray[np.uint8]:
    """Return how many of their nearest bases contexts of `length` bases have in common, `[n]`."""
    differ = first ^ second
    differ &= ~(differ >> np.uint64(1))  # no two bits in a row: a float has the same highest bit, whatever it rounds
    bits = np.frexp(differ.astype(np.float64))[1]
    return (length - (bits + 1) // 2).astype(np.uint8)


class ContextCounts:
    """Counts of the bases that follow contexts.

    Parameters
    ----------
    sequences
        Codes ``uint8[L]`` each. Places whose `longest` bases before them are not all known are not counted.
    longest
        Bases of the longest context.
    both_strands
        Count the reverse complements too.
    """

    def __init__(self, sequences: Iterable[Codes], longest: int, both_strands: bool = True):
        if not 0 <= longest <= LONGEST:
            raise ValueError(f"contexts of {longest} bases: at most {LONGEST}")
        self.longest = longest
        parts = []
        for codes in sequences:
            for strand in (codes, other_strand(codes)) if both_strands else (codes,):
                kept = (known_before(strand, longest) == longest) & (strand < 4)
                parts.append(((contexts(strand, longest) << np.uint64(2)) | strand)[kept])
        places = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        places.sort()
        follows = (places & np.uint64(3)).astype(np.uint8)
        self._contexts = places >> np.uint64(2)
        # Where the contexts begin whose nearest bases are each of 4^k: short ones are looked up, not searched.
        self._short = min(SHORT, longest)
        edges = np.arange(4**self._short, dtype=np.uint64) << np.uint64(2 * (longest - self._short))
        self._starts = np.append(np.searchsorted(self._contexts, edges), len(places)).astype(np.int64)
        self._before = np.zeros((4, len(places) + 1), np.int64 if len(places) >= 2**31 else np.int32)
        for base in range(4):
            np.cumsum(follows == base, out=self._before[base, 1:])

        # How many bases each place shares with the one before it; none at both ends.
        self._shared = np.zeros(len(places) + 1, np.uint8)
        if len(places):
            self._shared[1:-1] = shared_bases(self._contexts[1:], self._contexts[:-1], longest)

    def __len__(self) -> int:
        """Return the number of places that were counted."""
        return len(self._contexts)

    def following(self, sorted_contexts: NDArray[np.uint64], order: int) -> NDArray[np.int64]:
        """Return how often each base followed the nearest `order` bases of contexts, ``[4, n]``.

        `sorted_contexts` are those of `contexts` with this object's `longest`; in ascending order the search is fast.
        """
        start, end = self._stretch(sorted_contexts, order)
        return (self._before[:, end] - self._before[:, start]).astype(np.int64)

    def own(
        self, sorted_contexts: NDArray[np.uint64], bases: NDArray[np.uint8], orders: Iterable[int]
    ) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
        """Yield, the longest order first, how often one base each followed the nearest bases of contexts, and how often any did.

        Order, and ``[n]`` both. `sorted_contexts` are in ascending order. They are searched for once: what shares fewer bases
        lies on either side of what shares more.
        """
        asked, orders = sorted_contexts, sorted(orders, reverse=True)
        tables = [order for order in orders if order <= self._short]
        if len(tables) < len(orders):
            place = np.searchsorted(self._contexts, asked)
            below = self._beside(asked, place - 1)
            above = self._beside(asked, place)
            start, end = place.copy(), place.copy()
        for order in orders[: len(orders) - len(tables)]:
            self._widen(start, place - 1, below, order, asked, down=True)
            self._widen(end, place + 1, above, order, asked, down=False)
            yield order, self._before[bases, end] - self._before[bases, start], end - start
        for order in tables:
            start, end = self._stretch(asked, order)
            yield order, self._before[bases, end] - self._before[bases, start], end - start

    def _beside(self, asked: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return how many bases contexts share with those at some places; none with what lies beyond the ends."""
        inside = (places >= 0) & (places < len(self))
        found = shared_bases(asked, self._contexts[np.where(inside, places, 0)], self.longest) if len(self) else 0
        return np.where(inside, found, 0).astype(np.uint8)

    def _widen(
        self,
        edge: NDArray[np.int64],
        first: NDArray[np.int64],
        shared: NDArray[np.uint8],
        order: int,
        asked: NDArray[np.uint64],
        down: bool,
    ) -> None:
        """Move one edge of the stretches of a longer order to where those of `order` bases begin, or end.

        `first` is where an edge lies after one step, and `shared` how many bases a context shares with the place that this step
        takes in.
        """
        own = np.flatnonzero(shared >= order)
        edge[own] = (np.minimum if down else np.maximum)(edge[own], first[own])
        for _ in range(NEIGHBOURS):
            own = own[self._shared[edge[own]] >= order]
            if not len(own):
                return
            edge[own] += -1 if down else 1
        shift = np.uint64(2 * (self.longest - order))
        begins = (asked[own] >> shift) << shift
        last = begins + ((np.uint64(1) << shift) - np.uint64(1))
        edge[own] = np.searchsorted(self._contexts, begins if down else last, side="left" if down else "right")

    def _stretch(self, sorted_contexts: NDArray[np.uint64], order: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the places of contexts begin and end among all that are sorted."""
        shift = np.uint64(2 * (self.longest - order))
        if order <= self._short:
            wide = 2 * (self._short - order)
            place = (sorted_contexts >> shift).astype(np.int64) << wide
            return self._starts[place], self._starts[place + (1 << wide)]
        first = (sorted_contexts >> shift) << shift
        start = np.searchsorted(self._contexts, first)
        last = first + ((np.uint64(1) << shift) - np.uint64(1))
        return start, np.searchsorted(self._contexts, last, side="right")

"""Test rows that are other rows with letters exchanged: all A and G, C and T, or A and C, G and T."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.genome.canonical import mixed
from glmflow.genome.packed import Packed

ENDS = 32
"""Bases at both ends by which candidates are found; whole sequences are compared after that."""
AT_ONCE = 1 << 16
"""Rows whose ends are looked at at a time."""
CHANGED = 0.2
"""Share of the bases that differ: a variant of a sequence, which has a few transitions, is a near copy."""
K, DISTINCT = 12, 32
"""Stretches of the two kinds of letters, and how many distinct ones a row needs: one that repeats a few of them is like others by
chance. A row of 64 random bases has 53 or nearly as many."""


def exchanged(packed: Packed, split: NDArray) -> NDArray[np.int64]:
    """Return the test rows that are training or validation rows, on either strand, but for an exchange of letters.

    Rows are the same where purines (A, G), or amino letters (A, C), are not told apart and a fifth of the bases differ. Rows
    of fewer than 64 bases are not compared, nor those of low complexity, with fewer than 32 distinct stretches of 12 such letters.
    """
    long = packed.lengths >= 2 * ENDS
    test, seen = (
        np.flatnonzero((split == "test") & long),
        np.flatnonzero(np.isin(split, ("train", "validation")) & long),
    )
    if not len(test) or not len(seen):
        return np.zeros(0, np.int64)
    found: set[int] = set()
    for letters in (b"AG", b"AC"):
        one = np.zeros(256, bool)
        one[list(letters)] = True
        known = _keys(packed, seen, one, False)
        order = np.argsort(known, kind="stable")
        known = known[order]
        for turned in (False, True):
            key = _keys(packed, test, one, turned)
            first = np.minimum(np.searchsorted(known, key), len(known) - 1)
            for place in np.flatnonzero(known[first] == key).tolist():
                if _same(packed, int(test[place]), int(seen[order[first[place]]]), one, turned):
                    found.add(int(test[place]))
    return np.array(sorted(found), np.int64)


def _keys(packed: Packed, rows: NDArray[np.int64], one: NDArray[np.bool_], turned: bool) -> NDArray[np.uint64]:
    """Return a number of the ends and the length of each row, `[rows]`; of its opposite strand, where both kinds change places."""
    places = np.arange(ENDS)
    keys = np.empty(len(rows), np.uint64)
    for first in range(0, len(rows), AT_ONCE):  # a few at a time: this takes a thousand bytes a row
        part = rows[first : first + AT_ONCE]
        start, stop = packed.offsets[part, None], packed.offsets[part + 1, None]
        bits = one[packed.codes[np.concatenate([start + places, stop - ENDS + places], axis=1)]]
        ends = np.packbits(~bits[:, ::-1] if turned else bits, axis=1).view(np.uint64)[:, 0]
        keys[first : first + AT_ONCE] = ends ^ mixed(packed.lengths[part].astype(np.uint64), 64)
    return keys


def _same(packed: Packed, row: int, other: int, one: NDArray[np.bool_], turned: bool) -> bool:
    own, theirs = packed.one(row), packed.one(other)
    if len(own) != len(theirs):
        return False
    own = reverse_complement(own) if turned else own
    kinds = one[own]
    return bool((kinds == one[theirs]).all() and (own != theirs).mean() > CHANGED and _distinct(kinds) >= DISTINCT)


def _distinct(kinds: NDArray[np.bool_]) -> int:
    """Return how many distinct stretches of 12 there are in a row of two kinds of letters, `[L]`."""
    number = sum(kinds[place : len(kinds) - K + 1 + place].astype(np.int64) << place for place in range(K))
    return len(np.unique(number))

"""Test rows that are other rows with letters exchanged: all A and G, C and T, or A and C, G and T."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.genome.packed import Packed

ENDS = 32
"""Bases at both ends by which candidates are found; whole sequences are compared after that."""
CHANGED = 0.2
"""Share of the bases that differ: a variant of a sequence, which has a few transitions, is a near copy."""


def exchanged(packed: Packed, split: NDArray) -> NDArray[np.int64]:
    """Return the test rows that are training or validation rows, on either strand, but for an exchange of letters.

    Rows are the same where purines (A, G), or amino letters (A, C), are not told apart and a fifth of the bases differ. Rows
    of fewer than 64 bases are not compared.
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
        known = {key: row for row, key in zip(seen[::-1].tolist(), _keys(packed, seen[::-1], one, False))}
        for turned in (False, True):
            for row, key in zip(test.tolist(), _keys(packed, test, one, turned)):
                other = known.get(key)
                if other is not None and _same(packed, row, other, one, turned):
                    found.add(row)
    return np.array(sorted(found), np.int64)


def _keys(packed: Packed, rows: NDArray[np.int64], one: NDArray[np.bool_], turned: bool) -> list[bytes]:
    """Return the ends and the length of each row as bytes; of its opposite strand, where the two kinds change places."""
    places = np.arange(ENDS)
    start, stop = packed.offsets[rows, None], packed.offsets[rows + 1, None]
    bits = one[packed.codes[np.concatenate([start + places, stop - ENDS + places], axis=1)]]
    bits = np.packbits(~bits[:, ::-1] if turned else bits, axis=1)
    whole = np.concatenate([bits, packed.lengths[rows].astype("<u4")[:, None].view(np.uint8)], axis=1)
    return [key.tobytes() for key in whole]


def _same(packed: Packed, row: int, other: int, one: NDArray[np.bool_], turned: bool) -> bool:
    own, theirs = packed.one(row), packed.one(other)
    own = reverse_complement(own) if turned else own
    return bool((one[own] == one[theirs]).all() and (own != theirs).mean() > CHANGED)

"""Bases as ASCII codes (`uint8`): the other strand of a sequence, and one that is moved along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _complements() -> NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    pairs = b"ACGTacgt", b"TGCAtgca"
    table[list(pairs[0])] = list(pairs[1])
    return table


COMPLEMENT = _complements()
"""The complement of each code; letters other than A, C, G and T stay as they are."""


def reverse_complement(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the reverse complement of codes `[L]`; letters other than A, C, G and T stay as they are."""
    return COMPLEMENT[codes][::-1]


def shifted(sequences: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    """Move sequences `[..., L]` to the right by `by` bases (to the left where negative); N takes their place."""
    moved = np.roll(sequences, by, axis=-1)
    if by > 0:
        moved[..., :by] = ord("N")
    elif by < 0:
        moved[..., by:] = ord("N")
    return moved


def other_strand(sequence: str) -> str:
    """Return the reverse complement of a sequence as text."""
    return reverse_complement(np.frombuffer(sequence.encode("ascii"), np.uint8)).tobytes().decode("ascii")

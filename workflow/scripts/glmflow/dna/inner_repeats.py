"""Bases of a sequence that repeat what stands before them in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmflow.bases import other_strand

LEAST = 50
"""Bases of a repeat."""


def repeated_bases(sequence: str, least: int = LEAST) -> NDArray[np.bool_]:
    """Return which bases lie in a word of `least` bases that begins earlier in the sequence too, on either strand, ``bool[L]``.

    Words with letters other than A, C, G and T repeat nothing.
    """
    found, seen, opposite = np.zeros(len(sequence), bool), set(), other_strand(sequence)
    unknown = np.concatenate([[0], np.cumsum([letter not in "ACGT" for letter in sequence])])
    for start in range(len(sequence) - least + 1):
        end = start + least
        if unknown[end] > unknown[start]:
            continue
        word = sequence[start:end]
        if word in seen or opposite[len(sequence) - end : len(sequence) - start] in seen:
            found[start:end] = True
        seen.add(word)
    return found

"""Windows of low complexity by the DUST score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.canonical import Sequence

from .kmer_tables import coded, index_of_codes

WINDOW = 64
LOW = 2.0
"""Score above which a window is of low complexity: 20 as dustmasker counts it, in tenths."""


def low_windows(sequence: Sequence) -> tuple[int, int]:
    """Return how many consecutive windows of 64 bases are of low complexity, and how many there are.

    The score of a window is the sum over triplets of `c (c - 1) / 2`, divided by the number of triplets less one (Morgulis et
    al. 2006). Windows with letters other than A, C, G and T are left out; a sequence of fewer than 64 bases has none.
    """
    low, known = _low_windows(coded(sequence))
    return int((low & known).sum()), int(known.sum())


def low_bases(sequence: Sequence) -> NDArray[np.bool_]:
    """Return which bases lie in a window of low complexity, ``bool[L]``, of windows of 64 bases at every 32nd."""
    codes = coded(sequence)
    found = np.zeros(len(codes), bool)
    for start in (0, WINDOW // 2):
        low, known = _low_windows(codes[start:])
        own = np.repeat(low & known, WINDOW)
        found[start : start + len(own)] |= own
    return found


def _low_windows(codes: NDArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which consecutive windows are of low complexity, and which have known bases alone, ``bool[n]``."""
    count = len(codes) // WINDOW
    windows = codes[: count * WINDOW].reshape(count, WINDOW)
    known = (windows >= 0).all(1)
    low = np.zeros(count, bool)
    if known.any():
        own = windows[known]
        triplets = index_of_codes(own.reshape(-1), 3).reshape(-1, WINDOW)[:, : WINDOW - 2]
        rows = np.repeat(np.arange(len(own)), WINDOW - 2)
        times = np.bincount(64 * rows + triplets.ravel(), minlength=64 * len(own)).reshape(-1, 64)
        low[known] = (times * (times - 1) / 2).sum(1) / (WINDOW - 3) > LOW
    return low, known

"""Windows of low complexity by the DUST score."""

from __future__ import annotations

import numpy as np

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
    codes = coded(sequence)
    count = len(codes) // WINDOW
    if not count:
        return 0, 0
    windows = codes[: count * WINDOW].reshape(count, WINDOW)
    windows = windows[(windows >= 0).all(1)]
    triplets = index_of_codes(windows.reshape(-1), 3).reshape(-1, WINDOW)[:, : WINDOW - 2]
    rows = np.repeat(np.arange(len(windows)), WINDOW - 2)
    times = np.bincount(64 * rows + triplets.ravel(), minlength=64 * len(windows)).reshape(-1, 64)
    score = (times * (times - 1) / 2).sum(1) / (WINDOW - 3)
    return int((score > LOW).sum()), len(windows)

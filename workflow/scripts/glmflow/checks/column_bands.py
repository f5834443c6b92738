"""Which columns of a matrix have nearly one ratio at many genes: copies of a part of the genes, with a few percent of noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .column_correlations import log_amounts
from .column_ratios import LARGEST_LOG, MOST_GENES

FEWEST = 100.0
"""Genes that both columns have a value of at least, by which a share counts."""
BAND = 0.05
"""Half of the width of a band of ratios' logarithms that a copied gene stays in with a few percent of noise."""
MOST_BANDS = 200
MORE = 0.15
"""Share of the genes in the fullest such band, beyond that of every other pair of both samples, from which on these are copied."""


def nearly_same_ratios(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which samples have nearly one ratio at many more genes than any other two of which one is among both.

    A sample that was copied at some genes, with a few percent of noise, is as far from the other at the rest as any is.
    """
    rows = np.random.default_rng(0).permutation(len(table))[: 3 * MOST_GENES]
    logs = log_amounts(table[rows])
    if (table < 0).any() or np.nanmax(table) <= LARGEST_LOG:  # logarithms, or centred: differences
        logs = table[rows]
    count, steps = logs.shape[1], 2 * MOST_BANDS + 1
    fullest = np.zeros((count, count))
    known = np.isfinite(logs) & (table[rows] != 0)
    for a in range(count - 1):
        both = known[:, a, None] & known[:, a + 1 :]
        apart = np.where(both, logs[:, a, None] - logs[:, a + 1 :], 0.0)
        step = np.clip(np.floor(apart / BAND), -MOST_BANDS, MOST_BANDS).astype(int) + MOST_BANDS
        pairs = step.shape[1]
        filled = np.bincount((step + steps * np.arange(pairs))[both], minlength=steps * pairs).reshape(pairs, steps)
        most = (filled[:, 1:] + filled[:, :-1]).max(axis=1)
        fullest[a, a + 1 :] = fullest[a + 1 :, a] = most / np.maximum(both.sum(axis=0), FEWEST)
    best, second = (np.sort(fullest, axis=1)[:, -n] if count > 2 else np.ones(count) for n in (1, 2))
    lead = (fullest == best[:, None]) & (fullest - second[:, None] >= MORE)
    return lead & lead.T

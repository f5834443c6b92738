"""Which columns of a matrix have one ratio, or one difference, at many genes: copies of a part of the genes, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAME_RATIO = 0.1
"""Share of the genes with one ratio (or difference) between two samples from which on these are copied."""
USUAL, TIMES = 0.95, 3.0
"""Of all pairs, the quantile of that share that a copy exceeds this many times."""
CLOSE = 1e-4
TELLING = 100
"""Units of its last decimal below which a value may be alike by chance."""
OFTEN = 1e-3
"""Share of a matrix's entries that a value is at most where it is not alike by chance."""
LARGEST_LOG = 30.0  # log2 of a billion
ENOUGH = 10
MOST_GENES = 300
"""Genes, drawn, by which equal ratios are looked for."""


def same_ratios(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which samples have one ratio, or one difference, of their values at a tenth of the genes or more."""
    found = np.zeros((table.shape[1],) * 2, bool)
    told = _telling(table)[np.random.default_rng(0).permutation(len(table))[:MOST_GENES]]
    told = told[np.isfinite(told).sum(axis=1) > 1]
    if len(told) < ENOUGH:
        return found
    with np.errstate(all="ignore"):
        logs = np.log(np.where(told > 0, told, np.nan))
        middle = np.nanmedian(told, axis=1, keepdims=True)
        spread = float(np.nanmedian(np.abs(told - middle)))  # of no outlier, nor of samples in another unit
    shares = [_of_one_difference(logs, CLOSE), _of_one_difference(told, CLOSE * spread)]
    # Of few reads, two samples have one number of them at many genes, and so one ratio: then nearly all pairs have.
    amounts = [logs]
    if told[np.isfinite(told)].min(initial=0) >= 0 and np.nanmax(table) <= LARGEST_LOG:
        with np.errstate(all="ignore"):
            amounts += [np.log(np.expm1(told)), np.log(np.exp2(told) - 1)]
    pairs = np.triu_indices(len(found), 1)
    known = [shares[0], *(_of_one_difference(one, CLOSE) for one in amounts[1:])]
    usual = max(float(np.quantile(share[pairs], USUAL)) for share in known)
    return np.maximum(*shares) >= max(SAME_RATIO, TIMES * usual)


def _of_one_difference(values: NDArray[np.float64], close: float) -> NDArray[np.float64]:
    """Return the largest share of the genes at which two samples differ by the same, `[samples, samples]`; 0 of too few."""
    share = np.zeros((values.shape[1],) * 2)
    for a in range(values.shape[1] - 1):
        ordered = np.sort(values[:, a, None] - values[:, a + 1 :], axis=0)  # NaN last
        known = np.isfinite(ordered).sum(axis=0)
        for b in np.flatnonzero(known >= ENOUGH):
            own = ordered[: known[b], b]
            most = int((np.searchsorted(own, own + close, side="right") - np.arange(len(own))).max())
            share[a, a + 1 + b] = most / len(own) if most >= ENOUGH else 0.0
    return share


def _telling(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values of three digits or more, by the decimals that the matrix has; NaN for those alike by chance."""
    known = np.isfinite(table)
    shown = np.where(known, table, 0.0)
    decimals = next((d for d in range(6) if np.allclose(shown * 10**d, np.round(shown * 10**d), rtol=0, atol=1e-6)), 9)
    _, place, counts = np.unique(shown, return_inverse=True, return_counts=True)
    rare = counts[place].reshape(shown.shape) <= max(ENOUGH, OFTEN * shown.size)  # logarithms of small counts are not
    # Of genes with as many reads one sample has one value: what it has more than once is a small number of these.
    ordered = np.sort(shown, axis=0)
    twice = [np.isin(column, own[1:][np.diff(own) == 0]) for column, own in zip(shown.T, ordered.T)]
    rare &= ~np.array(twice, bool).reshape(shown.shape[::-1]).T
    return np.where(known & rare & (np.abs(shown) * 10**decimals >= TELLING), table, np.nan)

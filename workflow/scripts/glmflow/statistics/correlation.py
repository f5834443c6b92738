"""Correlations of two samples that are held whole; constant samples score 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import moments


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Return Pearson's r; 0 where either sample is constant or has fewer than two values."""
    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(moments.pearson(moments.sums(x - x.mean(), y - y.mean())))


def pearson_columns(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Return Pearson's r of each pair of columns of `[n, k]` tables; 0 where either column is constant.

    A cell that is NaN in either table is missing from its column; columns with fewer than two values score 0.
    """
    x, y = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    x[~both] = y[~both] = np.nan
    n = np.maximum(both.sum(axis=0), 1)
    dx, dy = (np.where(both, table - np.where(both, table, 0).sum(axis=0) / n, 0) for table in (x, y))
    varies = (both.sum(axis=0) > 1) & ~constant_columns(x) & ~constant_columns(y)
    scale = np.sqrt((dx**2).sum(axis=0) * (dy**2).sum(axis=0))
    varies &= scale > 0
    return np.where(varies, np.clip((dx * dy).sum(axis=0) / np.where(varies, scale, 1), -1, 1), 0.0)


def constant_columns(x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which columns of a `[n, k]` table hold one value only; NaN is no value."""
    missing = np.isnan(x)
    return np.where(missing, -np.inf, x).max(axis=0) <= np.where(missing, np.inf, x).min(axis=0)


def log1p_pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Return Pearson's r of log(1 + x); negative values count as 0."""
    return pearson(np.log1p(np.clip(x, 0, None)), np.log1p(np.clip(y, 0, None)))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Return Spearman's rank correlation with average ranks for ties; 0 where either sample is constant."""
    from scipy.stats import rankdata  # takes a second to load, and each job that reads scores reads this file

    return pearson(rankdata(x), rankdata(y))

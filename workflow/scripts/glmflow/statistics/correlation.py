"""Correlations of two samples that are held whole; constant samples score 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from . import moments


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Return Pearson's r; 0 where either sample is constant or has fewer than two values."""
    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(moments.pearson(moments.sums(x - x.mean(), y - y.mean())))


def log1p_pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Return Pearson's r of log(1 + x); negative values count as 0."""
    return pearson(np.log1p(np.clip(x, 0, None)), np.log1p(np.clip(y, 0, None)))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Return Spearman's rank correlation with average ranks for ties; 0 where either sample is constant."""
    return pearson(rankdata(x), rankdata(y))

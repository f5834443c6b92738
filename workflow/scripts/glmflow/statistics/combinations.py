"""Columns of a table that are sums or means of others, and series that are others smoothed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz
from scipy.signal import fftconvolve

LEFT = 1e-3
"""Share of a column's variance, not explained by the others, below which it is made of them."""
WEIGHT = 0.05
"""Least weight, relative to the largest, of a column that another is made of."""
ROWS = 3
"""Rows for each column at least: of fewer, others explain anything."""
RIDGE = 1e-9


class Combination(NamedTuple):
    """A column (by number) and those that it is a weighted sum of, with their weights."""

    column: int
    parts: tuple[int, ...]
    weights: tuple[float, ...]


def combinations(table: NDArray[np.float64]) -> list[Combination]:
    """Return the columns of a table `[rows, columns]` that are weighted sums of two or more others, but for rounding.

    By the inverse of their correlations, whose diagonal is one over the share that the others leave (the variance inflation
    factor; Marquardt 1970, Technometrics 12:591). Of columns that make each other the one with positive weights is named.
    Columns that equal another one up to scale and constant columns have to be left out before.
    """
    spread = table.std(axis=0)
    left = np.flatnonzero(spread > 0)
    found: list[Combination] = []
    while 2 < len(left) <= len(table) / ROWS:
        own = (table[:, left] - table[:, left].mean(axis=0)) / spread[left]
        inverse = np.linalg.inv(own.T @ own / len(own) + RIDGE * np.eye(len(left)))
        share = 1 / np.diag(inverse)
        made = np.flatnonzero(share < LEFT)
        if not len(made):
            break
        # A sum has positive weights; its parts have its own and negative ones of each other.
        weights = -inverse[made] / np.diag(inverse)[made, None]
        weights[np.arange(len(made)), made] = 0
        one = int(np.argmax(weights.min(axis=1) / np.abs(weights).max(axis=1)))
        of = np.flatnonzero(np.abs(weights[one]) >= WEIGHT * np.abs(weights[one]).max())
        column = int(left[made[one]])
        scaled = weights[one][of] * spread[column] / spread[left[of]]
        if len(of) > 1:
            found.append(Combination(column, tuple(left[of].tolist()), tuple(scaled.tolist())))
        left = np.delete(left, made[one])
    return found


def left_by_filter(x: NDArray[np.float64], y: NDArray[np.float64], lags: int, judged: NDArray[np.bool_]) -> float:
    """Return which share of a series' variance is left by the best linear filter of another, such as a moving mean of it.

    Parameters
    ----------
    x, y
        Of the same length; what lies beyond the ends counts as 0.
    lags
        Reach of the filter to either side.
    judged
        Places at which the share is taken: those whose neighbours within reach are known.
    """
    total = float((y[judged] ** 2).sum())
    if not total or not x.any():
        return 1.0
    own = fftconvolve(x, x[::-1])[len(x) - 1 : len(x) + 2 * lags]
    both = fftconvolve(y, x[::-1])[len(x) - 1 - lags : len(x) + lags]
    own[0] *= 1 + RIDGE
    weights = solve_toeplitz(own, both)
    said = fftconvolve(x, weights)[lags : lags + len(y)]
    return float(((y - said)[judged] ** 2).sum() / total)

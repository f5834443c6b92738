"""Sums that add up: correlation and errors of many tiles without holding their values together.

A tile (a stretch of genome, a batch) is summed up as `n, Sx, Sy, Sxx, Syy, Sxy` in float64; sums of tiles are the sums
of their union, so that pooled scores, per-tile scores and bootstrap draws over tiles all come from one small table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

N, SX, SY, SXX, SYY, SXY = range(6)

Sums = NDArray[np.float64]


def sums(x: ArrayLike, y: ArrayLike) -> Sums:
    """Return `[6]` sums of two equally long samples, `x` observed and `y` predicted."""
    x = np.asarray(x, dtype=np.float64).ravel()
    y = np.asarray(y, dtype=np.float64).ravel()
    if x.shape != y.shape:
        raise ValueError(f"samples differ in length: {x.size} and {y.size}")
    return np.array([x.size, x.sum(), y.sum(), x @ x, y @ y, x @ y])


def pearson(total: Sums) -> NDArray[np.float64]:
    """Return Pearson's r of sums `[..., 6]`.

    A constant sample has no direction to agree with: its r is 0 here, never NaN, so that a model that predicts one
    value for everything is scored and not dropped.
    """
    n, sx, sy, sxx, syy, sxy = np.moveaxis(np.asarray(total, dtype=np.float64), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = sxy - sx * sy / n
        variance_x = _variance(sxx, sx, n)
        variance_y = _variance(syy, sy, n)
        r = covariance / np.sqrt(variance_x * variance_y)
    return np.where((variance_x > 0) & (variance_y > 0), np.clip(r, -1, 1), 0.0)


def _variance(square: NDArray, total: NDArray, n: NDArray) -> NDArray:
    """Return the sum of squared deviations, 0 where it is within rounding of none."""
    deviation = square - total * total / n
    return np.where(deviation > 1e-12 * np.maximum(square, np.finfo(float).tiny), deviation, 0.0)


def mse(total: Sums) -> NDArray[np.float64]:
    """Return the mean squared error of sums `[..., 6]`."""
    total = np.asarray(total)
    return (total[..., SXX] - 2 * total[..., SXY] + total[..., SYY]) / total[..., N]


def r2(total: Sums) -> NDArray[np.float64]:
    """Return 1 - squared error / squared deviation of the observed sample (0 where it is constant)."""
    total = np.asarray(total)
    deviation = _variance(total[..., SXX], total[..., SX], total[..., N])
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 1 - mse(total) * total[..., N] / deviation
    return np.where(deviation > 0, value, 0.0)

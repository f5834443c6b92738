"""Scores of predicted numbers, for many weightings of the rows at once (see `classification`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def value_scores(observed: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> dict[str, Array]:
    """Return all scores of one number a row, each `[draws]`.

    Parameters
    ----------
    observed, predicted
        `[rows]`.
    weights
        `[draws, rows]`, whole numbers: how often each row is drawn; by default once.

    Returns
    -------
    dict
        `r2` (1 - squared error / squared deviation from the mean of the rows), `pearson`, `spearman` (average ranks),
        `mse`, `mae`. Correlations of a constant are 0, never NaN; r2 of constant observations is 0.
    """
    y, p = np.asarray(observed, np.float64), np.asarray(predicted, np.float64)
    weights = np.ones((1, len(y))) if weights is None else np.asarray(weights, np.float64)
    errors = np.stack([(y - p) ** 2, np.abs(y - p)], axis=1)
    total = weights.sum(axis=1)
    squared, absolute = (weights @ errors).T
    deviation = _central(y - y.mean(), y - y.mean(), weights, total)
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.where(deviation > 0, 1 - squared / deviation, 0.0)
    return {
        "r2": r2,
        "pearson": _correlation(y - y.mean(), p - p.mean(), weights, total),
        "spearman": spearman(y, p, weights),
        "mse": squared / total,
        "mae": absolute / total,
    }


def spearman(observed: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Return Spearman's rank correlation in each draw, `[draws]`, with the ranks that the drawn rows have there."""
    y, p = np.asarray(observed, np.float64), np.asarray(predicted, np.float64)
    weights = np.ones((1, len(y))) if weights is None else np.asarray(weights, np.float64)
    total = weights.sum(axis=1)
    middle = (total[:, None] + 1) / 2
    a, b = (_ranks(values, weights) - middle for values in (y, p))
    product = (weights * a * b).sum(axis=1)
    scale = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    return np.where(scale > 1e-9, np.clip(product / np.where(scale > 0, scale, 1), -1, 1), 0.0)


def constant(predicted: ArrayLike) -> bool:
    """Return whether a model predicts one value for every row."""
    return bool(np.ptp(np.asarray(predicted, np.float64)) == 0)


def _ranks(values: Array, weights: Array) -> Array:
    """Return the average rank that each row has among the drawn ones, `[draws, rows]`."""
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    new = np.concatenate([[True], ascending[1:] != ascending[:-1]])
    starts, tie = np.flatnonzero(new), np.cumsum(new) - 1
    in_tie = np.add.reduceat(weights[:, order], starts, axis=1)
    rank = np.cumsum(in_tie, axis=1) - in_tie + (in_tie + 1) / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = rank[:, tie]
    return ranks


def _central(a: Array, b: Array, weights: Array, total: Array) -> Array:
    """Return the sum of products of deviations in each draw, 0 where it is within rounding of none."""
    product = weights @ (a * b)
    found = product - (weights @ a) * (weights @ b) / total
    return np.where(np.abs(found) > 1e-12 * np.maximum(np.abs(product), np.finfo(float).tiny), found, 0.0)


def _correlation(a: Array, b: Array, weights: Array, total: Array) -> Array:
    own, other = _central(a, a, weights, total), _central(b, b, weights, total)
    known = (own > 0) & (other > 0)
    scale = np.sqrt(np.where(known, own * other, 1))
    return np.where(known, np.clip(_central(a, b, weights, total) / scale, -1, 1), 0.0)

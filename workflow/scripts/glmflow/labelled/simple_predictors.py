"""Predictors that look at one trivial thing: what they reach, a model has not learned from the sequence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Predict = Callable[[NDArray], Array]
"""`features -> [n, classes]` probabilities, or `[n]` numbers."""


def shares(target: ArrayLike, classes: int | None) -> Array:
    """Return the share of each class among training rows, `[classes]`, or the mean of numbers, `[]`."""
    target = np.asarray(target)
    if classes is None:
        return np.asarray(target.mean(axis=0), np.float64)
    return np.bincount(target, minlength=classes) / len(target)


def majority(target: ArrayLike, classes: int | None) -> Predict:
    """Fit the shares of the training classes (or the training mean), whatever the features are."""
    value = shares(target, classes)
    return lambda features: np.tile(value, (len(features), *([1] * value.ndim)))


def by_quantile(feature: ArrayLike, target: ArrayLike, classes: int | None, bins: int) -> Predict:
    """Fit the shares (or the mean) of the training rows in each of `bins` quantile bins of one number.

    A value on an edge belongs to the bin below it; neighbouring bins of equal edges are one.
    """
    feature = np.asarray(feature, np.float64)
    edges = np.unique(np.quantile(feature, np.linspace(0, 1, bins + 1)[1:-1]))
    table = _by_place(np.searchsorted(edges, feature), np.asarray(target), classes, len(edges) + 1)
    return lambda features: table[np.searchsorted(edges, np.asarray(features, np.float64))]


def by_value(feature: ArrayLike, target: ArrayLike, classes: int | None) -> Predict:
    """Fit the shares (or the mean) of the training rows with each value of a whole number; a new value has all rows'."""
    values, place = np.unique(np.asarray(feature, np.int64), return_inverse=True)
    table = _by_place(place, np.asarray(target), classes, len(values) + 1)

    def predict(features: NDArray) -> Array:
        at = np.minimum(np.searchsorted(values, features), len(values) - 1)
        return table[np.where(values[at] == features, at, len(values))]

    return predict


def _by_place(place: NDArray, target: NDArray, classes: int | None, places: int) -> Array:
    """Return the shares (or the mean) at each place, `[places, ...]`; all rows together count as one more row of each."""
    overall = shares(target, classes)
    each = np.eye(classes)[target] if classes is not None else np.asarray(target, np.float64)
    total = np.zeros((places, *overall.shape))
    np.add.at(total, place, each)
    count = np.bincount(place, minlength=places).reshape(-1, *([1] * overall.ndim))
    return (total + overall) / (count + 1)


def logistic(
    features: NDArray,
    target: ArrayLike,
    classes: int,
    c: float = 1.0,
    scale: bool = True,
    seed: int = 0,
    start: NDArray | None = None,
) -> Predict:
    """Fit a logistic regression with an L2 penalty of strength 1 / c; features are divided by their largest value.

    All classes are predicted, those without a training row with probability 0. Of more than 50,000 rows SAGA fits.
    """
    from sklearn.linear_model import LogisticRegression

    target = np.asarray(target)
    largest = np.abs(features).max(axis=0) if scale else np.ones(features.shape[1])
    largest = np.where(largest > 0, largest, 1).astype(features.dtype)
    solver = "saga" if len(features) > 50_000 else "lbfgs"
    model = LogisticRegression(C=c, solver=solver, max_iter=200 if solver == "saga" else 1000, random_state=seed)
    present = np.unique(target)
    if len(present) == 1:
        return majority(target, classes)
    model.fit(features / largest, target)

    def predict(rows: NDArray) -> Array:
        found = np.zeros((len(rows), classes))
        found[:, model.classes_] = model.predict_proba(rows / largest)
        return found

    return predict


def ridge(features: NDArray, target: ArrayLike, alpha: float = 100.0) -> Predict:
    """Fit a ridge regression with penalty `alpha`; features are divided by their largest value."""
    from sklearn.linear_model import Ridge

    largest = np.abs(features).max(axis=0)
    largest = np.where(largest > 0, largest, 1).astype(features.dtype)
    model = Ridge(alpha=alpha).fit(features / largest, np.asarray(target, np.float64))
    return lambda rows: np.asarray(model.predict(rows / largest), np.float64)

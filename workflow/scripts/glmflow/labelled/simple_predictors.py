"""Predictors that look at one trivial thing: what they reach, a model has not learned from the sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve
from scipy.sparse import csr_array, diags_array, issparse

Array = NDArray[np.float64]
Features = Any
"""`[n, features]`, an array or a sparse one."""
ROWS = 1 << 16
"""Rows whose products are computed at a time."""
Predict = Callable[[NDArray], Array]
"""`features -> [n, classes]` probabilities, or `[n]` numbers."""


def sampled(rows: NDArray, most: int, generator: np.random.Generator) -> NDArray:
    """Return some rows as they are, or as many of them as are fitted to at most, drawn and in order."""
    return rows if len(rows) <= most else np.sort(generator.choice(rows, most, replace=False))


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
    features: Features,
    target: ArrayLike,
    classes: int,
    c: float = 1.0,
    scale: bool = True,
    seed: int = 0,
    start: NDArray | None = None,
) -> Predict:
    """Fit a logistic regression with an L2 penalty of strength 1 / c; features are divided by their largest value.

    All classes are predicted, those without a training row with probability 0. Of more than 50,000 rows of dense features SAGA
    fits.
    """
    from sklearn.linear_model import LogisticRegression

    target = np.asarray(target)
    largest = _largest(features) if scale else np.ones(features.shape[1], features.dtype)
    solver = "saga" if features.shape[0] > 50_000 and not issparse(features) else "lbfgs"
    model = LogisticRegression(C=c, solver=solver, max_iter=200 if solver == "saga" else 1000, random_state=seed)
    present = np.unique(target)
    if len(present) == 1:
        share = majority(target, classes)
        return lambda rows: share(np.empty(rows.shape[0]))
    model.fit(_divided(features, largest), target)

    def predict(rows: Features) -> Array:
        found = np.zeros((rows.shape[0], classes))
        found[:, model.classes_] = model.predict_proba(_divided(rows, largest))
        return found

    return predict


def ridge(features: Features, target: ArrayLike, alpha: float = 100.0) -> Predict:
    """Fit a ridge regression with penalty `alpha`; features are divided by their largest value."""
    return ridges(features, target, (alpha,))[0]


def ridges(features: Features, target: ArrayLike, alphas: Sequence[float]) -> list[Predict]:
    """Fit a ridge regression with each of several penalties: products of features are computed once for all of them.

    Normal equations of centred features, as scikit-learn's `Ridge` solves them; where there are more features than rows, those
    of the rows (the dual form).
    """
    largest, y = _largest(features), np.asarray(target, np.float64)
    count, middle = features.shape[0], y.mean(axis=0)
    dual = count < features.shape[1]
    parts = [slice(at, at + ROWS) for at in range(0, count, ROWS)]
    # In float64: of sequences that differ in few bases, centring takes almost all of the products away again.
    exact = lambda rows: _divided(features[rows], largest).astype(np.float64)  # noqa: E731
    centre = sum(np.asarray(exact(rows).sum(axis=0)).ravel() for rows in parts) / count
    if dual:
        x = exact(slice(None))
        dense = (x.toarray() if issparse(x) else x) - centre
        product, right = dense @ dense.T, y - middle
    else:
        product, right = np.zeros((len(centre), len(centre))), np.zeros((len(centre), *y.shape[1:]))
        for rows in parts:
            x = exact(rows)
            inner = x.T @ x
            product += inner.toarray() if issparse(inner) else inner
            right += x.T @ (y[rows] - middle)
        product -= count * np.outer(centre, centre)
    found = []
    for alpha in alphas:
        weights = _solved(product, alpha, right)
        found.append(_linear(dense.T @ weights if dual else weights, centre, middle, largest))
    return found


def _solved(product: Array, alpha: float, right: Array) -> Array:
    """Solve `(product + alpha) x = right`."""
    matrix = product.copy()
    matrix[np.diag_indices_from(matrix)] += alpha
    return solve(matrix, right, assume_a="pos", overwrite_a=True)


def _linear(weights: Array, centre: Array, middle: Array, largest: NDArray) -> Predict:
    """Return the function of a linear fit to divided and centred features."""
    constant = middle - centre @ weights
    return lambda rows: np.asarray(_divided(rows, largest) @ weights, np.float64) + constant


def _largest(features: Features) -> NDArray:
    """Return the largest value of each feature, 1 where it is 0."""
    largest = abs(features).max(axis=0)
    largest = largest.toarray().ravel() if issparse(largest) else largest
    return np.where(largest > 0, largest, 1).astype(features.dtype)


def _divided(features: Features, largest: NDArray) -> Features:
    """Return features divided by a number each."""
    return csr_array(features @ diags_array(1 / largest)) if issparse(features) else features / largest

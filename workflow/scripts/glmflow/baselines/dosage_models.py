"""Linear models of one gene's expression on the dosages of its variants, fitted on training samples.

All of them standardise dosages by the training samples, as FUSION and PrediXcan do, and return weights per copy of the
alternative allele, so that a prediction is `dosages @ weights + intercept`.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

Array = NDArray[np.float64]

PENALTIES = 100
"""Length of the path of penalties."""
SMALLEST = 1e-3
"""The last penalty of the path as a share of the first, at which every weight is 0."""
BLOCK = 10
"""Penalties that are tried before the errors are looked at."""
PATIENCE = 20
"""Penalties without a smaller error after which the path ends."""


class LinearFit(NamedTuple):
    """Weights of dosages `[V]` and an intercept."""

    weights: Array
    intercept: float

    def predict(self, dosages: Array) -> Array:
        """Return the predictions of samples, `[P]`, from dosages `[P, V]`."""
        return dosages @ self.weights + self.intercept


def top_variant(dosages: Array, target: Array) -> LinearFit:
    """Regress on the one variant that is most correlated with the target."""
    x, y, scale = _standardised(dosages, target)
    weights = np.zeros(x.shape[1])
    if x.shape[1]:
        products = x.T @ y / len(y)
        best = int(np.argmax(np.abs(products)))
        weights[best] = products[best]
    return _per_copy(weights, scale, dosages, target)


def elastic_net(dosages: Array, target: Array, l1_ratio: float, folds: NDArray[np.int64]) -> LinearFit:
    """Fit an elastic net whose penalty is chosen by cross-validation within the given samples.

    Minimises `|y - x w|^2 / 2n + a (l1_ratio |w|_1 + (1 - l1_ratio) |w|_2^2 / 2)` (Zou and Hastie 2005) by coordinate
    descent along a path of `PENALTIES` penalties `a` (Friedman, Hastie and Tibshirani 2010). With `l1_ratio` 0.5 it is
    PrediXcan's model (Gamazon et al. 2015), with 1 the LASSO. The inner products of a fold are those of everyone
    less those of the samples left out. The path ends where the error in samples left out has not fallen for `PATIENCE`
    penalties: the weakest ones, which let in every variant, take most of the time and are never chosen.

    Parameters
    ----------
    dosages, target
        `[P, V]` and `[P]` of training samples.
    folds
        Fold of each of them, `[P]`.
    """
    x, y, scale = _standardised(dosages, target)
    weights = np.zeros(x.shape[1])
    strongest = np.abs(x.T @ y).max(initial=0) / len(y) / l1_ratio
    if strongest > 0:
        penalties = np.geomspace(strongest, strongest * SMALLEST, PENALTIES)
        products = x.T @ x if _few_variants(x) else None
        parts = [_Fold(x, y, products, folds == fold, l1_ratio) for fold in np.unique(folds)]
        errors = np.empty(0)
        for start in range(0, PENALTIES, BLOCK):
            block = penalties[start : start + BLOCK]
            errors = np.append(errors, np.mean([part.errors(block) for part in parts], axis=0))
            if len(errors) - int(np.argmin(errors)) > PATIENCE:
                break
        best = int(np.argmin(errors))
        weights = _path(x, y, products, l1_ratio, penalties[best : best + 1], weights)[:, 0]
    return _per_copy(weights, scale, dosages, target)


class _Fold:
    """The samples of the other folds, and those left out, on whom penalties are judged."""

    def __init__(self, x: Array, y: Array, products: Array | None, left_out: NDArray[np.bool_], l1_ratio: float):
        mean_x, mean_y = x[~left_out].mean(axis=0), y[~left_out].mean()
        self.x, self.y = x[~left_out] - mean_x, y[~left_out] - mean_y
        self.x_out, self.y_out = x[left_out] - mean_x, y[left_out] - mean_y
        self.l1_ratio, self.weights, self.products = l1_ratio, np.zeros(x.shape[1]), None
        if products is not None:
            inside = (~left_out).sum()
            self.products = products - x[left_out].T @ x[left_out] - inside * np.outer(mean_x, mean_x)

    def errors(self, penalties: Array) -> Array:
        """Return the mean squared error in the samples left out for the next penalties of the path."""
        weights = _path(self.x, self.y, self.products, self.l1_ratio, penalties, self.weights)
        self.weights = np.ascontiguousarray(weights[:, -1])
        return ((self.y_out[:, None] - self.x_out @ weights) ** 2).mean(axis=0)


def _path(x: Array, y: Array, products: Array | None, l1_ratio: float, penalties: Array, start: Array) -> Array:
    """Return the weights at each penalty, `[V, penalties]`, each found from those before it."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import enet_path

    x = np.asfortranarray(x)
    extra = {} if products is None else {"precompute": np.ascontiguousarray(products), "Xy": x.T @ y}
    extra |= {"l1_ratio": l1_ratio, "alphas": penalties, "coef_init": start, "check_input": products is None}
    with warnings.catch_warnings():
        # Of weak penalties, where variants are in complete linkage and weights are not unique.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return enet_path(x, y, **extra)[1]


def _few_variants(x: Array) -> bool:
    """Whether inner products of variants are cheaper to keep than the dosages themselves."""
    return x.shape[1] < x.shape[0]


class Blup(NamedTuple):
    """The best linear unbiased prediction and the share of variance that the variants make."""

    fit: LinearFit
    heritability: float


def blup(dosages: Array, target: Array) -> Blup:
    """Fit all variants with effects of one variance, found by restricted maximum likelihood (GBLUP, ridge regression).

    `y = mu + x u + e`, `u ~ N(0, s2 / d)`, `e ~ N(0, s2)`: `u = x' (x x' + d)^-1 y`. The likelihood of `d` costs one
    sum over the eigenvalues of `x x'` (Kang et al. 2008, EMMA). A gene whose variants explain nothing gets weights of 0.

    Parameters
    ----------
    dosages, target
        `[P, V]` and `[P]` of training samples.
    """
    x, y, scale = _standardised(dosages, target)
    people, variants = x.shape
    if not variants or not np.ptp(y):
        return Blup(_per_copy(np.zeros(variants), scale, dosages, target), 0.0)
    u, s, v = np.linalg.svd(x, full_matrices=False)
    keep = s > 1e-8 * s[0]
    values, rotated = s[keep] ** 2, u.T[keep] @ y
    free, rest = people - 1 - keep.sum(), max(0.0, y @ y - rotated @ rotated)

    def minus_likelihood(log_ratio: float) -> float:
        ratio = np.exp(log_ratio)
        total = (rotated**2 / (values + ratio)).sum() + rest / ratio
        return (people - 1) * np.log(total) + np.log(values + ratio).sum() + free * np.log(ratio)

    # The share of variance by variants, trace(x x') / samples against the noise, is searched from 0.9999 to 0.0001.
    unit = values.sum() / people
    low, high = np.log(unit * 1e-4), np.log(unit * 1e4)
    grid = np.linspace(low, high, 41)
    start = int(np.argmin([minus_likelihood(point) for point in grid]))
    found = minimize_scalar(
        minus_likelihood, bounds=(grid[max(0, start - 1)], grid[min(40, start + 1)]), method="bounded"
    )
    ratio = np.exp(found.x)
    weights = v[keep].T @ (np.sqrt(values) / (values + ratio) * rotated)
    return Blup(_per_copy(weights, scale, dosages, target), float(unit / (unit + ratio)))


def _standardised(dosages: Array, target: Array) -> tuple[Array, Array, Array]:
    """Return dosages of mean 0 and standard deviation 1 (0 where no one differs), the centred target, and the scale."""
    x = np.asarray(dosages, dtype=np.float64)
    sd = x.std(axis=0)
    scale = np.divide(1, sd, out=np.zeros_like(sd), where=np.ptp(x, axis=0) > 0)
    return (x - x.mean(axis=0)) * scale, target - target.mean(), scale


def _per_copy(weights: Array, scale: Array, dosages: Array, target: Array) -> LinearFit:
    """Turn weights of standardised dosages into weights of copies of the allele."""
    weights = weights * scale
    return LinearFit(weights, float(target.mean() - dosages.mean(axis=0) @ weights))

"""Paired tests of two models: on the same examples, and over several divisions of the data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVEL = 0.95


class McNemar(NamedTuple):
    """Examples that one of two models alone is right about, and the p of their being as many for both.

    Attributes
    ----------
    first, second
        Examples that the first, or the second, model alone is right about.
    p
        Two-sided, exact.
    """

    first: int
    second: int
    p: float


class Resampled(NamedTuple):
    """Mean difference over divisions of the data into training and test parts, with its 95 % interval.

    Attributes
    ----------
    difference, low, high
        Limits are NaN of a single division.
    p
        Two-sided; 1 where nothing differs or there is one division.
    divisions
        How many.
    """

    difference: float
    low: float
    high: float
    p: float
    divisions: int


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Return McNemar's test of two models on the same examples, exact (McNemar 1947, Psychometrika 12:153).

    Parameters
    ----------
    first, second
        Whether each model is right about each example, `[n]`.

    Raises
    ------
    ValueError
        They are of unlike length.
    """
    one, other = np.asarray(first, bool), np.asarray(second, bool)
    if one.shape != other.shape:
        raise ValueError(f"{one.shape[0]} examples beside {other.shape[0]}")
    alone, apart = int((one & ~other).sum()), int((other & ~one).sum())
    p = float(stats.binomtest(alone, alone + apart).pvalue) if alone + apart else 1.0
    return McNemar(alone, apart, p)


def corrected_resampled_t(differences: ArrayLike, trained: float, tested: float) -> Resampled:
    """Return the corrected resampled t-test of differences over divisions that share training rows.

    Their variance counts 1 / k + tested / trained times, not 1 / k times, for the same rows are learned from again
    (Nadeau and Bengio 2003, Machine Learning 52:239).

    Parameters
    ----------
    differences
        Score of one model less that of the other, a division each, `[k]`.
    trained, tested
        Rows of a training and of a test part.
    """
    found = np.asarray(differences, np.float64)
    count, mean = len(found), float(found.mean())
    if count < 2:
        return Resampled(mean, np.nan, np.nan, 1.0, count)
    error = float(np.sqrt((1 / count + tested / trained) * found.var(ddof=1)))
    if error == 0:
        return Resampled(mean, mean, mean, 1.0 if mean == 0 else 0.0, count)
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error
    return Resampled(mean, mean - half, mean + half, 2 * float(stats.t.sf(abs(mean) / error, count - 1)), count)


def holm(raw: ArrayLike) -> NDArray[np.float64]:
    """Return p values that hold for all of some tests at once, in their order; what is not a number stays so.

    Holm (1979, Scandinavian Journal of Statistics 6:65).
    """
    p = np.asarray(raw, np.float64)
    held = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    held[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return held

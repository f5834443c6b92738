"""Is it more than what groups share: samples permuted within their groups, all genes alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .correlation import constant_columns
from .influence import standardised

PERMUTATIONS = 2000


class Null(NamedTuple):
    """A score beside what it is when samples are permuted within their groups.

    Attributes
    ----------
    value
        The score.
    mean, low, high
        Mean of the permutations, their 2.5 and 97.5 percentiles: what the groups alone make.
    p
        Share of the permutations, the data themselves among them, that score at least as high.
    groups
        Groups within which samples were permuted.
    movable
        Samples that share their group with another one: if none, nothing could be permuted and p is 1.
    """

    value: float
    mean: float
    low: float
    high: float
    p: float
    groups: int
    movable: int


def permuted_within(
    observed: ArrayLike,
    predicted: Sequence[ArrayLike],
    groups: ArrayLike | None,
    draws: int = PERMUTATIONS,
    seed: int = 0,
) -> Null:
    """Test a mean over genes of Pearson's r over samples, one permutation of the samples for all genes at a time.

    What a sample's group (population, batch) says about it stays; so does what genes share, such as a factor of
    expression. The score of a permutation is a sum over samples of one table `[samples, samples]`, so that genes are
    gone through once. Missing values count as the gene's mean.

    Parameters
    ----------
    observed
        `[samples, genes]`.
    predicted
        The same of each seed; the score is the mean over them.
    groups
        Group of each sample; one for all where None.
    draws
        Permutations.
    """
    table = np.mean([_products(observed, one) for one in predicted], axis=0)
    group = _groups(groups, len(table))
    sizes = np.bincount(group, minlength=1)
    null = _null_of(table, group, draws, seed)
    value = float(np.trace(table))
    low, high = np.percentile(null, [2.5, 97.5])
    movable = int(sizes[group][sizes[group] > 1].size)
    return Null(value, float(null.mean()), float(low), float(high), share_above(value, null), len(sizes), movable)


def null_scores(
    observed: ArrayLike, predicted: ArrayLike, groups: ArrayLike | None, draws: int = PERMUTATIONS, seed: int = 0
) -> NDArray[np.float64]:
    """Return the score of each permutation of `permuted_within` of one prediction, `[draws]`.

    The permutations are the same for all predictions of the same samples, so that the mean over seeds of these is the
    null of the mean over seeds.
    """
    table = _products(observed, predicted)
    return _null_of(table, _groups(groups, len(table)), draws, seed)


def share_above(value: float, null: NDArray[np.float64]) -> float:
    """Return p: the share of permutations, the data themselves among them, that score at least as high."""
    return (1 + int((null >= value - 1e-7).sum())) / (1 + len(null))


def _groups(groups: ArrayLike | None, samples: int) -> NDArray[np.int64]:
    """Return the number of each sample's group; one for all where None."""
    if groups is None:
        return np.zeros(samples, np.int64)
    return np.unique(np.asarray(groups), return_inverse=True)[1]


def _null_of(table: NDArray[np.float64], group: NDArray[np.int64], draws: int, seed: int) -> NDArray[np.float64]:
    """Return the sums over samples of the table with its columns permuted within groups, `[draws]`."""
    rows, null = np.arange(len(table)), np.empty(draws)
    order = np.argsort(group, kind="stable")
    rng = np.random.default_rng(seed)
    for draw in range(draws):
        # Sorted by group, then by a random number: a permutation of each group in place.
        moved = np.empty(len(table), int)
        moved[order] = np.lexsort((rng.random(len(table)), group))
        null[draw] = table[rows, moved].sum()
    return null


def _products(observed: ArrayLike, predicted: ArrayLike) -> NDArray[np.float64]:
    """Return `[samples, samples]`: what the observation of one with the prediction of another adds to the mean r."""
    x, y = (np.array(table, dtype=np.float64) for table in (observed, predicted))
    missing = ~(np.isfinite(x) & np.isfinite(y))
    x[missing] = y[missing] = np.nan
    varies = ~(constant_columns(x) | constant_columns(y))
    zx, zy = (np.where(varies & ~missing, np.nan_to_num(standardised(table)), 0.0) for table in (x, y))
    n = np.maximum((~missing).sum(axis=0), 1)
    return (zx / n) @ zy.T / max(1, x.shape[1])

"""Columns of labels or values that stand for one another in the test rows: what training rows teach tells the other one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from glmflow.genome.packed import Packed
from glmflow.labelled.composition import kmer_table
from glmflow.labelled.simple_predictors import ridge, sampled

K = 4
FITTED = 5_000
"""Rows that are fitted to, and that are looked at; a sample of larger sets."""
MOST = 50
"""Columns that are compared."""
GAIN, SURE = 0.3, 4.0
"""Correlation that another column has to gain, and standard errors that it has to be above nothing."""


def exchanged_columns(
    packed: Packed, truth: NDArray[np.float64], split: NDArray, seed: int = 0
) -> list[tuple[int, int]]:
    """Return which column of the test rows is taken for which: `(column, the one that training rows call so)`.

    A ridge regression on 4-mers is fitted to each column of the training rows; of the test rows, its prediction has to go with
    another column far better than with its own.

    Parameters
    ----------
    truth
        `[n, columns]`.
    """
    generator = np.random.default_rng(seed)
    train, test = (sampled(np.flatnonzero(split == name), FITTED, generator) for name in ("train", "test"))
    columns = min(truth.shape[1], MOST)
    if len(train) < 2 or len(test) < 2 or columns < 2:
        return []
    learned, held_out = truth[train, :columns].astype(np.float64), truth[test, :columns].astype(np.float64)
    if (np.ptp(learned, axis=0) == 0).any():
        return []
    features = [kmer_table(packed.take(rows), K) for rows in (train, test)]
    said = ridge(features[0], (learned - learned.mean(axis=0)) / learned.std(axis=0))(features[1])
    table = _correlations(said, held_out)
    rows, taken = linear_sum_assignment(-table)
    return [
        (int(other), int(own))
        for own, other in zip(rows, taken)
        if own != other and table[own, other] - table[own, own] > GAIN and table[own, other] * np.sqrt(len(test)) > SURE
    ]


def _correlations(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of each column of one table with each of another; 0 where one is constant."""
    parts = [part - part.mean(axis=0) for part in (first, second)]
    parts = [part / np.where((norm := np.sqrt((part**2).sum(axis=0))) > 0, norm, 1) for part in parts]
    return parts[0].T @ parts[1]

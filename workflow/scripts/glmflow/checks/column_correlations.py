"""Which columns of a matrix are alike, or opposite, in how each gene of theirs differs from the other columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, t

from glmflow.statistics.influence import standardised

COPY = 0.9
"""Correlation of two samples over genes, each gene standardised over samples, from which on one is a copy of the other."""
FEW_GENES = 30
"""Genes below which a correlation has to be higher than that: what chance reaches in a hundred thousandth of matrices."""
CHANCE = 1e-5
FEWEST_GENES = 5
APART, BEYOND = 0.7, 0.4
"""Correlation from which on a pair is one too that exceeds every other of both samples by `BEYOND`: a copy with much noise."""
FEW_SAMPLES = 6.0
"""Fourth moment, times the number of samples, from which on a component is that of a few samples."""
MOST = 0.5


class Correlations(NamedTuple):
    """The highest and lowest r of every two samples over genes, `[samples, samples]`, and the r from which on they are copies.

    Of two r, by ranks over samples and by ranks within them.
    """

    highest: NDArray[np.float64]
    lowest: NDArray[np.float64]
    least: float


def correlations(table: NDArray[np.float64]) -> Correlations:
    """Return how alike every two samples are in what is their own at each gene."""
    genes, count = table.shape
    if genes < FEWEST_GENES or count < 3:
        return Correlations(*np.zeros((2, count, count)), np.inf)
    if genes >= FEW_GENES:
        # Each sample's own scale first: ranks within a sample undo it, ranks over samples undo what genes are like.
        ranked = [rankdata(table, axis=axis, nan_policy="omit") for axis in (1, 0)]
        least = COPY
    else:  # ranks of so few genes are alike by chance
        ranked = [log_amounts(table)]
        needed = float(t.isf(CHANCE / (count * (count - 1) / 2), genes - 3))
        least = max(COPY, needed / float(np.sqrt(genes - 3 + needed**2)))
    freed = [_without_component(np.nan_to_num(standardised(one.T)).T) for one in ranked]
    profiles = [np.nan_to_num(standardised(np.nan_to_num(standardised(one.T)).T)) for one in freed]
    found = [(one.T @ one) / genes for one in profiles]
    return Correlations(np.maximum.reduce(found), np.minimum.reduce(found), least)


def stand_out(r: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which pairs correlate, and more than either of both does with any other sample."""
    others = r - 2 * np.eye(len(r))
    best, second = (np.sort(others, axis=1)[:, -n] if len(r) > 2 else np.zeros(len(r)) for n in (1, 2))
    lead = (others == best[:, None]) & (others - second[:, None] >= BEYOND) & (others >= APART)
    return lead & lead.T


def _without_component(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a table without a component that is most of it and of many samples: what genes share makes samples alike."""
    value, samples = np.linalg.eigh(table.T @ table)
    main = samples[:, np.argmax(value)]
    of_few = (main**4).sum() >= FEW_SAMPLES / len(main)  # 3 / n of normal scores
    return table if of_few or value.max() < MOST * value.sum() else table - np.outer(table @ main, main)


def log_amounts(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logarithms less the median of each sample; values as they are where some are negative."""
    if (table < 0).any():
        return table
    above = table[table > 0]
    logs = np.log(np.where(table > 0, table, above.min() / 2 if above.size else 1.0))
    logs[np.isnan(table)] = np.nan
    return logs - np.nanmedian(logs, axis=0)

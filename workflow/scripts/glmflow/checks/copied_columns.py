"""Which columns of a matrix of measurements are copies of each other, scaled, rounded, with noise, or in part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata, t

from glmflow.statistics.influence import standardised

from .audit import Audit, graded, named

COPY = 0.9
"""Correlation of two samples over genes, each gene standardised over samples, from which on one is a copy of the other."""
FEW_GENES = 30
"""Genes below which a correlation has to be higher than that: what chance reaches in a hundred thousandth of matrices."""
MANY_GENES = 200
"""Genes from which on a pair that stands out from all others is told from chance."""
CHANCE = 1e-5
FEWEST_GENES = 5
APART, BEYOND = 0.7, 0.4
"""Correlation from which on a pair is one too that exceeds every other of both samples by `BEYOND`: a copy with much noise."""
SAME_RATIO = 0.1
"""Share of the genes with one ratio (or difference) between two samples from which on these are copied."""
USUAL, TIMES = 0.95, 3.0
"""Of all pairs, the quantile of that share that a copy exceeds this many times."""
CLOSE = 1e-4
TELLING = 100
"""Units of its last decimal below which a value may be alike by chance."""
OFTEN = 1e-3
"""Share of a matrix's entries that a value is at most where it is not alike by chance."""
BAND = 0.05
"""Half of the width of a band of ratios' logarithms that a copied gene stays in with a few percent of noise."""
MOST_BANDS = 200
MORE = 0.15
"""Share of the genes in the fullest such band, beyond that of every other pair of both samples, from which on these are copied."""
LARGEST_LOG = 30.0  # log2 of a billion
ENOUGH = 10
FEW_SAMPLES = 6.0
"""Fourth moment, times the number of samples, from which on a component is that of a few samples."""
MOST = 0.5
MOST_GENES = 300
"""Genes, drawn, by which equal ratios are looked for."""


def copied_columns(
    values: ArrayLike, samples: Sequence[str], split: ArrayLike | None = None, where: str = ""
) -> tuple[pd.DataFrame, Audit]:
    """Return the pairs of samples of which one is a copy of the other: as it is, scaled, with little noise, or in part.

    Each gene is ranked and standardised over samples, so that scale and logarithm do not matter and what all samples
    have in common counts for nothing; then samples are correlated over genes. Where a tenth of the genes or more have one
    ratio between two samples, those genes were copied, whatever the others are.

    Parameters
    ----------
    values
        `[genes, samples]`; NaN counts as the gene's mean.
    samples
        Names.
    split
        Split of each sample: pairs that two splits share are leaks, others warnings.

    Returns
    -------
    pairs, audit
        `one`, `other`, `correlation`, `exact` (equal values), `between_splits`; and what it means.
    """
    table = np.asarray(values, dtype=np.float64)
    varies = np.nanmax(table, axis=1, initial=-np.inf) > np.nanmin(table, axis=1, initial=np.inf)
    table = table[varies]
    r, least = _correlations(table)
    alike = (r >= least) | _same_ratios(table) | _equal(table)
    if len(table) >= MANY_GENES:
        alike |= _stand_out(r) | _nearly_same_ratios(table)
    parts = np.asarray(split, dtype=object) if split is not None else np.full(len(samples), "", dtype=object)
    rows = []
    for a, b in np.argwhere(np.triu(alike, 1)):
        exact = bool(np.array_equal(table[:, a], table[:, b], equal_nan=True))
        rows.append((samples[a], samples[b], float(r[a, b]), exact, bool(parts[a] != parts[b])))
    pairs = pd.DataFrame(rows, columns=["one", "other", "correlation", "exact", "between_splits"])
    between = pairs[pairs["between_splits"]]
    shown = pairs.sort_values("between_splits", ascending=False, kind="stable")
    text = f"{len(pairs):,} pairs of {len(samples):,} columns are copies of each other, {len(between):,} between splits"
    text += f": {named([f'{a} and {b}' for a, b in zip(shown['one'], shown['other'])])}" if len(pairs) else ""
    if len(table) < FEW_GENES and len(samples) > 2:
        seen = f"only from a correlation of {least:.3f} on" if np.isfinite(least) else "not at all"
        text += f"; of {len(table)} genes a copy with noise is distinguished from chance {seen}"
    limits = {"fail": 0} if len(between) else {"warn": 0}
    return pairs, graded("copied columns", len(between) or len(pairs), text, where, **limits)


def _stand_out(r: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which pairs correlate, and more than either of both does with any other sample."""
    others = r - 2 * np.eye(len(r))
    best, second = (np.sort(others, axis=1)[:, -n] if len(r) > 2 else np.zeros(len(r)) for n in (1, 2))
    lead = (others == best[:, None]) & (others - second[:, None] >= BEYOND) & (others >= APART)
    return lead & lead.T


def _correlations(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return r of every two samples over genes, `[samples, samples]`, and the r from which on they are copies."""
    genes, count = table.shape
    if genes < FEWEST_GENES or count < 3:
        return np.zeros((count, count)), np.inf
    if genes >= FEW_GENES:
        # Each sample's own scale first: ranks within a sample undo it, ranks over samples undo what genes are like.
        ranked = [rankdata(table, axis=axis, nan_policy="omit") for axis in (1, 0)]
        least = COPY
    else:  # ranks of so few genes are alike by chance
        ranked = [_logarithms(table)]
        needed = float(t.isf(CHANCE / (count * (count - 1) / 2), genes - 3))
        least = max(COPY, needed / float(np.sqrt(genes - 3 + needed**2)))
    freed = [_without_component(np.nan_to_num(standardised(one.T)).T) for one in ranked]
    profiles = [np.nan_to_num(standardised(np.nan_to_num(standardised(one.T)).T)) for one in freed]
    return np.maximum.reduce([(one.T @ one) / genes for one in profiles]), least


def _without_component(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a table without a component that is most of it and of many samples: what genes share makes samples alike."""
    value, samples = np.linalg.eigh(table.T @ table)
    main = samples[:, np.argmax(value)]
    of_few = (main**4).sum() >= FEW_SAMPLES / len(main)  # 3 / n of normal scores
    return table if of_few or value.max() < MOST * value.sum() else table - np.outer(table @ main, main)


def _logarithms(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logarithms less the median of each sample; values as they are where some are negative."""
    if (table < 0).any():
        return table
    above = table[table > 0]
    logs = np.log(np.where(table > 0, table, above.min() / 2 if above.size else 1.0))
    logs[np.isnan(table)] = np.nan
    return logs - np.nanmedian(logs, axis=0)


def _same_ratios(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which samples have one ratio, or one difference, of their values at a tenth of the genes or more."""
    found = np.zeros((table.shape[1],) * 2, bool)
    told = _telling(table)[np.random.default_rng(0).permutation(len(table))[:MOST_GENES]]
    told = told[np.isfinite(told).sum(axis=1) > 1]
    if len(told) < ENOUGH:
        return found
    with np.errstate(all="ignore"):
        logs = np.log(np.where(told > 0, told, np.nan))
        middle = np.nanmedian(told, axis=1, keepdims=True)
        spread = float(np.nanmedian(np.abs(told - middle)))  # of no outlier, nor of samples in another unit
    shares = [_of_one_difference(logs, CLOSE), _of_one_difference(told, CLOSE * spread)]
    # Of few reads, two samples have one number of them at many genes, and so one ratio: then nearly all pairs have.
    amounts = [logs]
    if told[np.isfinite(told)].min(initial=0) >= 0 and np.nanmax(table) <= LARGEST_LOG:
        with np.errstate(all="ignore"):
            amounts += [np.log(np.expm1(told)), np.log(np.exp2(told) - 1)]
    pairs = np.triu_indices(len(found), 1)
    known = [shares[0], *(_of_one_difference(one, CLOSE) for one in amounts[1:])]
    usual = max(float(np.quantile(share[pairs], USUAL)) for share in known)
    return np.maximum(*shares) >= max(SAME_RATIO, TIMES * usual)


def _of_one_difference(values: NDArray[np.float64], close: float) -> NDArray[np.float64]:
    """Return the largest share of the genes at which two samples differ by the same, `[samples, samples]`; 0 of too few."""
    share = np.zeros((values.shape[1],) * 2)
    for a in range(values.shape[1] - 1):
        ordered = np.sort(values[:, a, None] - values[:, a + 1 :], axis=0)  # NaN last
        known = np.isfinite(ordered).sum(axis=0)
        for b in np.flatnonzero(known >= ENOUGH):
            own = ordered[: known[b], b]
            most = int((np.searchsorted(own, own + close, side="right") - np.arange(len(own))).max())
            share[a, a + 1 + b] = most / len(own) if most >= ENOUGH else 0.0
    return share


def _nearly_same_ratios(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which samples have nearly one ratio at many more genes than any other two of which one is among both.

    A sample that was copied at some genes, with a few percent of noise, is as far from the other at the rest as any is.
    """
    rows = np.random.default_rng(0).permutation(len(table))[: 3 * MOST_GENES]
    logs = _logarithms(table[rows])
    if (table < 0).any() or np.nanmax(table) <= LARGEST_LOG:  # logarithms, or centred: differences
        logs = table[rows]
    count, steps = logs.shape[1], 2 * MOST_BANDS + 1
    fullest = np.zeros((count, count))
    known = np.isfinite(logs) & (table[rows] != 0)
    for a in range(count - 1):
        both = known[:, a, None] & known[:, a + 1 :]
        apart = np.where(both, logs[:, a, None] - logs[:, a + 1 :], 0.0)
        step = np.clip(np.floor(apart / BAND), -MOST_BANDS, MOST_BANDS).astype(int) + MOST_BANDS
        pairs = step.shape[1]
        filled = np.bincount((step + steps * np.arange(pairs))[both], minlength=steps * pairs).reshape(pairs, steps)
        most = (filled[:, 1:] + filled[:, :-1]).max(axis=1)
        fullest[a, a + 1 :] = fullest[a + 1 :, a] = most / np.maximum(both.sum(axis=0), MANY_GENES / 2)
    best, second = (np.sort(fullest, axis=1)[:, -n] if count > 2 else np.ones(count) for n in (1, 2))
    lead = (fullest == best[:, None]) & (fullest - second[:, None] >= MORE)
    return lead & lead.T


def _telling(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values of three digits or more, by the decimals that the matrix has; NaN for those alike by chance."""
    known = np.isfinite(table)
    shown = np.where(known, table, 0.0)
    decimals = next((d for d in range(6) if np.allclose(shown * 10**d, np.round(shown * 10**d), rtol=0, atol=1e-6)), 9)
    _, place, counts = np.unique(shown, return_inverse=True, return_counts=True)
    rare = counts[place].reshape(shown.shape) <= max(ENOUGH, OFTEN * shown.size)  # logarithms of small counts are not
    # Of genes with as many reads one sample has one value: what it has more than once is a small number of these.
    ordered = np.sort(shown, axis=0)
    twice = [np.isin(column, own[1:][np.diff(own) == 0]) for column, own in zip(shown.T, ordered.T)]
    rare &= ~np.array(twice, bool).reshape(shown.shape[::-1]).T
    return np.where(known & rare & (np.abs(shown) * 10**decimals >= TELLING), table, np.nan)


def _equal(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which columns have the same values."""
    found = np.zeros((table.shape[1],) * 2, bool)
    first: dict[bytes, int] = {}
    for column in range(table.shape[1] if len(table) else 0):
        key = np.ascontiguousarray(table[:, column]).tobytes()
        found[first.setdefault(key, column), column] = True
    return found

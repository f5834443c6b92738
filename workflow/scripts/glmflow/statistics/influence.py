"""What every unit adds to a score: its influence, of which intervals and paired comparisons are made.

A score is a number of many cells, each of which lies in a locus (a gene with its neighbours, a block of a contig, a group
of near copies) and a sample (a family; one for all where nothing is measured in samples). The influence of a cell is by
how much it moves the score: to first order score + sum(influence * (weight - 1)) is what the score of reweighted cells
would be (Hampel 1974, J. Am. Stat. Assoc. 69:383), and the sum of all influences is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .correlation import constant_columns, pearson_columns

MOST = 1000
"""Units of an axis that are kept apart; of more, some are drawn into one, which stay independent of each other."""


class Score(NamedTuple):
    """A score of one run, with what its units add to it.

    Attributes
    ----------
    value
        The score.
    influence : float64[loci, samples]
        What each locus in each sample adds; sums to 0. A score that knows no samples has one column.
    plays
        False where the run predicts one value for everything, so that it has no part in a comparison.
    bias
        By how much the score is expected to be too high, as intervals take it off; 0 where that is not known.
    """

    value: float
    influence: NDArray[np.float64]
    plays: bool = True
    bias: float = 0.0


def numbered(labels: ArrayLike) -> NDArray[np.int64]:
    """Return the unit of each label, numbered in sorted order, at most `MOST`.

    More units than that are drawn into `MOST` bins by a fixed shuffle: sums of independent units are independent.
    """
    _, inverse = np.unique(np.asarray(labels), return_inverse=True)
    count = int(inverse.max()) + 1 if len(inverse) else 0
    if count <= MOST:
        return inverse
    return (np.random.default_rng(0).permutation(count) % MOST)[inverse]


def mean_correlation(
    observed: ArrayLike,
    predicted: ArrayLike,
    loci: ArrayLike | None = None,
    samples: ArrayLike | None = None,
    within: ArrayLike | None = None,
) -> Score:
    """Return the mean over genes of Pearson's r over samples; a gene that is constant in either table counts as 0.

    Parameters
    ----------
    observed, predicted
        `[samples, genes]`; NaN where a pair is missing.
    loci
        Locus of each gene, by any label; genes that share one are one unit. Each gene its own where None.
    samples
        Family of each sample, by any label. Each sample its own where None.
    within
        Group (population) of each sample: means of groups are taken off both tables, so that what groups share counts
        for nothing.
    """
    x, y = np.array(observed, dtype=np.float64), np.array(predicted, dtype=np.float64)
    missing = ~(np.isfinite(x) & np.isfinite(y))
    x[missing] = y[missing] = np.nan
    varies = ~(constant_columns(x) | constant_columns(y))
    if within is not None:
        x, y = without_group_means(x, within), without_group_means(y, within)
        scale = [np.nanmax(np.abs(table), axis=0, initial=0) for table in (np.asarray(observed), np.asarray(predicted))]
        for table, size in zip((x, y), scale):  # what is left of a group's constant is rounding
            table[np.abs(table) < 1e-12 * size] = 0
        varies &= ~(constant_columns(x) | constant_columns(y))
    r = np.where(varies, pearson_columns(x, y), 0.0)
    zx, zy = (np.where(varies & ~missing, np.nan_to_num(standardised(table)), 0.0) for table in (x, y))
    family = _numbers(samples, len(x))
    counts = _sums_of_units((~missing).astype(np.float64), family)
    value = float(r.mean()) if r.size else float("nan")
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    own, bias = _moved_correlation(zx, zy, r, counts, family)
    moved = (own + (r - value) * shares) / max(1, len(r))
    plays = bool((~constant_columns(np.where(missing, np.nan, np.asarray(predicted, dtype=np.float64)))).any())
    return Score(value, _added(moved.T, _numbers(loci, len(r))), plays, float(bias.mean()) if bias.size else 0.0)


def _moved_correlation(
    zx: NDArray[np.float64],
    zy: NDArray[np.float64],
    r: NDArray[np.float64],
    counts: NDArray[np.float64],
    family: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much each family moves each gene's correlation, `[families, genes]`, by leaving it out, and each gene's bias.

    A correlation of few samples is too near to 0 (of n by r (1 - r^2) / 2 n; Fisher 1915, Biometrika 10:507): the bias is the
    jackknife's (Quenouille 1956, Biometrika 43:353). The derivative itself (Devlin et al. 1975, Biometrika 62:531) is too
    small where samples are few, and so is the sum over a family of what each of its members moves, of which the others stay.

    Parameters
    ----------
    counts
        Pairs of each family, `[families, genes]`.
    """
    n, here = counts.sum(axis=0), counts > 0
    left = np.maximum(n - counts, 1)
    of_x, of_y, of_xx, of_yy, of_xy = (_sums_of_units(table, family) for table in (zx, zy, zx**2, zy**2, zx * zy))
    left_x, left_y = n - of_xx - of_x**2 / left, n - of_yy - of_y**2 / left
    scale = np.sqrt(np.maximum(left_x, 0) * np.maximum(left_y, 0))
    without = np.where(scale > 1e-9 * n, (n * r - of_xy - of_x * of_y / left) / np.maximum(scale, 1e-12), 0.0)
    without = np.where(here, np.clip(without, -1, 1), 0.0)
    families = np.maximum(here.sum(axis=0), 1)
    mean = without.sum(axis=0) / families
    return np.where(here, (mean - without) * (families - 1) / families, 0.0), (families - 1) * (mean - r)


def mean_value(values: ArrayLike, loci: ArrayLike | None = None, samples: ArrayLike | None = None) -> Score:
    """Return the mean of one value a row, such as a correct label, an error or a correlation of one gene."""
    values = np.asarray(values, dtype=np.float64)
    value = float(values.mean()) if len(values) else float("nan")
    cells = (values - value)[:, None] / max(1, len(values))
    rows = _numbers(loci, len(values))
    if samples is None:
        return Score(value, _added(cells, rows))
    columns = numbered(samples)
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), cells[:, 0])
    scales = (_left_out(np.bincount(unit).astype(np.float64)) for unit in (rows, columns))
    return Score(value, _centred(table * np.outer(*scales)))


def mean_of_scores(
    scores: Sequence[Score], blocks: Sequence[NDArray[np.int64]], samples: ArrayLike, plays: bool = True
) -> Score:
    """Return the mean of scores that were made each of its own rows (keys, cells) on the same loci.

    A score adds by how far it is from the mean, shared by its loci.

    Parameters
    ----------
    scores
        With one column each.
    blocks
        Locus of each row of each score's influence, numbered over all scores.
    samples
        What is resampled beside loci, a label a score.
    """
    value = float(np.mean([score.value for score in scores]))
    there = np.unique(np.concatenate(list(blocks)))  # a locus without a row is none
    cells = np.zeros((len(there), len(scores)))
    for column, (score, block) in enumerate(zip(scores, blocks)):
        own = np.searchsorted(there, block)
        moved = score.influence[:, 0] + (score.value - value) / len(own)
        cells[own, column] = moved / len(scores)
    return Score(value, _added(cells.T, _numbers(samples, len(scores))).T, plays)


def of_sums(
    sums: ArrayLike, statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]], loci: ArrayLike | None = None
) -> Score:
    """Return a statistic of pooled sums, such as a correlation over all bases, by leaving out a block at a time.

    Parameters
    ----------
    sums
        Additive sums of each row (tile), `[rows, k]`.
    statistic
        Function of pooled sums, `[..., k] -> [...]`.
    loci
        Block of each row.
    """
    sums = np.asarray(sums, dtype=np.float64)
    blocks = summed(sums, loci)
    total = sums.sum(axis=0)
    return _jackknife(float(statistic(total)), np.asarray(statistic(total - blocks), dtype=np.float64))


WEIGHTS = 2_000_000
"""Weights of rows that exist at a time: statistics take some ten arrays of this size beside them."""


def of_weights(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]], rows: int, loci: ArrayLike | None = None
) -> Score:
    """Return a statistic of weighted rows, such as an AUROC, by leaving out a group at a time.

    Parameters
    ----------
    statistic
        Function of weights `[draws, rows] -> [draws]`.
    rows
        Number of rows.
    loci
        Group of each row (near copies).
    """
    return several_of_weights(lambda weights: {"": statistic(weights)}, rows, loci)[""]


def several_of_weights(
    statistics: Callable[[NDArray[np.float64]], Mapping[str, NDArray[np.float64]]],
    rows: int,
    loci: ArrayLike | None = None,
) -> dict[str, Score]:
    """Return several statistics of weighted rows by name, as `of_weights` does each.

    Parameters
    ----------
    statistics
        Function of weights `[draws, rows] -> {name: [draws]}`.
    """
    group = _numbers(loci, rows)
    count = int(group.max()) + 1
    whole = statistics(np.ones((1, rows)))
    step = max(1, WEIGHTS // max(1, rows))
    without = [
        statistics((group != np.arange(start, min(start + step, count))[:, None]).astype(np.float64))
        for start in range(0, count, step)
    ]
    return {
        name: _jackknife(float(value[0]), np.concatenate([part[name] for part in without]))
        for name, value in whole.items()
    }


def _jackknife(value: float, without: NDArray[np.float64]) -> Score:
    """Turn the statistics that are left without each unit into influences (Efron 1982, The Jackknife, chapter 3)."""
    known = np.isfinite(without)
    without = np.where(known, without, value)  # without a unit that holds all of one class there is no score
    moved = (without.mean() - without) * (len(without) - 1) / max(1, len(without))
    return Score(value, moved[:, None])


def without_group_means(table: NDArray[np.float64], groups: ArrayLike) -> NDArray[np.float64]:
    """Return a table `[samples, genes]` with the mean of each group of samples taken off; NaN stays."""
    left = np.array(table, dtype=np.float64)
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    for number in range(group.max(initial=-1) + 1):
        members = group == number
        here = np.isfinite(left[members])
        left[members] -= np.where(here, left[members], 0).sum(axis=0) / np.maximum(here.sum(axis=0), 1)
    return left


def summed(cells: NDArray[np.float64], loci: ArrayLike | None) -> NDArray[np.float64]:
    """Return cells `[rows, columns]` summed over the rows of each locus."""
    return _sums_of_units(cells, _numbers(loci, cells.shape[0]))


def _added(cells: NDArray[np.float64], units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what units of rows add to a mean over rows, from what their cells add to it, `[units, columns]`.

    That is what leaving a unit out moves, for a sum of what its rows add is too small where it holds many of them: it counts
    n / (n - size) times (the jackknife of groups of unlike sizes, Busing et al. 1999, Stat. Comput. 9:3).
    """
    table = _sums_of_units(cells, units) * _left_out(np.bincount(units).astype(np.float64))[:, None]
    return _centred(table)


def _left_out(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many times what units add counts where they are left out; 1 where all are of one size."""
    n, units = sizes.sum(), len(sizes)
    return n / np.maximum(n - sizes, 1e-9) * (units - 1) / units if units > 1 else np.ones(units)


def _centred(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a table whose sum is 0."""
    return table - table.mean() if table.size else table


def _sums_of_units(cells: NDArray[np.float64], units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return cells `[rows, columns]` summed over the rows of each unit, `[units, columns]`."""
    if len(units) == 0:
        return cells
    order = np.argsort(units, kind="stable")
    starts = np.flatnonzero(np.diff(units[order], prepend=-1))
    return np.add.reduceat(cells[order], starts, axis=0)


def _numbers(labels: ArrayLike | None, count: int) -> NDArray[np.int64]:
    """Return the unit of each of `count` things: each its own where there are no labels."""
    units = numbered(np.arange(count) if labels is None else labels)
    if len(units) != count:
        raise ValueError(f"{len(units)} labels for {count} units")
    return units


def standardised(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns with mean 0 and standard deviation 1; NaN stays."""
    here = np.isfinite(table)
    n = np.maximum(here.sum(axis=0), 1)
    centred = table - np.where(here, table, 0).sum(axis=0) / n
    deviation = np.sqrt((np.where(here, centred, 0) ** 2).sum(axis=0) / n)
    return centred / np.where(deviation > 0, deviation, 1)

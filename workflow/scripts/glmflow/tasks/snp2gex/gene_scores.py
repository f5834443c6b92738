"""How well the differences between samples are predicted, gene by gene."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from glmflow.statistics.correlation import constant_columns, pearson_columns

SIGNIFICANT = 0.05


def gene_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Score each gene over the samples of one class.

    Parameters
    ----------
    rows
        `sample`, `group` (gene), `target`, `prediction`; each pair once.

    Returns
    -------
    DataFrame
        A row a gene: `group`, `n` samples, `pearson` and `spearman` (0 where constant), `p` (two-sided, t distribution
        with n - 2 degrees of freedom; 1 where constant), `q` (Benjamini-Hochberg over the genes), `constant`
        (prediction is the same for everyone), `silent` (expression is), `observed_mean`, `predicted_mean`,
        `observed_variance`, `predicted_variance`, `mae`, `r2_demeaned` (1 - squared error of deviations from the gene's
        means / their sum of squares).
    """
    x, y = matrices(rows)
    n = np.isfinite(x).sum(axis=0)
    r = pearson_columns(x, y)
    ranked = (stats.rankdata(table, axis=0, nan_policy="omit") for table in (x, y))
    constant, silent = constant_columns(y), constant_columns(x)
    p = np.where(constant | silent, 1.0, correlation_p(r, n))
    dx, dy = x - np.nanmean(x, axis=0), y - np.nanmean(y, axis=0)
    square = np.nansum(dx**2, axis=0)
    return pd.DataFrame(
        {
            "group": sorted_unique(rows["group"]),
            "n": n,
            "pearson": r,
            "spearman": pearson_columns(*ranked),
            "p": p,
            "q": benjamini_hochberg(p),
            "constant": constant,
            "silent": silent,
            "observed_mean": np.nanmean(x, axis=0),
            "predicted_mean": np.nanmean(y, axis=0),
            "observed_variance": np.nanvar(x, axis=0),
            "predicted_variance": np.nanvar(y, axis=0),
            "mae": np.nanmean(np.abs(x - y), axis=0),
            "r2_demeaned": np.where(
                square > 0, 1 - np.nansum((dx - dy) ** 2, axis=0) / np.where(square > 0, square, 1), 0
            ),
        }
    )


def matrices(rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return targets and predictions, `[samples, genes]`, both sorted by name; NaN where a pair is not among the rows."""
    people, genes = sorted_unique(rows["sample"]), sorted_unique(rows["group"])
    place = np.searchsorted(people, rows["sample"].to_numpy(str)), np.searchsorted(genes, rows["group"].to_numpy(str))
    tables = []
    for name in ("target", "prediction"):
        table = np.full((len(people), len(genes)), np.nan)
        table[place] = rows[name].to_numpy(float)
        tables.append(table)
    return tables[0], tables[1]


def sorted_unique(names: pd.Series) -> NDArray[np.str_]:
    """Return the distinct names, sorted."""
    return np.unique(names.to_numpy(str))


def correlation_p(r: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Return the two-sided p of Pearson correlations of n pairs; 1 where n is under 3."""
    r, n = np.asarray(r, float), np.asarray(n, float)
    free = np.maximum(n - 2, 1)
    with np.errstate(divide="ignore"):
        t = np.abs(r) * np.sqrt(free / np.maximum(1 - r**2, 0))
    return np.where(n > 2, 2 * stats.t.sf(t, free), 1.0)


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Return q values: the false discovery rate at which each test would be called (Benjamini and Hochberg 1995)."""
    p = np.asarray(p, float)
    return stats.false_discovery_control(p) if p.size else p

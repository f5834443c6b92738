"""The scorer of the StatBiomed DNA-AI hackathon (task 1, SNP2GEX), fault for fault.

Its faults, all kept: one constant gene makes the cross-individual correlation of its class NaN, a single missing row
makes both correlations NaN (and the mean error that of the remainder), genes that are not uploaded are not scored
(task 1a), and labels in the spelling of the hackathon's own description are not found. `strict` fixes them.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from glmflow.errors import InputError

from .label_classes import SCORED

DIGITS = 5
PROMOTER_ACTIVITY = "promoter activity"
VALID_ROW = "promoter valid row"


class ClassScore(NamedTuple):
    """Scores of one label class and the numbers of samples, genes and pairs of both behind them."""

    label: str
    cross_gene: float
    cross_individual: float
    mae: float
    people: int
    genes: int
    pairs: int


def official_scores(partitions: pd.DataFrame, submission: pd.DataFrame, target: str) -> list[ClassScore]:
    """Score a submission as the hackathon does, rounded to 5 digits.

    Parameters
    ----------
    partitions
        `sample`, `gene`, `labels` and the column `target` with what was measured; for `promoter activity` (task 1b)
        also `promoter valid row`, of which rows with 1 count.
    submission
        `sample`, `gene` and the column `target` with what is predicted.
    target
        Column of both.

    Returns
    -------
    list of ClassScore
        One a class; NaN where the scorer gives NaN or fails on a class of one sample or gene.

    Raises
    ------
    InputError
        A class has a pair of sample and gene twice, on which the scorer stops.
    """
    promoters = target == PROMOTER_ACTIVITY
    observed = partitions[partitions[VALID_ROW] == 1] if promoters else partitions
    predicted = submission if promoters else submission.dropna()
    return [_score_class(observed[observed["labels"] == label], predicted, target, label) for label in SCORED]


def _score_class(observed: pd.DataFrame, predicted: pd.DataFrame, target: str, label: str) -> ClassScore:
    """Score the rows of one class."""
    if target != PROMOTER_ACTIVITY:
        uploaded = observed["gene"].isin(predicted["gene"]) & observed["sample"].isin(predicted["sample"])
        observed = observed[uploaded]
    merged = observed[["gene", "sample"]].merge(predicted, on=["gene", "sample"], how="left").dropna(subset=target)
    x, y = (_matrix(table, target, label) for table in (observed, merged))
    counts = len(y), y.shape[1], len(merged)
    if x.shape != y.shape or x.empty:
        return ClassScore(label, np.nan, np.nan, np.nan, *counts)
    return ClassScore(label, _mean_pearson(x, y, 1), _mean_pearson(x, y, 0), _mean_error(x, y), *counts)


def _matrix(table: pd.DataFrame, target: str, label: str) -> pd.DataFrame:
    """Return samples x genes."""
    twice = table.duplicated(["sample", "gene"])
    if twice.any():
        first = table[twice].iloc[0]
        raise InputError(
            f"{int(twice.sum())} pairs of sample and gene come twice in {label!r}, such as {first['sample']}, {first['gene']}",
            fix="Give each pair once; the hackathon's scorer stops on this too.",
        )
    return table.pivot(index="sample", columns="gene", values=target)


def _mean_pearson(x: pd.DataFrame, y: pd.DataFrame, axis: int) -> float:
    """Return the mean correlation along an axis: NaN as soon as one of them is."""
    if x.shape[axis] < 2:
        return np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = stats.pearsonr(x.to_numpy(float), y.to_numpy(float), axis=axis)[0]
    return float(np.round(r.mean(), DIGITS))


def _mean_error(x: pd.DataFrame, y: pd.DataFrame) -> float:
    """Return the mean absolute error of the pairs that both have."""
    error = np.abs(x - y).to_numpy(float)
    return float(np.round(np.nanmean(error), DIGITS)) if np.isfinite(error).any() else np.nan

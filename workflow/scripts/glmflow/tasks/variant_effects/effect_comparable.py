"""What runs on variants are compared by: their units (chromosomes, blocks, genes ...) are left out one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from glmflow.statistics.classification import auroc
from glmflow.statistics.influence import of_weights
from glmflow.statistics.resampling import CORRELATION, SHARE
from glmflow.statistics.stored import Stored, digest

from .binary_effects import LEAST
from .effect_units import units_of
from .matched_groups import pairwise_of_groups
from .measured_effects import oriented, weighted_pearson

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def comparable_scores(
    examples: pd.DataFrame, scores: NDArray[np.float64], direction: str | None, least: int = LEAST
) -> dict[str, Stored]:
    """Return the scores over all variants by metric, the one to be judged by first, with what a comparison needs.

    Parameters
    ----------
    examples
        The examples table of the task: `target` 0 or 1, or a measured effect.
    scores
        `float64[n]`, higher meaning more likely to matter; NaN where there is none: it has no part in the score.
    direction
        How a measured effect is compared (see `measured_effects`); None: the target is a label.
    least
        Variants of each class (or of an element) that a subset needs.
    """
    table = examples.reset_index(drop=True)
    units, has = units_of(table), np.isfinite(scores)
    target = table["target"].to_numpy(float)
    if direction is None:
        found = dict(_of_labels(table, scores, target == 1, has, least))
    else:
        effects = oriented(target, direction)
        found = dict(_of_effects(table, scores, effects, has & np.isfinite(effects), least))
    name = digest(table["example"], units.codes, target)
    plays = bool(has.any() and np.ptp(scores[has]) > 0)
    facts = {"missing": float((~has).mean())}
    return {
        metric: Stored(
            of_weights(statistic, len(table), units.codes)._replace(plays=plays),
            name,
            chance=chance,
            bounds=CORRELATION if metric.startswith("spearman") else SHARE,
            facts=facts,
        )
        for metric, (statistic, chance) in found.items()
    }


def _of_labels(
    table: pd.DataFrame, scores: NDArray, labels: NDArray, has: NDArray, least: int
) -> Mapping[str, tuple[Statistic, float]]:
    """Return statistics of weights by metric, with the score of a model that knows nothing."""
    found: dict[str, tuple[Statistic, float]] = {}
    if not (labels[has].any() and (~labels[has]).any()):
        return found
    pairs = pairwise_of_groups(table, scores, labels, has)
    if len(pairs.values):
        found["pairwise"] = (lambda weights: _mean(weights[:, pairs.rows], pairs.values), 0.5)
    if "consequence" in table:
        own = [
            has & (table["consequence"].astype(str) == value).to_numpy()
            for value in sorted(table["consequence"].dropna().astype(str).unique())
        ]
        enough = [rows for rows in own if min(labels[rows].sum(), (~labels[rows]).sum()) >= least]
        if enough:
            found["auroc_mean_consequence"] = (
                lambda weights: np.mean([_auroc(labels, scores, rows)(weights) for rows in enough], axis=0),
                0.5,
            )
    found["auroc"] = (_auroc(labels, scores, has), 0.5)
    return found


def _of_effects(
    table: pd.DataFrame, scores: NDArray, effects: NDArray, has: NDArray, least: int
) -> Mapping[str, tuple[Statistic, float]]:
    """Return statistics of weights by metric; ranks stay those of all variants."""
    if has.sum() < 2:
        return {}
    found: dict[str, tuple[Statistic, float]] = {}
    column = next((name for name in ("element", "group") if name in table and table[name].notna().any()), None)
    if column:
        names = table.loc[has, column].dropna().unique()
        enough = [rows for name in names if (rows := has & (table[column] == name).to_numpy()).sum() >= least]
        if enough:
            values = np.array([_ranked(scores, effects, rows)(np.ones((1, len(table))))[0] for rows in enough])
            shares = np.stack([rows / rows.sum() for rows in enough], axis=1)
            found["spearman_mean_element"] = (lambda weights: _mean(weights @ shares, values), 0.0)
    return found | {"spearman": (_ranked(scores, effects, has), 0.0)}


def _auroc(labels: NDArray, scores: NDArray, rows: NDArray) -> Statistic:
    """Return the AUROC of some rows as a function of the weights of all."""
    return lambda weights: auroc(labels[rows], scores[rows], weights[:, rows])


def _ranked(scores: NDArray, effects: NDArray, rows: NDArray) -> Statistic:
    """Return the correlation of ranks of some rows as a function of the weights of all."""
    ranks = rankdata(scores[rows]), rankdata(effects[rows])
    return lambda weights: np.nan_to_num(weighted_pearson(*ranks, weights[:, rows]))


def _mean(weights: NDArray, values: NDArray) -> NDArray[np.float64]:
    """Return the weighted mean of values in each draw; NaN where nothing is drawn."""
    total = weights.sum(axis=1)
    return np.divide(weights @ values, total, out=np.full(len(total), np.nan), where=total > 0)

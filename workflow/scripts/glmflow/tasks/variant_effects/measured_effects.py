"""Metrics of variants whose effect was measured: saturation editing, reporter assays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from glmflow.statistics.correlation import spearman
from glmflow.tasks.tables import metric_row

from .binary_effects import LEAST, subsets
from .effect_units import DRAWS, Units, draws_of, interval, over_draws, units_of

DIRECTIONS = ("loss", "magnitude", "signed")


def oriented(effects: NDArray, direction: str) -> NDArray[np.float64]:
    """Return measured effects as scores are compared with them, higher meaning more.

    `loss`: minus the effect (a low function is a loss); `magnitude`: its size; `signed`: itself.
    """
    effects = np.asarray(effects, float)
    return {"loss": -effects, "magnitude": np.abs(effects), "signed": effects}[direction]


def measured_rows(
    examples: pd.DataFrame,
    scores: NDArray[np.float64],
    direction: str,
    least: int = LEAST,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return Spearman's correlation of scores with measured effects, as rows of a metrics table.

    Over all variants, within each subset, and, where variants lie in elements (`element`, else `group`): the mean over
    elements, and the correlation of ranks within elements, pooled.

    Parameters
    ----------
    examples
        `target` (the effect), `chrom`, `start`, and where there are `element`, `group`, `consequence`, `exon`, `kind`.
    scores
        `float64[n]`, higher meaning more of what `direction` asks for; NaN where there is none.
    direction
        See `oriented`.
    """
    table = examples.reset_index(drop=True)
    effects = oriented(table["target"].to_numpy(float), direction)
    has = np.isfinite(scores) & np.isfinite(effects)
    rows = [metric_row("n_without_score", int((~np.isfinite(scores)).sum()), len(table), subset="all")]
    units = units_of(table)
    drawn = draws_of(units, draws, seed)
    rows.append(_row(scores, effects, has, units, drawn, "all"))
    rows += _within_elements(table, scores, effects, has, units, drawn, least)
    for subset, members in subsets(table):
        inside = members & has
        if inside.sum() >= least:
            some = units_of(table[inside].reset_index(drop=True))
            rows.append(_row(scores[inside], effects[inside], np.ones(inside.sum(), bool), some,
                             draws_of(some, draws, seed), subset))  # fmt: skip
    return rows


def _row(scores: NDArray, effects: NDArray, has: NDArray, units: Units, drawn: NDArray, subset: str) -> dict[str, Any]:
    """Return Spearman's correlation with its interval."""
    x, y = scores[has], effects[has]
    value = spearman(x, y)
    ranks = rankdata(x), rankdata(y)
    found = over_draws(lambda weights: weighted_pearson(*ranks, weights), drawn, units.codes[has])
    return metric_row("spearman", interval(value, found, int(has.sum())), subset=subset)


def weighted_pearson(x: NDArray, y: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Return Pearson's correlation of each weighting `[draws, n]`; NaN where either is constant."""
    x, y = x - x.mean(), y - y.mean()
    total = weights.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mx, my = weights @ x / total, weights @ y / total
        covariance = weights @ (x * y) / total - mx * my
        spread = np.sqrt((weights @ (x * x) / total - mx**2) * (weights @ (y * y) / total - my**2))
        return np.where(spread > 1e-12, covariance / spread, np.nan)


def _within_elements(
    table: pd.DataFrame, scores: NDArray, effects: NDArray, has: NDArray, units: Units, drawn: NDArray, least: int
) -> list[dict[str, Any]]:
    """Return the mean over elements of their correlations, and that of ranks within elements, pooled."""
    column = next((name for name in ("element", "group") if name in table and table[name].notna().any()), None)
    if column is None:
        return []
    values, weights = [], []
    ranks = np.full((2, len(table)), np.nan)
    for name in table[column].dropna().unique():
        inside = has & (table[column] == name).to_numpy()
        if inside.sum() < least:
            continue
        values.append(spearman(scores[inside], effects[inside]))
        weights.append(over_draws(lambda weights: weights.mean(1), drawn, units.codes[inside]))
        for row, one in enumerate((scores, effects)):
            ranks[row, inside] = (rankdata(one[inside]) - 0.5) / inside.sum()
    if not values:
        return []
    weight = np.stack(weights, 1)
    total = weight.sum(1)
    means = np.divide(weight @ np.array(values), total, out=np.full(len(total), np.nan), where=total > 0)
    known = np.isfinite(ranks).all(0)
    pair = ranks[:, known]
    pooled = over_draws(lambda weights: weighted_pearson(*pair, weights), drawn, units.codes[known])
    value = spearman(ranks[0, known], ranks[1, known])
    return [
        metric_row("spearman_mean_element", interval(float(np.mean(values)), means, len(values)), subset="all"),
        metric_row("spearman_pooled_ranks", interval(value, pooled, int(known.sum())), subset="all"),
    ]

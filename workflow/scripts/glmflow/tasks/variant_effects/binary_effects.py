"""Metrics of variants that are labelled 0 or 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.classification import auroc, average_precision
from glmflow.tasks.tables import CLEAN, metric_row

from .effect_units import DRAWS, Units, draws_of, interval, over_draws, units_of
from .matched_groups import matched_rows, official_rows

LEAST = 10
"""Variants of each class that a subset has to have, to be scored."""

Row = dict[str, Any]


def binary_rows(
    examples: pd.DataFrame,
    scores: NDArray[np.float64],
    least: int = LEAST,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Row]:
    """Return the metrics of scores, higher meaning more likely positive, as rows of a metrics table.

    `strict`: variants without a score are left out and counted; `auroc_missing_last` and `auprc_missing_last` rank them
    last, so that coverage counts. `official`: what TraitGym computes (missing scores take the mean, ties go to the first
    row, chromosomes weigh by their variants).

    Parameters
    ----------
    examples
        `target` (0 or 1), `chrom`, `start`, and where there are `consequence`, `match_group`, `group`, `kind`.
    scores
        `float64[n]`; NaN where there is none.
    """
    table = examples.reset_index(drop=True)
    labels = table["target"].to_numpy(float) == 1
    has = np.isfinite(scores)
    units = units_of(table)
    rows = list(_whole(table, scores, labels, has, units, least, draws, seed))
    for subset, members in subsets(table):
        inside = members & has
        if min(labels[inside].sum(), (~labels[inside]).sum()) >= least:
            some = table[inside].reset_index(drop=True)
            own = units_of(some)
            rows += _both_classes(scores[inside], labels[inside], own, draws_of(own, draws, seed), subset)
            rows.append(metric_row("n_without_score", int((members & ~has).sum()), int(members.sum()), subset=subset))
    return rows


def subsets(table: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield name and members of each subset: without copies of training, consequences, chromosomes, changes, genes, exons."""
    if CLEAN in table and table[CLEAN].any() and not table[CLEAN].all():
        yield CLEAN, table[CLEAN].to_numpy(bool)
    prefixes = {"consequence": "consequence", "chrom": "chrom", "kind": "kind", "group": "gene", "exon": "exon"}
    for column, prefix in prefixes.items():
        if column not in table or table[column].isna().all():
            continue
        for value in sorted(table[column].dropna().astype(str).unique()):
            if value:
                yield f"{prefix}:{value}", (table[column].astype(str) == value).to_numpy()


def _whole(
    table: pd.DataFrame,
    scores: NDArray,
    labels: NDArray,
    has: NDArray,
    units: Units,
    least: int,
    draws: int,
    seed: int,
) -> Iterator[Row]:
    """Yield the metrics over all variants."""
    drawn = draws_of(units, draws, seed)
    yield metric_row("n_without_score", int((~has).sum()), len(table), subset="all")
    if labels[has].any() and (~labels[has]).any():
        yield from _both_classes(scores[has], labels[has], Units(units.name, units.codes[has]), drawn, "all")
        last = np.where(has, scores, np.min(scores[has]) - 1)
        for name, value in _ranked(last, labels, units, drawn).items():
            yield metric_row(f"{name}_missing_last", value, subset="all")
        yield from _by_consequence(table, scores, labels, has, units, drawn, least)
        yield from _by_chromosome(table, scores, labels, has, units, drawn)
        yield from official_rows(table, scores, labels, draws, seed)
    if "match_group" in table and table["match_group"].notna().any():
        yield from matched_rows(table, scores, labels, has, units, drawn)


def _both_classes(scores: NDArray, labels: NDArray, units: Units, drawn: NDArray, subset: str) -> list[Row]:
    """Return AUROC, average precision and base rate of scored variants of both classes."""
    found = _ranked(scores, labels, units, drawn)
    rows = [metric_row(name, value, subset=subset) for name, value in found.items()]
    rows.append(metric_row("base_rate", float(labels.mean()), len(labels), subset=subset))
    rows.append(metric_row("n_pos", int(labels.sum()), len(labels), subset=subset))
    return rows


def _ranked(scores: NDArray, labels: NDArray, units: Units, drawn: NDArray) -> dict[str, Interval]:
    """Return AUROC and average precision with their intervals."""
    values = {"auroc": roc_auc_score(labels, scores), "auprc": average_precision_score(labels, scores)}
    return {
        name: interval(value, over_draws(_of(name, scores, labels), drawn, units.codes), len(labels))
        for name, value in values.items()
    }


def _of(name: str, scores: NDArray, labels: NDArray) -> Callable[[NDArray], NDArray]:
    """Return `auroc` or `auprc` of some rows as a function of their weights `[draws, rows]`."""
    statistic = {"auroc": auroc, "auprc": average_precision}[name]
    return lambda weights: statistic(labels, scores, weights)


def _by_consequence(
    table: pd.DataFrame, scores: NDArray, labels: NDArray, has: NDArray, units: Units, drawn: NDArray, least: int
) -> Iterator[Row]:
    """Yield the mean AUROC over consequences with enough of both classes: the headline of unmatched sets."""
    if "consequence" not in table:
        return
    values, draws = [], []
    for value in sorted(table["consequence"].dropna().astype(str).unique()):
        inside = has & (table["consequence"].astype(str) == value).to_numpy()
        if min(labels[inside].sum(), (~labels[inside]).sum()) >= least:
            values.append(roc_auc_score(labels[inside], scores[inside]))
            draws.append(over_draws(_of("auroc", scores[inside], labels[inside]), drawn, units.codes[inside]))
    if values:
        means = np.nanmean(np.stack(draws), 0)
        yield metric_row("auroc_mean_consequence", interval(np.mean(values), means, len(values)), subset="all")


def _by_chromosome(
    table: pd.DataFrame, scores: NDArray, labels: NDArray, has: NDArray, units: Units, drawn: NDArray
) -> Iterator[Row]:
    """Yield average precision within chromosomes of both classes, weighted by their positives; and how many have both."""
    values, counts, draws, lacking = [], [], [], 0
    for chrom in table["chrom"].unique():
        inside = has & (table["chrom"] == chrom).to_numpy()
        if not (labels[inside].any() and (~labels[inside]).any()):
            lacking += 1
            continue
        codes, own = units.codes[inside], labels[inside]
        values.append(average_precision_score(own, scores[inside]))
        counts.append(own.sum())
        found = over_draws(_of("auprc", scores[inside], own), drawn, codes)
        draws.append((found, over_draws(lambda weights, own=own: weights @ own, drawn, codes)))
    if not values:
        return
    value = float(np.average(values, weights=counts))
    total = np.sum([weight for _, weight in draws], 0)
    sums = np.sum([np.nan_to_num(one) * weight for one, weight in draws], 0)
    means = np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0)
    yield metric_row("auprc_by_chrom", interval(value, means, len(values)), subset="all")
    yield metric_row("chromosomes_without_both_classes", lacking, lacking + len(values), subset="all")


def paired_difference(
    examples: pd.DataFrame,
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    metric: str = "auroc",
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Return the difference of two models' `auroc` or `auprc` with its interval, over the variants that both score.

    Both are computed on the same draws of the independent unit.
    """
    both = np.isfinite(one) & np.isfinite(other)
    table = examples[both].reset_index(drop=True)
    labels = table["target"].to_numpy(float) == 1
    units = units_of(table)
    drawn = draws_of(units, draws, seed)
    pair = [_of(metric, scores[both], labels) for scores in (one, other)]
    found = [over_draws(statistic, drawn, units.codes) for statistic in pair]
    everything = np.ones((1, len(labels)))
    value = float(pair[0](everything)[0] - pair[1](everything)[0])
    return interval(value, found[0] - found[1], units.count)

"""Metrics over groups of a positive and its matched controls, and all that TraitGym reports, as it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from glmflow.statistics.bootstrap import Interval
from glmflow.tasks.tables import metric_row

from .effect_units import Units, draws_of, interval

Row = dict[str, Any]


def official_rows(table: pd.DataFrame, scores: NDArray, labels: NDArray, draws: int, seed: int) -> Iterator[Row]:
    """Yield what TraitGym reports: missing scores take the mean; chromosomes weigh by their variants, 0 without positives.

    Its standard error is that of a block bootstrap over chromosomes.
    """
    filled = np.where(np.isfinite(scores), scores, np.nanmean(scores))
    official = {"subset": "all", "protocol": "official"}
    yield metric_row("auroc", float(roc_auc_score(labels, filled)), len(labels), **official)
    yield metric_row("auprc", float(average_precision_score(labels, filled)), len(labels), **official)
    values, counts = [], []
    for chrom in table["chrom"].unique():
        inside = (table["chrom"] == chrom).to_numpy()
        values.append(average_precision_score(labels[inside], filled[inside]) if labels[inside].any() else 0.0)
        counts.append(inside.sum())
    values, counts = np.array(values), np.array(counts, float)
    chromosomes = draws_of(Units("chrom", np.arange(len(values))), draws, seed)
    drawn = (chromosomes @ (values * counts)) / (chromosomes @ counts)
    value, spread = float(np.average(values, weights=counts)), float(drawn.std())
    bounds = Interval(value, value - 1.96 * spread, value + 1.96 * spread, len(values))
    yield metric_row("auprc_by_chrom", bounds, **official)
    groups = _groups(table)
    if groups is not None:
        best = [labels[rows][np.argmax(filled[rows])] for rows in groups if labels[rows].any()]
        if best:
            yield metric_row("top1", float(np.mean(best)), len(best), **official)


def _groups(table: pd.DataFrame) -> list[NDArray[np.int64]] | None:
    """Return the rows of each match group; None without any."""
    if "match_group" not in table:
        return None
    names = table["match_group"]
    known = names.notna() & (names.astype(str) != "")
    if not known.any():
        return None
    codes = pd.factorize(names.where(known))[0]
    return [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]


class Pairwise(NamedTuple):
    """Groups of one positive and its controls: the share of controls that score lower, whether it is first, its row."""

    values: NDArray[np.float64]
    top: NDArray[np.float64]
    rows: NDArray[np.int64]


def pairwise_of_groups(table: pd.DataFrame, scores: NDArray, labels: NDArray, has: NDArray) -> Pairwise:
    """Return what each group of one positive and its controls says; equal scores share. `rows` are those of positives."""
    top, pairwise, owner = [], [], []
    for rows in _groups(table) or []:
        rows = rows[has[rows]]
        if labels[rows].sum() != 1 or len(rows) < 2:
            continue
        own, others = scores[rows][labels[rows]][0], scores[rows][~labels[rows]]
        equal = (others == own).sum()
        top.append(1 / (1 + equal) if (others <= own).all() else 0.0)
        pairwise.append(((others < own).sum() + equal / 2) / len(others))
        owner.append(rows[labels[rows]][0])
    return Pairwise(np.array(pairwise, float), np.array(top, float), np.array(owner, np.int64))


def matched_rows(
    table: pd.DataFrame, scores: NDArray, labels: NDArray, has: NDArray, units: Units, drawn: NDArray
) -> Iterator[Row]:
    """Yield `top1` and `pairwise` over groups of one positive and its controls; equal scores share."""
    found = pairwise_of_groups(table, scores, labels, has)
    if not len(found.values):
        return
    weights = drawn[:, units.codes[found.rows]]
    total = np.maximum(weights.sum(1), 1e-300)
    for name, values in (("top1", found.top), ("pairwise", found.values)):
        draws = np.where(weights.sum(1) > 0, weights @ values / total, np.nan)
        yield metric_row(name, interval(np.mean(values), draws, len(values)), subset="all")

"""Scores of several labels or measured values: each by itself (a track), and the mean over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks import task_block
from glmflow.files import read_table
from glmflow.statistics.classification import auroc, average_precision, chance_precision
from glmflow.statistics.group_draws import bootstrap
from glmflow.statistics.regression import constant, value_scores
from glmflow.tasks.class_scores import declared_scores, official_rows
from glmflow.tasks.comparable import cell
from glmflow.tasks.held_out import groups_of, held_out_rows, parts_of
from glmflow.tasks.labelled_units import comparable_scores
from glmflow.tasks.tables import Scored, metric_row, metrics_table, run_keys

Scores = dict[str, NDArray[np.float64]]
OfColumn = Callable[[NDArray, NDArray, NDArray], Scores]


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score labels (probabilities) or values on every held-out split and subset; intervals resample groups.

    Of several ones each is a track, and `mean` the mean over them: of labels over those that some sequences of the part
    have and some have not. What a run under a published protocol reports stands beside them (`official_rows`).

    Parameters
    ----------
    examples
        `example`, `split`, `target_{name}`; `group` and `subset` (names joined by `;`) where known.
    predictions
        `example`, and `prediction_{name}` for every name.
    files
        `tables`: the folder with `classes.tsv`, which holds the names.
    """
    labels = task_block(settings["task"]).target == "label_set"
    names = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    rows = held_out_rows(examples, predictions, names)
    found, tables, units = [], [], {}
    for split, subset, part in parts_of(rows):
        truth = part[[f"target_{name}" for name in names]].to_numpy(np.int64 if labels else np.float64)
        scores = part[[f"prediction_{name}" for name in names]].to_numpy(float)
        if subset == "all":
            tables.append((label_table if labels else value_table)(split, truth, scores, names))
        used = np.flatnonzero((truth == 0).any(axis=0) & (truth == 1).any(axis=0)) if labels else np.arange(len(names))
        if not len(used):
            continue
        columns = partial(
            of_columns, names=[names[place] for place in used], score=of_label if labels else value_scores
        )
        draws, whole = settings["task"]["bootstrap"], "mean" if len(used) > 1 else "all"
        for name, interval in bootstrap(columns, truth[:, used], scores[:, used], groups_of(part), draws).items():
            metric, _, track = name.partition(" ")
            row = metric_row(metric, interval._replace(n=len(part)), split=split, subset=subset, track=track or whole)
            found.append(row)
        for name, one in comparable_scores(part, truth[:, used], scores[:, used], columns).items():
            units[cell(name, split, subset, whole, task_block(settings["task"]).window_bp)] = one
    found += official_rows(settings, found)
    keys = {**run_keys(settings), "context_bp": task_block(settings["task"]).window_bp}
    tables_by_name = {("classes" if labels else "values") + ".tsv": pd.concat(tables)}
    return Scored(metrics_table(found, **keys), tables_by_name, units)


def of_columns(
    truth: NDArray, scores: NDArray, weights: NDArray[np.float64], names: Sequence[str], score: OfColumn
) -> Scores:
    """Return each metric's mean over columns, and of several columns `{metric} {name}` of each, `[draws]`."""
    each = [score(*columns, weights) for columns in zip(truth.T, scores.T)]
    found: Scores = {}
    for metric in each[0]:
        values = np.stack([own[metric] for own in each])
        known = np.isfinite(values)
        total = np.where(known, values, 0).sum(axis=0)
        found[metric] = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
    if len(names) > 1:
        found |= {f"{metric} {name}": own[metric] for name, own in zip(names, each) for metric in own}
    return found


def of_label(truth: NDArray[np.int64], scores: NDArray[np.float64], weights: NDArray[np.float64]) -> Scores:
    """Return the declared metrics of one label, `[draws]`."""
    return declared_scores(truth, np.stack([1 - scores, scores], axis=1), weights, "label_set")


def label_table(split: str, truth: NDArray, scores: NDArray, names: Sequence[str]) -> pd.DataFrame:
    """Return `split`, `class`, `n` (sequences that have the label), `auroc`, `auprc`, `chance_auprc`, a row a label."""
    rows = [
        (split, name, own.sum(), auroc(own > 0, said)[0], average_precision(own > 0, said)[0], _chance(own))
        for name, own, said in zip(names, truth.T, scores.T)
    ]
    return pd.DataFrame(rows, columns=["split", "class", "n", "auroc", "auprc", "chance_auprc"])


def _chance(own: NDArray) -> float:
    """Return the average precision that a random order of a label's sequences is expected to have."""
    return chance_precision(int((own > 0).sum()), len(own))


def value_table(split: str, truth: NDArray, scores: NDArray, names: Sequence[str]) -> pd.DataFrame:
    """Return means and spreads of measured and predicted values, and whether the prediction is constant, a row a value."""
    rows = [
        (split, name, len(own), own.mean(), own.std(), said.mean(), said.std(), constant(said))
        for name, own, said in zip(names, truth.T, scores.T)
    ]
    columns = ["measured_mean", "measured_sd", "predicted_mean", "predicted_sd", "constant"]
    return pd.DataFrame(rows, columns=["split", "value", "n", *columns])

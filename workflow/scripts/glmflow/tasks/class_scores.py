"""Scores of predicted classes on each held-out split and its leak-free subsets, with intervals over groups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.benchmark_sets import benchmark_set
from glmflow.config.tasks import task_block
from glmflow.config.written_short import protocol_metric
from glmflow.files import read_table
from glmflow.metrics import declared
from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.classification import class_scores
from glmflow.statistics.group_draws import bootstrap
from glmflow.tasks.class_curves import curves_table
from glmflow.tasks.comparable import cell
from glmflow.tasks.held_out import groups_of, held_out_rows, parts_of
from glmflow.tasks.labelled_units import comparable_scores
from glmflow.tasks.matched_rows import all_matched, matched_rows, paired_scores
from glmflow.tasks.tables import Scored, metric_row, metrics_table, run_keys

TARGET = "class_label"


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the class probabilities of a run on every held-out split and subset; intervals resample groups.

    Where the groups of a split are pairs of both classes, their `paired_accuracy` too.

    Parameters
    ----------
    examples
        `example`, `split`, `target`; `group` and `subset` (names joined by `;`) where known.
    predictions
        `example`, and `prediction_{class}` for every class.
    files
        `tables`: the folder with `classes.tsv`.

    Raises
    ------
    InputError
        A held-out example has no finite prediction.
    """
    classes = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    columns = [f"prediction_{name}" for name in classes]
    rows = held_out_rows(examples, predictions, classes)
    number = {name: place for place, name in enumerate(classes)}
    found, tables, units, matched = [], [], {}, False
    for split, subset, part in parts_of(rows):
        truth = part["target"].astype(str).map(number).to_numpy(np.int64)
        matched = all_matched(part, truth, len(classes)) if subset == "all" else matched
        scores = part[columns].to_numpy(float)
        intervals = bootstrap(declared_scores, truth, scores, groups_of(part), settings["task"]["bootstrap"])
        for name, interval in intervals.items():
            found.append(metric_row(name, interval._replace(n=len(part)), split=split, subset=subset))
        if matched and len(pairs := matched_rows(part, truth)):
            draws = settings["task"]["bootstrap"]
            for name, interval in bootstrap(paired_scores(pairs), truth, scores, groups_of(part), draws).items():
                found.append(metric_row(name, interval._replace(n=len(pairs)), split=split, subset=subset))
        for name, one in comparable_scores(part, truth, scores, declared_scores).items():
            units[cell(name, split, subset, context_bp=task_block(settings["task"]).window_bp)] = one
        if subset == "all":
            tables.append((split, truth, scores, groups_of(part)))
    found += official_rows(settings, found)
    keys = {**run_keys(settings), "context_bp": task_block(settings["task"]).window_bp}
    curves = curves_table(tables, classes, settings["task"]["bootstrap"])
    tables = [part[:3] for part in tables]
    return Scored(
        metrics_table(found, **keys),
        {
            "confusion.tsv": confusion_table(tables, classes),
            "classes.tsv": table_of_classes(tables, classes),
            "curves.tsv": curves,
        },
        units,
    )


def official_rows(settings: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a run under a published protocol reports: its metric of the whole test split, without an interval.

    The metric is that of the protocol, or of the published set where that of the protocol is none of what is predicted; none
    where neither says one. Of several labels or values it is the mean over them.
    """
    name = (settings.get("adaptation") or {}).get("protocol")
    preset = settings["task"].get("preset")
    if not name:
        return []
    whole = [row for row in rows if (row["split"], row["subset"]) == ("test", "all")]
    whole = [row for row in whole if row.get("track", "all") in ("all", "mean")]
    wanted = (protocol_metric(name, preset), benchmark_set(preset).get("metric") if preset else None)
    known = {row["metric"] for row in whole}
    metric = next((one for one in wanted if one in known), None)
    found = [row for row in whole if row["metric"] == metric]
    return [{**row, "protocol": "official", "ci_low": None, "ci_high": None} for row in found]


def declared_scores(
    truth: NDArray[np.int64], scores: NDArray[np.float64], weights: NDArray[np.float64], target: str = TARGET
) -> dict[str, NDArray[np.float64]]:
    """Return the declared metrics of a target whose outputs are classes, each `[draws]`, computed for all draws at once.

    A metric that has no such form is computed draw by draw.
    """
    fast = class_scores(truth, scores, weights)
    fast |= {"cross_entropy": fast["log_loss"], "ece": fast["ece15"]}
    if scores.shape[1] == 2:
        fast["brier"] = fast["brier"] / 2  # the declared one is of the second class, as scikit-learn's
    found = {}
    for name, metric in declared(target).items():
        if getattr(metric, "CLASSES", scores.shape[1]) != scores.shape[1]:
            continue
        found[name] = fast[name] if name in fast else _slowly(metric.value, truth, scores, weights)
    return found


def _slowly(value: Any, truth: NDArray, scores: NDArray, weights: NDArray) -> NDArray[np.float64]:
    drawn = [np.repeat(np.arange(len(truth)), row.astype(np.int64)) for row in weights]
    return np.array([value(truth[rows], scores[rows]) for rows in drawn], np.float64)


def confusion_table(tables: list[tuple[str, NDArray, NDArray]], classes: list[str]) -> pd.DataFrame:
    """Return how many examples of each class are taken for each: `split`, `observed`, `predicted`, `count`."""
    rows = []
    for split, truth, scores in tables:
        counts = np.bincount(truth * len(classes) + scores.argmax(axis=1), minlength=len(classes) ** 2)
        for place, count in enumerate(counts.tolist()):
            rows.append((split, classes[place // len(classes)], classes[place % len(classes)], count))
    return pd.DataFrame(rows, columns=["split", "observed", "predicted", "count"])


def table_of_classes(tables: list[tuple[str, NDArray, NDArray]], classes: list[str]) -> pd.DataFrame:
    """Return scores of each class against the others, a row a split and class.

    `split`, `class`, `n`, `precision`, `recall`, `f1`, `auroc`, `auprc`, `chance_auprc` (what chance gives).
    """
    from glmflow.statistics.classification import auroc, average_precision, chance_precision

    rows = []
    for split, truth, scores in tables:
        chosen = scores.argmax(axis=1)
        for place, name in enumerate(classes):
            own, said = truth == place, chosen == place
            hits = int((own & said).sum())
            with np.errstate(invalid="ignore", divide="ignore"):
                precision, recall = np.float64(hits) / said.sum(), np.float64(hits) / own.sum()
                f1 = 2 * np.float64(hits) / (said.sum() + own.sum())
            areas = float(auroc(own, scores[:, place])[0]), float(average_precision(own, scores[:, place])[0])
            chance = chance_precision(int(own.sum()), len(own))
            rows.append((split, name, int(own.sum()), precision, recall, f1, *areas, chance))
    columns = ["split", "class", "n", "precision", "recall", "f1", "auroc", "auprc", "chance_auprc"]
    return pd.DataFrame(rows, columns=columns)


def bootstrapped(
    value: Any, truth: NDArray[np.int64], scores: NDArray[np.float64], draws: int, seed: int = 0
) -> Interval:
    """Return a metric of classes with its 95 % percentile interval over resampled examples."""

    def one(observed: NDArray, predicted: NDArray, weights: NDArray) -> dict[str, NDArray]:
        return {"value": _slowly(value, observed, predicted, weights)}

    return bootstrap(one, truth, scores, np.arange(len(truth)), draws, seed)["value"]

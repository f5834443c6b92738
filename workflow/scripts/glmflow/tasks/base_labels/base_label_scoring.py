"""Scores of a run on labelled bases: over all bases of a split, class by class, and window by window."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.metrics import bounds
from glmflow.statistics.bootstrap import interval_of_mean
from glmflow.statistics.classification import chance_precision, confusion_scores
from glmflow.statistics.influence import several_of_weights
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.base_labels.base_label_scores import confusions, per_sequence, pooled_curves, pooled_scores
from glmflow.tasks.class_scores import official_rows
from glmflow.tasks.comparable import cell
from glmflow.tasks.held_out import groups_of, held_out_rows, parts_of
from glmflow.tasks.tables import Scored, metric_row, metrics_table, run_keys
from glmflow.tasks.window_labels import read_labels, read_probabilities


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the class probabilities of all bases or bins of every held-out split and subset.

    `mcc`, `accuracy`, `f1_macro`, `auroc`, `auprc` pooled over bases (areas: mean over classes against the others, of two
    classes that of the second), `f1`, `auroc`, `auprc` of each class as a track, `mcc_per_sequence`: the mean over windows.
    Intervals resample groups of windows.

    Parameters
    ----------
    predicted
        Folder with `probabilities.npy`, the held-out windows in the order of the examples.
    files
        `tables`: the folder with `classes.tsv` and `labels.parquet`.

    Raises
    ------
    InputError
        The predictions are not those of these windows.
    """
    classes = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    task = task_block(settings["task"])
    rows = held_out_rows(examples, predictions, classes)
    labels, table = read_labels(Path(files["tables"]), rows["example"]), read_probabilities(predicted)
    if table.shape != (*labels.shape, len(classes)):
        raise InputError(f"probabilities {table.shape} of labels {labels.shape}", where=predicted, fix="Predict again.")
    found, counted, units = [], [], {}
    for split, subset, part in parts_of(rows):
        at = part.index.to_numpy()
        own, groups = labels[at], groups_of(part)
        keys = {"split": split, "subset": subset, "track": "all"}
        tables = confusions(own, np.stack([table[row].argmax(axis=1) for row in at]), len(classes))
        of_all = pooled_scores(tables, groups, settings["task"]["bootstrap"])
        scored = int((own >= 0).sum())
        found += [
            metric_row(name, of_all[name]._replace(n=scored), **keys)
            for name in ("mcc", "accuracy", "balanced_accuracy", "f1_macro")
            if name in of_all
        ]
        found.append(
            metric_row(
                "mcc_per_sequence", interval_of_mean(per_sequence(tables), settings["task"]["bootstrap"]), **keys
            )
        )
        for metric, one in comparable_scores(part, tables).items():
            units[cell(metric, split, subset, context_bp=task.window_bp)] = one
        by_class = {}
        for place, name in enumerate(classes):
            scores = np.stack([table[row][:, place] for row in at]).astype(np.float32)
            by_class[name] = areas(own, scores, place, groups, settings["task"]["bootstrap"])
            f1 = of_all[f"f1_{place}"]._replace(n=int((own == place).sum()))
            each = [("f1", f1), *((metric, one._replace(n=scored)) for metric, one in by_class[name].items())]
            found += [metric_row(metric, one, **{**keys, "track": name}) for metric, one in each]
        found += [metric_row(*one, **{**keys, "track": "mean"}) for one in of_areas(by_class, classes, scored)]
        if subset == "all":
            counted.append((split, tables.sum(axis=0), by_class))
    found += official_rows(settings, found)
    keys = {**run_keys(settings), "context_bp": task.window_bp}
    facts = {"confusion.tsv": confusion_table(counted, classes), "classes.tsv": table_of_classes(counted, classes)}
    return Scored(metrics_table(found, **keys), facts, units)


def comparable_scores(part: pd.DataFrame, tables: NDArray[np.float64]) -> dict[str, Stored]:
    """Return what runs are compared by: scores pooled over bases, and what each group of windows adds to them.

    Parameters
    ----------
    part
        `example`, and `group` where known.
    tables
        Confusion table of each window, `[windows, classes, classes]`.
    """
    groups, size = groups_of(part), tables.shape[1]
    flat = tables.reshape(len(tables), -1)

    def pooled(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        scores = confusion_scores((weights @ flat).reshape(-1, size, size))
        return {"mcc": scores["mcc"], "accuracy": scores["accuracy"]}

    units = digest(part["example"], groups, tables.sum(axis=2).ravel())
    plays = bool((tables.sum(axis=(0, 1)) > 0).sum() > 1)  # more than one class is ever predicted
    known = tables.sum(axis=(0, 2))
    chance = {"mcc": 0.0, "accuracy": float(known.max() / max(known.sum(), 1))}
    found = several_of_weights(pooled, len(part), groups)
    return {
        name: Stored(one._replace(plays=plays), units, chance=chance[name], bounds=bounds(name))
        for name, one in found.items()
    }


def areas(labels: NDArray, scores: NDArray, place: int, groups: NDArray, draws: int) -> dict[str, Any]:
    """Return `auroc` and `auprc` of a class against the others; none where all bases or no base have it."""
    known = labels >= 0
    positive = labels == place
    if not positive[known].any() or positive[known].all():
        return {}
    return pooled_curves(positive, np.where(known, scores, np.nan), groups, draws)


def of_areas(by_class: Mapping[str, Mapping[str, Any]], classes: list[str], count: int) -> list[tuple]:
    """Return the areas of a whole: of two classes those of the second, else the mean over classes, without an interval."""
    if len(classes) == 2:
        return [(metric, one._replace(n=count)) for metric, one in by_class[classes[1]].items()]
    known = [own for own in by_class.values() if own]
    return [
        (metric, float(np.mean([own[metric].value for own in known])), count) for metric in ("auroc", "auprc") if known
    ]


def confusion_table(counted: list[tuple[str, NDArray, Mapping]], classes: list[str]) -> pd.DataFrame:
    """Return how many bases of each class are taken for each: `split`, `observed`, `predicted`, `count`."""
    rows = [
        (split, observed, said, int(table[i, j]))
        for split, table, _ in counted
        for i, observed in enumerate(classes)
        for j, said in enumerate(classes)
    ]
    return pd.DataFrame(rows, columns=["split", "observed", "predicted", "count"])


def table_of_classes(counted: list[tuple[str, NDArray, Mapping]], classes: list[str]) -> pd.DataFrame:
    """Return `split`, `class`, `n`, `precision`, `recall`, `f1`, `auroc`, `auprc`, `chance_auprc`, a row a split and class."""
    rows = []
    for split, table, by_class in counted:
        for place, name in enumerate(classes):
            hits, own, said = table[place, place], table[place].sum(), table[:, place].sum()
            with np.errstate(invalid="ignore", divide="ignore"):
                numbers = np.float64(hits) / said, np.float64(hits) / own, 2 * np.float64(hits) / (own + said)
            area = [by_class[name][metric].value if by_class[name] else np.nan for metric in ("auroc", "auprc")]
            rows.append((split, name, int(own), *numbers, *area, chance_precision(int(own), int(table.sum()))))
    columns = ["split", "class", "n", "precision", "recall", "f1", "auroc", "auprc", "chance_auprc"]
    return pd.DataFrame(rows, columns=columns)

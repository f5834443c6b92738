"""Scores of population classes: window by window, and their mean with an interval over windows and samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks import task_block
from glmflow.files import read_table
from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.group_draws import group_weights
from glmflow.tasks.class_scores import confusion_table, declared_scores, table_of_classes
from glmflow.tasks.comparable import cell
from glmflow.tasks.held_out import held_out_rows, parts_of
from glmflow.tasks.populations.population_units import comparable_scores
from glmflow.tasks.tables import Scored, metric_row, metrics_table, run_keys


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the class probabilities of a run on every held-out split and subset.

    Of several windows each is a track (`chrom:start-end`) whose intervals resample samples; the track `mean` is the mean over
    windows, and its intervals resample windows and samples, each on its own.

    Parameters
    ----------
    examples
        `example`, `split`, `subset`, `group` (the sample with its relatives), `target`, `chrom`, `start`, `end`.
    predictions
        `example`, and `prediction_{class}` for every class.
    files
        `tables`: the folder with `classes.tsv`.
    """
    classes = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    rows = held_out_rows(examples, predictions, classes)
    columns, number = [f"prediction_{name}" for name in classes], {name: place for place, name in enumerate(classes)}
    found, tables, units = [], [], {}
    length = task_block(settings["task"]).window_bp
    for split, subset, part in parts_of(rows):
        truth = part["target"].astype(str).map(number).to_numpy(np.int64)
        scores = part[columns].to_numpy(float)
        place = part["chrom"] + ":" + part["start"].astype(str) + "-" + part["end"].astype(str)
        for track, metric, interval in of_windows(
            truth, scores, place.to_numpy(object), part["group"].to_numpy(object), settings["task"]["bootstrap"]
        ):
            found.append(metric_row(metric, interval, split=split, subset=subset, track=track))
        for metric, one in comparable_scores(part, truth, scores, place.to_numpy(object)).items():
            units[cell(metric, split, subset, "mean" if place.nunique() > 1 else "all", length)] = one
        if subset == "all":
            tables.append((split, truth, scores))
    keys = {**run_keys(settings), "context_bp": length}
    facts = {"confusion.tsv": confusion_table(tables, classes), "classes.tsv": table_of_classes(tables, classes)}
    return Scored(metrics_table(found, **keys), facts, units)


def of_windows(
    truth: NDArray[np.int64], scores: NDArray[np.float64], windows: NDArray, groups: NDArray, draws: int, seed: int = 0
) -> Iterator[tuple[str, str, Interval]]:
    """Yield track, metric and value with its interval: of each window, and `mean` over windows (`all`, where there is one).

    A draw resamples groups, the same for all windows; of the mean it resamples windows as well (Owen 2007).
    """
    names, drawn_groups = np.unique(windows), np.unique(groups)
    of_group = group_weights(drawn_groups, draws, seed)
    of_window = group_weights(names, draws, seed + 1)
    values: dict[str, list[float]] = {}
    draw: dict[str, list[NDArray[np.float64]]] = {}
    for name in names:
        own = np.flatnonzero(windows == name)
        weights = of_group[:, np.searchsorted(drawn_groups, groups[own])]
        once = declared_scores(truth[own], scores[own], np.ones((1, len(own))))
        drawn = declared_scores(truth[own], scores[own], weights)
        for metric in once:
            values.setdefault(metric, []).append(float(once[metric][0]))
            draw.setdefault(metric, []).append(drawn[metric])
            if len(names) > 1:
                yield str(name), metric, Interval(values[metric][-1], *limits(drawn[metric]), len(own))
    for metric, own_values in values.items():
        table = np.stack(draw[metric], axis=1)
        known = np.isfinite(table) * of_window
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (np.where(np.isfinite(table), table, 0) * of_window).sum(axis=1) / known.sum(axis=1)
        yield (
            "mean" if len(names) > 1 else "all",
            metric,
            Interval(float(np.nanmean(own_values)), *limits(mean), len(truth)),
        )


def limits(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of draws; NaN where none is finite."""
    if not np.isfinite(drawn).any():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)

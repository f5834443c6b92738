"""Runs two by two: on the same test rows, and over several splits of the same data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glmflow.paired_tests import corrected_resampled_t, holm
from glmflow.report.comparison_tables import own_table
from glmflow.report.run_tables import context_names
from glmflow.report.study_tables import Study
from glmflow.report.wording import number, signed

SHOWN = 12
"""Pairs that are shown before the others are asked for."""
FREE = ("splits", "bootstrap")
"""Settings in which tasks differ that are splits of the same data."""


def paired_rows(study: Study, task: str) -> list[dict[str, Any]]:
    """Return every two runs of a task, the best run's first: their difference on the same rows of the test split.

    Returns
    -------
    list of dict
        `first`, `second` (labels), `difference` with its interval in words, `p`, `holm` (p that holds for all pairs of the
        table), `apart` (in words), `alone` (test rows that each alone is right about) and `mcnemar`; the last two are
        empty where no class is predicted.
    """
    path = study.inputs.comparisons.get(task)
    table = own_table(path, "differences.tsv")
    if table.empty:
        return []
    metric = study.headlines[task].name
    table = table[(table["metric"] == metric) & (table["split"] == study.split(task)) & (table["subset"] == "all")]
    tracks = set(table["track"])
    table = table[table["track"] == next((name for name in ("mean", "all") if name in tracks), "all")]
    if table.empty:
        return []
    lengths = np.array(context_names(table["context_bp"]))
    table = table[lengths == max(lengths, key=lambda length: float(length or 0))].reset_index(drop=True)
    counts = own_table(path, "pairs.tsv")
    tests = {(row.first, row.second): row for row in counts.itertuples()} if "first_alone" in counts else {}
    tests |= {(two, one): row for (one, two), row in tests.items()}
    labels = {"/".join(name): label for name, label in study.labels_by_name.items()}
    found = []
    for row, held in zip(table.itertuples(index=False), holm(table["p"].to_numpy(float))):
        test = tests.get((row.first, row.second))
        alone = ""
        if test is not None:
            one, other = (test.first_alone, test.second_alone)[:: 1 if test.first == row.first else -1]
            alone = f"{one:,} : {other:,}"
        found.append(
            {
                "first": labels.get(row.first, row.first),
                "second": labels.get(row.second, row.second),
                "difference": in_words(row.difference, row.low, row.high),
                "p": number(row.p),
                "holm": number(held),
                "apart": "ahead" if row.low > 0 else "not told apart",
                "alone": alone,
                "mcnemar": "" if test is None else number(test.p),
            }
        )
    return found


def over_splits(study: Study, task: str) -> dict[str, Any]:
    """Return the runs of the tasks that are splits of the same data, the best first, each beside the best one.

    Scores of several splits are never put into one; their differences are tested with the correction for training rows that
    splits share (`paired_tests.corrected_resampled_t`).

    Returns
    -------
    dict
        `tasks`, `trained` and `tested` (rows, means over splits) and `rows`: `label`, `mean`, `sd`, `difference`, `p`,
        `holm`. Empty of fewer than two splits.
    """
    wanted = _but_for_splits(study, task)
    tasks = [other for other in study.like(task) if _but_for_splits(study, other) == wanted]
    divided = {repr(sorted(_settings(study, other).get("splits", {}).items())) for other in tasks}
    if len(tasks) < 2 or len(divided) < len(tasks):
        return {}
    sign = study.headlines[task].sign or 1
    cells = [study.cells[other] for other in tasks]
    if len({(study.headlines[other].name, study.split(other)) for other in tasks}) > 1:
        return {}
    scores = pd.concat({other: cell.set_index("label")["value"] for other, cell in zip(tasks, cells)}, axis=1).dropna()
    trained, tested = (_mean_count(study, tasks, f"{name} sequences") for name in ("train", "test"))
    if scores.empty or not trained or not tested:
        return {}
    means = (sign * scores.mean(axis=1)).sort_values(ascending=False, kind="stable")
    best = means.index[0]
    tests = {
        label: corrected_resampled_t(sign * (scores.loc[best] - scores.loc[label]), trained, tested)
        for label in means.index[1:]
    }
    held = dict(zip(tests, holm([test.p for test in tests.values()])))
    rows = []
    for label in means.index:
        row = {
            "label": label,
            "mean": number(scores.loc[label].mean()),
            "sd": number(scores.loc[label].std(ddof=1)),
        }
        row |= {"difference": "", "p": "", "holm": ""}
        if label in tests:
            test = tests[label]
            row |= {"difference": in_words(test.difference, test.low, test.high)}
            row |= {"p": number(test.p), "holm": number(held[label])}
        rows.append(row)
    return {"tasks": tasks, "trained": trained, "tested": tested, "rows": rows, "best": best}


def in_words(value: float, low: float, high: float) -> str:
    """Return a difference for reading, with its interval where there is one."""
    return signed(value) + ("" if np.isnan(low) else f" [{signed(low)}, {signed(high)}]")


def _but_for_splits(study: Study, task: str) -> dict[str, Any]:
    """Return the settings of a task in which splits of the same data are alike."""
    return {name: value for name, value in _settings(study, task).items() if name not in FREE}


def _settings(study: Study, task: str) -> Mapping[str, Any]:
    """Return the settings of a task, as its first run recorded them."""
    return next((run.task_settings for run in study.runs(task) if run.task_settings), {})


def _mean_count(study: Study, tasks: list[str], item: str) -> float:
    """Return a count of the examples, the mean over tasks; 0 where one has none."""
    table = study.counts
    if "item" not in table:
        return 0.0
    found = table[table["task"].isin(tasks) & (table["item"] == item)]
    return float(found["count"].mean()) if set(found["task"]) == set(tasks) else 0.0

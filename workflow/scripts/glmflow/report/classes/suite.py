"""Which model? Models over tasks: their ranks, how many ranks apart chance alone puts them, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from glmflow.paired_tests import holm
from glmflow.report.run_folder import BASELINES
from glmflow.report.study_tables import Study

LEVEL = 0.05
FEWEST = 3
"""Tasks and models below which ranks say nothing."""


class Suite(NamedTuple):
    """Models compared over several tasks.

    Attributes
    ----------
    table : DataFrame
        A row a model, best first: `model`, `origin`, `{task}` (value), `tasks` (how many), `rank` (mean over the tasks that
        all ranked models were run on; NaN for a model that lacks one), `p` (against the best, Holm), `apart` (whether it is
        more than the critical difference behind the best), `train_seconds`, `parameters`.
    intervals : dict
        `(model, task)` to (low, high).
    chosen : dict
        `(model, task)` to the adaptation that was taken: the best on the validation split.
    metrics : dict
        Metric by task, in words.
    difference : float
        Critical difference of mean ranks (Nemenyi, 0.05); NaN with too few tasks or models.
    p : float
        Friedman test that all models are alike; NaN with too few.
    ranked : list of str
        Tasks over which ranks are taken.
    left_out : list of str
        Baselines that are given more than the sequence, which have no place among the ranks.
    controls : list of str
        Tasks that are controls, which have no place in the table: nothing can be learned there.
    """

    table: pd.DataFrame
    intervals: dict[tuple[str, str], tuple[float, float]]
    chosen: dict[tuple[str, str], str]
    metrics: dict[str, str]
    difference: float
    p: float
    ranked: list[str]
    left_out: list[str]
    controls: list[str]


def suite(study: Study, tasks: Sequence[str]) -> Suite:
    """Compare the models of some tasks by the headline metric of each on its test split.

    A model that was fitted in several ways stands for the one that is best on the validation split: the test split has no
    part in the choice. Baselines that are given more than the sequence are left out, and so are controls.
    """
    controls = [task for task in tasks if is_control(study, task)]
    tasks = [task for task in tasks if task not in controls]
    values, intervals, chosen, origins = {}, {}, {}, {}
    left_out: dict[str, None] = {}
    for task in tasks:
        sign = study.headlines[task].sign or 1
        for model, rows in study.cells[task].groupby("model", sort=False):
            row = rows.loc[chosen_row(study, task, rows)]
            if row["origin"] == "informed":
                left_out[str(model)] = None
                continue
            if pd.isna(row["value"]):
                continue
            values[model, task] = sign * row["value"], float(row["value"])
            intervals[model, task] = float(row["ci_low"]), float(row["ci_high"])
            chosen[model, task] = row["adaptation"]
            origins[model] = row["origin"]
    models = list(origins)
    shown = pd.DataFrame(
        [[values.get((m, t), (np.nan, np.nan))[1] for t in tasks] for m in models], models, list(tasks)
    )
    signed = pd.DataFrame(
        [[values.get((m, t), (np.nan, np.nan))[0] for t in tasks] for m in models], models, list(tasks)
    )
    ranks, ranked = mean_ranks(signed)
    difference, p = critical_difference(signed, ranks, ranked)
    table = shown.assign(tasks=shown.notna().sum(axis=1), origin=pd.Series(origins), rank=ranks)
    table["p"] = against_best(signed, ranks, ranked)
    table["apart"] = (table["rank"] - table["rank"].min() > difference) if np.isfinite(difference) else False
    costs = cost_of(study, chosen)
    table = table.join(costs).rename_axis("model").reset_index()
    table = table.sort_values(
        ["rank", "tasks", "model"], ascending=[True, False, True], na_position="last", kind="stable"
    )
    metrics = {task: study.headlines[task].title for task in tasks}
    return Suite(table.reset_index(drop=True), intervals, chosen, metrics, difference, p, ranked, [*left_out], controls)


def is_control(study: Study, task: str) -> bool:
    """Whether a task is a control of another: `control` of its settings, as permuted labels."""
    own = next(run.task_settings for run in study.inputs.runs if run.task == task)
    return own.get("control", "none") not in (None, "none")


def chosen_row(study: Study, task: str, rows: pd.DataFrame) -> Any:
    """Return the index of the row whose adaptation is best on the validation split; the first row where there is none."""
    if len(rows) == 1:
        return rows.index[0]
    metric = study.headlines[task]
    found = study.summary[
        (study.summary["task"] == task)
        & (study.summary["metric"] == metric.name)
        & (study.summary["split"] == "validation")
        & (study.summary["subset"] == "all")
        & study.summary["model"].eq(rows["model"].iloc[0])
    ]
    best = found.assign(score=(metric.sign or 1) * found["value"]).sort_values("score", ascending=False)
    own = rows[rows["adaptation"] == best["adaptation"].iloc[0]] if len(best) else rows
    return own.index[0] if len(own) else rows.index[0]


def mean_ranks(signed: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """Return the mean rank of each model (1 is best, ties share), and the tasks over which it is taken.

    Taken are models that were run on most tasks, and the tasks that all of these have; others have NaN.
    """
    count = signed.notna().sum(axis=1)
    full = signed[count == count.max()].dropna(axis=1, how="any") if len(signed) else signed
    ranks = full.rank(ascending=False, method="average").mean(axis=1) if full.shape[1] else pd.Series(dtype=float)
    return ranks.reindex(signed.index), list(full.columns)


def critical_difference(signed: pd.DataFrame, ranks: pd.Series, tasks: list[str]) -> tuple[float, float]:
    """Return the critical difference of mean ranks (Nemenyi 1963; Demsar 2006) and the p of Friedman's test."""
    models = list(ranks.dropna().index)
    if len(tasks) < FEWEST or len(models) < FEWEST:
        return np.nan, np.nan
    count = len(models)
    studentised = stats.studentized_range.ppf(1 - LEVEL, count, np.inf) / np.sqrt(2)
    difference = studentised * np.sqrt(count * (count + 1) / (6 * len(tasks)))
    table = signed.loc[models, tasks].to_numpy()
    same = (table == table[:1]).all()
    return float(difference), 1.0 if same else float(stats.friedmanchisquare(*table).pvalue)


def against_best(signed: pd.DataFrame, ranks: pd.Series, tasks: list[str]) -> pd.Series:
    """Return the p of Wilcoxon's signed-rank test of each model against that of the best mean rank, by Holm's method."""
    found = pd.Series(np.nan, signed.index)
    models = list(ranks.dropna().sort_values(kind="stable").index)
    if len(tasks) < FEWEST or len(models) < 2:
        return found
    best, others = models[0], models[1:]
    raw = []
    for model in others:
        gap = (signed.loc[best, tasks] - signed.loc[model, tasks]).to_numpy(float)
        raw.append(1.0 if not gap.any() else float(stats.wilcoxon(gap).pvalue))
    found.loc[others] = holm(raw)
    return found


def cost_of(study: Study, chosen: dict[tuple[str, str], str]) -> pd.DataFrame:
    """Return of each model the seconds of training over its tasks, and the largest number of parameters."""
    rows = study.costs.set_index(["model", "task", "adaptation"])
    keys = [
        (model, task, adaptation)
        for (model, task), adaptation in chosen.items()
        if (model, task, adaptation) in rows.index
    ]
    table = rows.loc[keys, ["train_seconds", "parameters"]].reset_index()
    return table.groupby("model").agg(
        train_seconds=("train_seconds", lambda values: values.sum(min_count=1)), parameters=("parameters", "max")
    )


def in_words(found: Suite) -> str:
    """Return in a sentence what the ranks say, and in another what has none."""
    told = (
        f" Without a rank, since given more than the sequence: {', '.join(found.left_out)}." if found.left_out else ""
    )
    controls = f" Controls are not counted: {', '.join(found.controls)}." if found.controls else ""
    return _of_ranks(found) + told + controls


def _of_ranks(found: Suite) -> str:
    ranked = found.table[found.table["rank"].notna()]
    if not np.isfinite(found.difference):
        return f"Ranks over fewer than {FEWEST} tasks, or of fewer than {FEWEST} models, say nothing."
    best = ranked.iloc[0]
    close = ranked[~ranked["apart"]]["model"].tolist()[1:]
    over = f"over {len(found.ranked)} tasks (Friedman p {found.p:.2g})"
    start = f"{best['model']} has the best mean rank, {best['rank']:.2f}, {over}"
    if not close:
        return f"{start}; every other model is more than the critical difference of {found.difference:.2f} behind it."
    names = ", ".join(close)
    return f"{start}; not told apart from it (within {found.difference:.2f} ranks): {names}.{_too_few(found)}"


def _too_few(found: Suite) -> str:
    """Return that no difference could have been found over so few tasks, if so: the smallest p that the paired test can have."""
    tasks, others = len(found.ranked), int(found.table["rank"].notna().sum()) - 1
    smallest = others * 2.0 ** (1 - tasks)
    if smallest <= LEVEL:
        return ""
    return (
        f" {tasks} tasks are too few for the paired test of {others} models (p is {min(1.0, smallest):.2g} at least, even if one "
        "is ahead in every task): look at the tasks one by one."
    )


def kind_of_model(origin: str) -> str:
    """Return what a model is, for the table."""
    return (
        "baseline"
        if origin in BASELINES
        else {"pretrained": "pretrained", "scratch": "from scratch"}.get(origin, origin)
    )

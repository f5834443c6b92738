"""The tables of the runs, and their seeds put together."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.status.scale import top_of_scale

from .kinds import Kind
from .report_inputs import ReportInputs
from .run_folder import RIVAL, RunFolder
from .wording import Metric

FIRST = 3
"""Failed audits that are named before everything else."""

METRIC_COLUMNS = [
    "study", "task", "model", "adaptation", "seed", "split", "subset", "track", "context_bp", "metric", "protocol",
    "value", "ci_low", "ci_high", "n",
]  # fmt: skip
CELL = ["task", "split", "subset", "context_bp", "protocol", "metric"]
RUN = ["model", "adaptation"]
ALL_TRACKS = "mean"
CURVE_POINTS = 4_000
COSTS = [
    "parameters", "trainable_parameters", "trained_bases", "train_seconds", "predict_seconds", "peak_memory_mb",
    "predict_peak_memory_mb",
]  # fmt: skip


def read_metrics(runs: tuple[RunFolder, ...]) -> pd.DataFrame:
    """Return the metrics of all runs, one row a value.

    Raises
    ------
    InputError
        A table lacks a column.
    """
    tables = []
    for run in runs:
        path = run.folder / "metrics.tsv"
        table = read_table(path)
        missing = [column for column in METRIC_COLUMNS if column not in table]
        if missing:
            raise InputError(f"the table lacks {', '.join(missing)}", where=path, fix="Score the run again.")
        if len(table):
            tables.append(table[METRIC_COLUMNS])
    metrics = pd.concat(tables, ignore_index=True)
    for column, default in {"subset": "all", "track": "all", "protocol": "strict"}.items():
        metrics[column] = metrics[column].fillna(default).astype(str)
    metrics["context_bp"] = context_names(metrics["context_bp"])
    return metrics


def context_names(lengths: pd.Series) -> list[str]:
    """Return lengths of context as names; empty where there is none."""
    numbers = pd.to_numeric(lengths).astype(float)  # an empty column has no type
    return ["" if np.isnan(length) else str(int(length)) for length in numbers]


def mean_over_tracks(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return rows for the mean over tracks of each metric of several tracks for which the scorer gave none (track `mean`).

    The interval is the mean of the tracks' limits: as wide as if the errors of all tracks moved together, so it errs
    on the wide side. A run that lacks a track gets no mean, for it would be over other tracks than its rivals'.
    """
    scored = metrics[metrics["track"] == ALL_TRACKS]
    scored = set(zip(*(scored[column] for column in CELL)))
    tracks = metrics[[cell not in scored for cell in zip(*(metrics[column] for column in CELL))]]
    if tracks.empty:
        return metrics.iloc[:0]
    expected = tracks.groupby(CELL)["track"].nunique().rename("expected")
    keys = ["study", *CELL, *RUN, "seed"]
    means = tracks.groupby(keys, as_index=False).agg(
        value=("value", _mean), ci_low=("ci_low", _mean), ci_high=("ci_high", _mean),
        n=("n", "min"), tracks=("track", "nunique"),
    ).join(expected, on=CELL)  # fmt: skip
    means = means[means["expected"] > 1].copy()
    means.loc[means["tracks"] < means["expected"], ["value", "ci_low", "ci_high"]] = np.nan
    return means.assign(track=ALL_TRACKS)[METRIC_COLUMNS]


def summarise(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the metrics with seeds put together: one row a model x adaptation in every cell (task, split, …, track, metric).

    `value`, `ci_low` and `ci_high` are means over seeds (the seeds are scored on the same examples, so their sampling
    errors move together and do not average out), `sd` is the spread between seeds (NaN for one), `seeds` their number.
    """
    both = pd.concat([mean_over_tracks(metrics), metrics], ignore_index=True)
    return both.groupby([*CELL, "track", *RUN], as_index=False, sort=False).agg(
        value=("value", _mean), ci_low=("ci_low", _mean), ci_high=("ci_high", _mean),
        sd=("value", "std"), seeds=("seed", "nunique"), n=("n", "min"),
    )  # fmt: skip


def rank(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Sort rows of one cell from best to worst, those without a value last; unsorted if no direction is better."""
    if not metric.ranks:
        return pd.concat([rows[rows["value"].notna()], rows[rows["value"].isna()]])
    return rows.sort_values(["value", *RUN], ascending=[metric.sign < 0, True, True], na_position="last")


def headline_metric(metrics: pd.DataFrame, task: str, kind: Kind, asked: str | None) -> Metric:
    """Return the metric that a task's verdict is about: the one asked for, else the first that the kind prefers.

    If the kind prefers none of those that were computed, the first one with a direction, else the first.

    Raises
    ------
    InputError
        The metric that was asked for was not computed.
    """
    known = list(dict.fromkeys(metrics.loc[metrics["task"] == task, "metric"]))
    if asked is not None and asked not in known:
        raise InputError(
            f"the headline metric {asked!r} of task {task!r} was not computed",
            where="report.headline",
            fix=f"Use one of {', '.join(known)}.",
        )
    preferred = [name for name in kind.headlines if name in known]
    directed = [name for name in known if kind.metric(name).ranks]
    return kind.metric(asked or [*preferred, *directed, *known][0])


def headline_cell(summary: pd.DataFrame, task: str, split: str, metric: Metric) -> pd.DataFrame:
    """Return the ranked rows of the verdict's cell: first subset, strict protocol, longest context, all tracks.

    The split is the one asked for, else test, validation, any other, and training if there is nothing else.
    """
    rows = summary[(summary["task"] == task) & (summary["metric"] == metric.name)]
    splits = set(rows["split"])
    order = [split, "test", "validation", *sorted(splits - {"train"}), "train"]
    rows = rows[rows["split"] == next(name for name in order if name in splits)]
    rows = rows[rows["subset"] == min(rows["subset"])]
    rows = rows[rows["protocol"] == min(rows["protocol"], key=lambda name: (name != "strict", name))]
    rows = rows[rows["context_bp"] == max(rows["context_bp"], key=lambda length: float(length or 0))]
    tracks = set(rows["track"])
    track = next(name for name in (ALL_TRACKS, *sorted(tracks)) if name in tracks)
    return rank(rows[rows["track"] == track], metric)


def read_costs(runs: tuple[RunFolder, ...], kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """Return the mean cost over seeds, one row a task x model x adaptation, with where it ran; `kinds` are those of tasks."""
    rows = []
    for run in runs:
        cost = run.cost
        names = {"task": run.task, "model": run.model, "adaptation": run.adaptation, "origin": run.origin}
        rows.append(
            names
            | {name: cost.get(name) for name in COSTS}
            | {"trained_bases": kinds[run.task].call("trained_bases", run), "device": cost.get("device") or ""}
        )
    table = pd.DataFrame(rows)
    table[COSTS] = table[COSTS].apply(pd.to_numeric)
    how = dict.fromkeys(COSTS, "mean") | {
        "origin": "first",
        "device": lambda names: ", ".join(sorted({*names} - {""})),
    }
    return table.groupby(["task", *RUN], as_index=False, sort=False).agg(how)


def read_curves(runs: tuple[RunFolder, ...], points: int | None = None) -> pd.DataFrame:
    """Return the logged quantities of all runs, long: task model adaptation seed quantity step value.

    Curves of more than `points` steps are thinned to the means of equal stretches; by default to 200, and to fewer
    if the runs are too many for a page.
    """
    points = points or max(30, min(200, CURVE_POINTS // len(runs)))
    tables = []
    for run in runs:
        path = run.folder / "metrics.jsonl"
        if not path.exists():
            continue
        table = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines() if line.strip()])
        if "step" not in table:
            continue
        numeric = table.select_dtypes("number").drop(columns="time", errors="ignore")
        long = numeric.melt(id_vars="step", var_name="quantity").dropna()
        long = long[np.isfinite(long["value"])]
        thinned = long.groupby("quantity", group_keys=True, sort=False)[["step", "value"]].apply(_thin, points)
        if len(thinned):
            thinned = thinned.reset_index(level=0).reset_index(drop=True)
            names = {"task": run.task, "model": run.model, "adaptation": run.adaptation, "seed": run.seed}
            tables.append(thinned.assign(**names))
    columns = ["task", *RUN, "seed", "quantity", "step", "value"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def baseline_span(cell: pd.DataFrame) -> list[dict[str, float]]:
    """Return from where (`low`) to where (`high`) the baselines of a task reach that are given no more than the models.

    `cell` holds the `value` and the `origin` of each run. A list of one span, for a chart; empty without such a baseline.
    """
    values = cell.loc[cell["origin"] == RIVAL, "value"].dropna()
    return [{"low": float(values.min()), "high": float(values.max())}] if len(values) else []


def add_shown(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves with the height at which a chart draws each value (`shown`), and whether the value is higher (`above`).

    The few values of a task's quantity that would flatten all others are drawn at its upper edge.
    """
    top = curves.groupby(["task", "quantity"])["value"].transform(top_of_scale).astype(float)
    return curves.assign(shown=curves["value"].clip(upper=top), above=curves["value"] > top)


def read_by_task(paths: Mapping[str, Path], tasks: Collection[str]) -> pd.DataFrame:
    """Return the tables of some tasks as one, with a column `task`; empty if there are none."""
    tables = [read_table(path).assign(task=task) for task, path in paths.items() if task in tasks]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"task": []})


def graded(checks: pd.DataFrame) -> pd.DataFrame:
    """Return checks with `status` and `threshold`; tables of earlier versions say whether there is a leak alone."""
    if "status" in checks or "leak" not in checks:
        return checks
    return checks.assign(status=checks["leak"].map({"yes": "FAIL", "no": "PASS"}), threshold=0)


def failed(checks: pd.DataFrame) -> tuple[str, ...]:
    """Return that audits of a task's examples fail, the largest first, as one sentence; nothing if none does."""
    if checks.empty:
        return ()
    rows = checks[checks["status"] == "FAIL"].sort_values("found", ascending=False, kind="stable")
    found = [row.check + _amount(row.found, row.of) for row in rows.itertuples()]
    more = f" and {len(found) - FIRST:,} more" if len(found) > FIRST else ""
    return (f"FAIL: audits of the examples: {', '.join(found[:FIRST])}{more}.",) if found else ()


def _amount(found: float, of: float) -> str:
    """Return how many were found, of how many where that is known."""
    return "" if found != found else f" ({found:,.6g})" if of != of else f" ({found:,.6g} of {of:,.0f})"


def read_scores(runs: Iterable[RunFolder], name: str) -> pd.DataFrame:
    """Return `scores/{name}` of some runs as one table, with columns `task`, `model`, `adaptation`, `seed`; empty without any."""
    tables = []
    for run in runs:
        path = run.folder / "scores" / name
        if path.exists() and len(table := read_table(path)):
            tables.append(table.assign(task=run.task, model=run.model, adaptation=run.adaptation, seed=run.seed))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["task", *RUN, "seed"])


def optional_table(path: Path | None) -> pd.DataFrame:
    """Return a table; empty if there is none."""
    return read_table(path) if path is not None else pd.DataFrame()


def read_warnings(inputs: ReportInputs, provenance: Mapping, leakage: pd.DataFrame) -> list[tuple[str, str]]:
    """Return what the study, its examples and its runs warn of, as (where, sentence)."""
    found = [("study", text) for text in provenance.get("warnings", [])]
    if len(leakage):
        for row in leakage[leakage["status"] != "PASS"].fillna({"detail": ""}).itertuples():
            what = f"{row.found:,.0f} of {row.of:,.0f} {row.check}" if row.of == row.of else row.check
            detail = f" ({row.detail})" if row.detail else ""
            found.append((row.task, f"{'leak' if row.leak == 'yes' else 'audit'}: {what}{detail}"))
    for run in inputs.runs:
        found += [(" / ".join(run.name), text) for text in run.cost.get("warnings") or []]
    return found


def undeclared(metrics: pd.DataFrame, kinds: Mapping[str, Kind]) -> list[tuple[str, str]]:
    """Return a warning for each metric that its task's kind does not declare, as (where, sentence)."""
    pairs = metrics[["task", "metric"]].drop_duplicates()
    return [
        (
            task,
            f"The metric {name} is not declared for this kind of task, so that no direction is known and no run is best at it.",
        )
        for task, name in zip(pairs["task"], pairs["metric"])
        if not kinds[task].metric(name).declared
    ]


def count_warnings(found: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return warnings as a table: `where`, `message`, and how many `times` (seeds) each was given."""
    table = pd.DataFrame(list(found), columns=["where", "message"])
    return table.groupby(["where", "message"], as_index=False, sort=False).size().rename(columns={"size": "times"})


def _mean(values: pd.Series) -> float:
    """Return the mean; NaN if any value is."""
    return float(values.mean(skipna=False))


def _thin(curve: pd.DataFrame, points: int) -> pd.DataFrame:
    """Average a curve over at most `points` equal stretches of its rows."""
    curve = curve.sort_values("step")
    if len(curve) <= points:
        return curve
    return curve.groupby(np.arange(len(curve)) * points // len(curve)).mean()

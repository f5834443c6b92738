"""Read the tables of the runs and put the seeds together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.status.scale import top_of_scale

from .inputs import ReportInputs, RunFolder
from .metrics import HEADLINES, describe

METRIC_COLUMNS = [
    "study", "task", "model", "adaptation", "seed", "split", "subset", "track", "context_bp", "metric", "protocol",
    "value", "ci_low", "ci_high", "n",
]  # fmt: skip
CELL = ["task", "split", "subset", "context_bp", "protocol", "metric"]
RUN = ["model", "adaptation"]
ALL_TRACKS = "mean"
CURVE_POINTS = 4_000
COSTS = ["parameters", "trainable_parameters", "trained_bases", "train_seconds", "predict_seconds", "peak_memory_mb"]


def read_metrics(runs: tuple[RunFolder, ...]) -> pd.DataFrame:
    """Return the metrics of all runs, one row a value.

    Raises
    ------
    InputError
        Where a table lacks a column.
    """
    tables = []
    for run in runs:
        causal = run.folder / "causal.tsv"
        for path in (run.folder / "metrics.tsv", *([causal] if causal.exists() else [])):
            table = read_table(path)
            missing = [column for column in METRIC_COLUMNS if column not in table]
            if missing:
                raise InputError(f"the table lacks {', '.join(missing)}", where=path, mend="Score the run again.")
            if len(table):
                tables.append(table[METRIC_COLUMNS])
    metrics = pd.concat(tables, ignore_index=True)
    for column, default in {"subset": "all", "track": "all", "protocol": "strict"}.items():
        metrics[column] = metrics[column].fillna(default).astype(str)
    metrics["context_bp"] = metrics["context_bp"].astype("Float64").astype(str).replace("<NA>", "")
    metrics["context_bp"] = metrics["context_bp"].str.removesuffix(".0")
    return metrics


def mean_over_tracks(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return rows for the mean over tracks of each metric of several tracks whose scorer gave none (track `mean`).

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
    """Put the seeds together: one row a model x adaptation in every cell (task, split, subset, track, …, metric).

    `value`, `ci_low` and `ci_high` are means over seeds (the seeds are scored on the same examples, so their sampling
    errors move together and do not average out), `sd` is the spread between seeds (NaN for one), `seeds` their number.
    """
    both = pd.concat([mean_over_tracks(metrics), metrics], ignore_index=True)
    return both.groupby([*CELL, "track", *RUN], as_index=False, sort=False).agg(
        value=("value", _mean), ci_low=("ci_low", _mean), ci_high=("ci_high", _mean),
        sd=("value", "std"), seeds=("seed", "nunique"), n=("n", "min"),
    )  # fmt: skip


def rank(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Sort rows of one cell from best to worst; those without a value last."""
    ascending = not describe(metric).higher_is_better
    return rows.sort_values(["value", *RUN], ascending=[ascending, True, True], na_position="last")


def headline_metric(metrics: pd.DataFrame, task: str, asked: str | None) -> str:
    """Return the metric that a task's verdict is about.

    Raises
    ------
    InputError
        Where the metric that was asked for was not computed.
    """
    known = list(dict.fromkeys(metrics.loc[metrics["task"] == task, "metric"]))
    if asked is not None and asked not in known:
        raise InputError(
            f"the headline metric {asked!r} of task {task!r} was not computed",
            where="report.headline",
            mend=f"Use one of {', '.join(known)}.",
        )
    return asked or next((name for name in HEADLINES if name in known), known[0])


def headline_cell(summary: pd.DataFrame, task: str, split: str, metric: str) -> pd.DataFrame:
    """Return the ranked rows of the verdict's cell: the first subset, the strict protocol, the longest context, all tracks."""
    rows = summary[(summary["task"] == task) & (summary["metric"] == metric)]
    rows = rows[rows["split"] == (split if split in set(rows["split"]) else rows["split"].iloc[0])]
    rows = rows[rows["subset"] == min(rows["subset"])]
    rows = rows[rows["protocol"] == min(rows["protocol"], key=lambda name: (name != "strict", name))]
    rows = rows[rows["context_bp"] == max(rows["context_bp"], key=lambda length: float(length or 0))]
    tracks = set(rows["track"])
    track = next(name for name in (ALL_TRACKS, *sorted(tracks)) if name in tracks)
    return rank(rows[rows["track"] == track], metric)


def read_costs(runs: tuple[RunFolder, ...]) -> pd.DataFrame:
    """Return the mean cost over seeds, one row a task x model x adaptation, with where it ran."""
    rows = []
    for run in runs:
        cost = run.cost
        names = {"task": run.task, "model": run.model, "adaptation": run.adaptation, "origin": run.origin}
        rows.append(
            names
            | {name: cost.get(name) for name in COSTS}
            | {"trained_bases": run.trained_bases, "device": cost.get("device") or ""}
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
    where there are so many runs that a page could not hold them.
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


def add_shown(curves: pd.DataFrame) -> pd.DataFrame:
    """Add where a chart draws each value of `read_curves`, and whether that is below the value itself (`above`).

    The few values of a task's quantity that would flatten all others are drawn at its upper edge.
    """
    top = curves.groupby(["task", "quantity"])["value"].transform(top_of_scale).astype(float)
    return curves.assign(shown=curves["value"].clip(upper=top), above=curves["value"] > top)


def read_genes(runs: tuple[RunFolder, ...], split: str) -> pd.DataFrame:
    """Return observed and predicted signal of genes, averaged over seeds: one row a run x gene x track."""
    tables = []
    for run in runs:
        path = run.folder / "genes.tsv"
        if path.exists():
            table = read_table(path)
            table = table if "split" in table else table.assign(split=split)
            tables.append(table.assign(task=run.task, model=run.model, adaptation=run.adaptation))
    gene = ["gene_id", "gene_name", "chrom", "start", "end", "strand", "split", "track"]
    keys = ["task", *RUN, *gene]
    if not tables:
        return pd.DataFrame(columns=[*keys, "observed", "predicted"])
    genes = pd.concat(tables, ignore_index=True)
    genes["gene_name"] = genes["gene_name"].fillna(genes["gene_id"])
    return genes.groupby(keys, as_index=False, sort=False)[["observed", "predicted"]].mean()


def read_by_task(paths: dict) -> pd.DataFrame:
    """Return the tables of several tasks as one, with a column `task`; empty where there are none."""
    tables = [read_table(path).assign(task=task) for task, path in paths.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def read_leakage(paths: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what splits share: bases (task split_a split_b bases), and named checks (task check found of share leak detail)."""
    by_task = {task: read_table(path).assign(task=task) for task, path in paths.items()}
    found = []
    for column in ("bases", "check"):
        parts = [table for table in by_task.values() if column in table]
        found.append(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame())
    return found[0], found[1]


def read_personal(runs: tuple[RunFolder, ...]) -> pd.DataFrame:
    """Return the scores of genes between people, averaged over seeds: one row a run x class x gene.

    `control` is the control that the task is (`none` for the task itself), `twin` what tasks and their controls share,
    `kin` what tasks share that differ in their variants alone: `variants_carried` (all or snv) and `min_maf`;
    `baseline` is the kind of a baseline (empty for models).
    """
    tables = []
    for run in runs:
        path = run.folder / "personal.tsv"
        if not path.exists():
            continue
        table = read_table(path)
        task = dict(run.settings.get("task") or {})
        control = task.pop("control", "none")
        names = {"task": run.task, "model": run.model, "adaptation": run.adaptation}
        baseline = (run.settings.get("model") or {}).get("baseline") or {}
        names["baseline"] = baseline.get("kind", "")
        names |= {"control": control, "twin": json.dumps(task, sort_keys=True)}
        names |= {"variants_carried": task.pop("variants", "all"), "min_maf": float(task.pop("min_maf", 0))}
        tables.append(table.assign(**names, seed=run.seed, kin=json.dumps(task, sort_keys=True)))
    keys = ["task", *RUN, "baseline", "control", "twin", "kin", "variants_carried", "min_maf"]
    keys += ["split", "subset", "group"]
    if not tables:
        return pd.DataFrame(columns=[*keys, "pearson"])
    genes = pd.concat(tables, ignore_index=True)
    how = {name: "mean" if genes[name].dtype.kind in "if" else "first" for name in genes if name not in (*keys, "seed")}
    return (
        genes.groupby(keys, as_index=False, sort=False).agg(how | {"seed": "nunique"}).rename(columns={"seed": "seeds"})
    )


def optional_table(path: Path | None) -> pd.DataFrame:
    """Read a table; empty where there is none."""
    return read_table(path) if path is not None else pd.DataFrame()


def read_warnings(inputs: ReportInputs, provenance: dict) -> pd.DataFrame:
    """Return what the runs and the study warn of: where, message, and how many seeds said it."""
    rows = [{"where": "study", "message": text} for text in provenance.get("warnings", [])]
    replicates = optional_table(inputs.replicates)
    if "unlike" in replicates:
        odd = replicates.dropna(subset="unlike").drop_duplicates("track")
        for track, names in zip(odd["track"], odd["unlike"]):
            if names:
                rows.append({"where": f"track {track}", "message": f"unlike its other replicates: {names}"})
    for track in optional_table(inputs.track_statistics).to_dict("records"):
        for count, text in (("non_finite", "not finite, taken as 0"), ("negative", "negative")):
            if track.get(count):
                message = f"{track[count]:,} bases of its replicates are {text}"
                rows.append({"where": f"track {track['track']}", "message": message})
    checks = read_leakage(inputs.leakage)[1]
    for row in checks[checks["leak"] == "yes"].itertuples() if len(checks) else ():
        rows.append({"where": row.task, "message": f"leak: {row.found:,} of {row.of:,} {row.check} ({row.detail})"})
    for run in inputs.runs:
        where = f"{run.task} / {run.model} / {run.adaptation}"
        rows += [{"where": where, "message": text} for text in run.cost.get("warnings") or []]
    table = pd.DataFrame(rows, columns=["where", "message"])
    return table.groupby(["where", "message"], as_index=False, sort=False).size().rename(columns={"size": "times"})


def _mean(values: pd.Series) -> float:
    """Mean that is NaN where any value is."""
    return float(values.mean(skipna=False))


def _thin(curve: pd.DataFrame, points: int) -> pd.DataFrame:
    """Average a curve over at most `points` equal stretches of its rows."""
    curve = curve.sort_values("step")
    if len(curve) <= points:
        return curve
    return curve.groupby(np.arange(len(curve)) * points // len(curve)).mean()

"""The first page: verdict, leaderboard, metrics, training, genes, data quality, how it was made."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import yaml

from . import charts, tables
from .inputs import BASELINES
from .metrics import LEVELS, describe, in_order, number
from .page import datatables, embed, records, render, vega
from .personal_metrics import PROTOCOLS
from .study import Study
from .tracks_page import TracksPage
from .verdict import value

SCATTER_POINTS_A_RUN = 5_000
SCATTER_POINTS = 30_000
CHART_TRACKS = 12
REASONS = {"n_rich": "too many N", "between_splits": "between splits", "other_contig": "contig not used"}


def index_page(
    study: Study, pages: dict[str, TracksPage], figures: list[str], data_files: list[str], personal: bool
) -> str:
    """Return the page; `pages` are the genome browser's by task, `personal` whether personal expression has one."""
    shown = {task: set(page.genes["gene_id"]) for task, page in pages.items()}
    scatter = sample_genes(study.genes, shown)
    specs = chart_specs(study, scatter)
    configuration = study.provenance.get("configuration") or ""
    return render(
        "index.html",
        study=study,
        verdicts={task: study.verdict(task) for task in study.tasks},
        cards={task: cards(study, task) for task in study.tasks},
        pages=pages,
        personal=personal,
        windows=window_counts(study.windows),
        variants=variant_counts(study.variants),
        reruns=rerun_commands(study),
        configuration=configuration
        if isinstance(configuration, str)
        else yaml.safe_dump(configuration, sort_keys=False),
        shown=any(shown.values()),
        told=bool((study.summary["origin"] == "told").any()),
        protocols=PROTOCOLS if "official" in set(study.summary["protocol"]) else "",
        figures=figures,
        data_files=data_files,
        charts=specs,
        sampled=len(scatter) < len(study.genes),
        hidden_tracks=max(0, study.summary["track"].nunique() - CHART_TRACKS - 1),
        tables=datatables(),
        vega=vega(),
        data=embed(
            page_data(study, specs, scatter) | {"tracks_pages": {task: page.file for task, page in pages.items()}}
        ),
    )


def chart_specs(study: Study, scatter: pd.DataFrame) -> dict[str, Any]:
    """Return the charts that there are data for."""
    specs = {"by_track": charts.by_track(study.look, study.labels, chart_tracks(study))}
    costs = [name for name in charts.COSTS if (study.costs[name] > 0).any()]
    if costs:
        specs["cost"] = charts.cost(study.look, costs)
    if len(study.curves):
        specs["curves"] = charts.curves(
            study.look, order_quantities(study.curves["quantity"].unique()), list(study.curves["model"].unique())
        )
    if len(scatter):
        largest = scatter[["observed", "predicted"]].clip(lower=0).to_numpy().max()
        specs["genes"] = charts.gene_scatter(study.look, study.labels, 1.03 * float(np.log10(1 + largest)))
    if len(study.replicates):
        specs["replicates"] = charts.replicates()
    return specs


def chart_tracks(study: Study) -> list[str]:
    """Return the tracks that a chart has panels for: the mean over all, and the first ones."""
    names = [name for name in dict.fromkeys(study.summary["track"]) if name != tables.ALL_TRACKS]
    return [tables.ALL_TRACKS, *names[:CHART_TRACKS]]


def page_data(study: Study, specs: dict[str, Any], scatter: pd.DataFrame) -> dict[str, Any]:
    """Return what the page's script needs."""
    replicates = study.replicates
    if len(replicates):
        outlier = replicates["outlier"].astype(str).str.lower().isin(("true", "1"))
        replicates = replicates.assign(kind=np.where(outlier, "outlier", "agrees"))
    metrics = {name: describe(name) for name in in_order(study.summary["metric"].unique())}
    cell = ["split", "subset", "track", "context_bp", "protocol", "metric"]
    return {
        "charts": specs,
        "datasets": {
            "summary": records(study.summary),
            "costs": records(study.costs),
            "curves": records(study.curves.drop(columns=["key", "origin"])),
            "genes": records(scatter),
            "replicates": records(replicates),
        },
        "metrics": {name: vars(metric) | {"title": metric.title} for name, metric in metrics.items()},
        "levels": {name: {"title": level.title, "explanation": level.explanation} for name, level in LEVELS.items()},
        "colours": study.colours,
        "star": charts.TOLD_SHAPE,
        "all_tracks": tables.ALL_TRACKS,
        "chart_tracks": chart_tracks(study),
        "start": {task: rows[cell].iloc[0].to_dict() for task, rows in study.cells.items()},
    }


def sample_genes(genes: pd.DataFrame, shown: Mapping[str, set[str]]) -> pd.DataFrame:
    """Return what the scatter draws: all genes, or as many as a page can hold, the same in every run.

    `shown` are the ids of the genes in the genome browser, by task; they are kept and marked.
    """
    marked = [gene in shown.get(task, ()) for task, gene in zip(genes["task"], genes["gene_id"])]
    genes = genes.assign(shown=np.array(marked, dtype=bool))
    columns = [
        "task",
        "label",
        "model",
        "gene_id",
        "gene_name",
        "split",
        "track",
        "observed",
        "predicted",
        "shown",
    ]
    limit = min(SCATTER_POINTS_A_RUN, SCATTER_POINTS // max(1, genes["key"].nunique()))
    largest = genes["key"].value_counts().max() if len(genes) else 0
    if largest > limit:
        ids = genes["gene_id"].drop_duplicates()
        drawn = ids.sample(max(1, int(len(ids) * limit / largest)), random_state=1)
        genes = genes[genes["gene_id"].isin(set(drawn).union(*shown.values()))]
    return genes[columns]


def cards(study: Study, task: str) -> list[dict[str, str]]:
    """Return the few numbers that stand under a task's verdict."""
    cell = study.cells[task].dropna(subset="value").reset_index(drop=True)
    if cell.empty:
        return []
    cell = pd.concat([cell[cell["origin"] != "told"], cell[cell["origin"] == "told"]], ignore_index=True)
    metric, best = describe(study.headlines[task]), cell.iloc[0]
    seeds = f", mean of {best['seeds']} seeds ± {number(best['sd'])}" if best["seeds"] > 1 else ""
    found = [_card("Best score", number(best["value"]), best["label"], metric.title + seeds)]
    baselines, models = cell[cell["origin"] == "baseline"], cell[~cell["origin"].isin(BASELINES)]
    if len(baselines) and len(models):
        model, baseline = models.iloc[0], baselines.iloc[0]
        margin = (model["value"] - baseline["value"]) * (1 if metric.higher_is_better else -1)
        note = f"best baseline {value(baseline)}"
        found.append(
            _card(
                "Best model over best baseline",
                f"{margin:+.3f}".replace("-", "−"),
                f"{model['label']} over {baseline['label']}",
                note,
            )
        )
    leakage = study.leakage[study.leakage["task"] == task] if len(study.leakage) else study.leakage
    shared = (
        f"{int(leakage['bases'].sum()):,} bases shared between splits" if len(leakage) else "leakage was not measured"
    )
    checks = study.checks[study.checks["task"] == task] if len(study.checks) else study.checks
    if len(checks):
        shared = f"{int((checks['leak'] == 'yes').sum())} of {len(checks)} checks found a leak"
    unit = (
        "genes"
        if metric.level.startswith(("gene", "fold", "cross_individual"))
        else "examples"
        if metric.level == "example"
        else "windows"
    )
    found.append(_card("Scored on", f"{int(best['n']):,}", f"{unit} of the {best['split']} split", shared))
    spent = study.costs[study.costs["key"] == best["key"]].iloc[0]
    if pd.notna(spent["train_seconds"]):
        where = [spent["device"]] if spent["device"] else []
        where += [f"{spent['peak_memory_mb']:,.0f} MB at most"] if pd.notna(spent["peak_memory_mb"]) else []
        where += [f"{spent['parameters']:,.0f} parameters"] if pd.notna(spent["parameters"]) else []
        found.append(_card("Training time", duration(spent["train_seconds"]), best["label"], ", ".join(where)))
    return found


def duration(seconds: float) -> str:
    """Write a time span for reading."""
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 5_400 else f"{seconds / 3600:.3g} h"


def window_counts(windows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return, by task, the windows kept and left out with their shares."""
    tasks = []
    for task, table in windows.groupby("task", sort=False) if len(windows) else ():
        total = int(table["count"].sum())
        reasons = [
            {
                "reason": REASONS.get(reason, reason.replace("_", " ")),
                "count": int(count),
                "share": count / max(1, total),
            }
            for reason, count in zip(table["reason"], table["count"])
        ]
        tasks.append({"task": task, "total": total, "reasons": reasons})
    return tasks


def variant_counts(variants: pd.DataFrame) -> dict[str, Any]:
    """Return variants by contig (rows) and reason (columns)."""
    if variants.empty:
        return {}
    wide = variants.pivot_table(
        index="contig", columns="reason", values="count", aggfunc="sum", fill_value=0, sort=False
    )
    rows = [
        {"contig": contig, "counts": [int(n) for n in counts]} for contig, counts in zip(wide.index, wide.to_numpy())
    ]
    return {"reasons": [reason.replace("_", " ") for reason in wide.columns], "rows": rows}


def rerun_commands(study: Study) -> list[dict[str, str]]:
    """Return the command that makes each run's metrics again, with the hash of its configuration and versions."""
    pattern = study.provenance.get("rerun") or "snakemake --cores all --force {path}"
    root = study.inputs.results.parent.parent
    commands = []
    for run in study.inputs.runs:
        path, settings = run.folder / "metrics.tsv", run.settings
        path = path.relative_to(root) if path.is_relative_to(root) else path
        versions = ", ".join(f"{name} {version}" for name, version in (settings.get("versions") or {}).items())
        command = pattern.replace("{path}", shlex.quote(str(path)))
        commands.append(
            {
                "path": str(path),
                "command": command,
                "hash": str(settings.get("hash") or ""),
                "versions": versions,
            }
        )
    return commands


def order_quantities(names: Any) -> list[str]:
    """Put the losses first, then what was evaluated, then the rest."""
    first = ["loss", "eval_loss"]
    return [
        *(n for n in first if n in names),
        *sorted(set(names) - {*first}, key=lambda n: (not n.startswith("eval"), n)),
    ]


def _card(title: str, figure: str, name: str, note: str) -> dict[str, str]:
    return {"title": title, "figure": figure, "name": name, "note": note}

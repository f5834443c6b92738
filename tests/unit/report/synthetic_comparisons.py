"""Comparisons of the runs of a made-up study: each score gets units whose interval is as wide as its metrics say."""

from zlib import crc32

import numpy as np
import pandas as pd
import yaml
from glmflow.comparing.comparison import compare_runs
from glmflow.statistics.influence import Score
from glmflow.statistics.stored import Stored
from glmflow.tasks.comparable import cell

HIGHER = {
    "base_log1p_pearson", "base_pearson", "gene_log1p_pearson", "fold_change_pearson", "cross_individual_pearson",
    "copy_advantage", "mcc", "strict", "accuracy", "auroc", "pairwise", "auroc_mean_consequence", "spearman",
}  # fmt: skip
LOWER = {"loss", "codon_js", "js_6"}
UNITS = 50


def write_comparisons(results):
    """Write `comparisons/` of every task of a results folder."""
    runs, stored = {}, {}
    for path in sorted(results.glob("runs/*/*/*/seed*/metrics.tsv")):
        task, model, adaptation, _ = path.parent.parts[-4:]
        settings = yaml.safe_load((path.parent / "run.yaml").read_text())
        runs.setdefault(task, []).append(described(path.parent, task, model, adaptation, settings))
        stored.setdefault(task, []).append(scores_of(pd.read_csv(path, sep="\t"), f"{task}/{model}/{adaptation}"))
    for task in runs:
        found = compare_runs(runs[task], stored[task])
        folder = results / "comparisons" / task
        folder.mkdir(parents=True, exist_ok=True)
        found.rows.to_csv(folder.with_suffix(".tsv"), sep="\t", index=False)
        found.notes.to_csv(folder / "notes.tsv", sep="\t", index=False)
        found.differences.to_csv(folder / "differences.tsv", sep="\t", index=False)
        found.warnings.to_csv(folder / "warnings.tsv", sep="\t", index=False)


def described(folder, task, model, adaptation, settings):
    baseline = settings["model"].get("baseline")
    role = "model" if baseline is None else "told" if settings.get("told") else "baseline"
    label = model if baseline else f"{model} ({adaptation})"
    facts = {"folder": str(folder), "key": f"{task}/{model}/{adaptation}", "label": label, "role": role}
    return facts | {"control_of": None, "seeded": role == "model", "backbone": None, "random": False}


def scores_of(metrics, key):
    rows = metrics[metrics["metric"].isin(HIGHER | LOWER) & metrics["ci_low"].notna()]
    rows = rows[(rows["protocol"] == "strict") & rows["value"].notna()].fillna({"subset": "all", "track": "all"})
    several = rows["track"].nunique() > 1
    found = {}
    for (metric, split, subset, context), part in rows.groupby(
        ["metric", "split", "subset", "context_bp"], sort=False, dropna=False
    ):
        context = None if pd.isna(context) else int(context)
        name = cell(metric, split, subset, "mean" if several else part["track"].iloc[0], context)
        half = float((part["ci_high"] - part["ci_low"]).mean()) / 2
        value = float(part["value"].mean())
        noise = np.random.default_rng(crc32(f"{key}{name}".encode())).normal(size=UNITS)
        noise -= noise.mean()
        influence = noise / np.sqrt((noise**2).sum()) * half / 2.01 * np.sqrt((UNITS - 2) / UNITS)
        lower = metric in LOWER
        score = Score(value, influence[:, None], plays=value != 0)
        found[name] = Stored(score, "units", not lower, None if lower else 0.5 if metric == "auroc" else 0.0)
    return found

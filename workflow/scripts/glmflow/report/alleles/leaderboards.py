"""Tables of the page of a task that ranks alleles, from the tables its runs have left."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from glmflow.report.data_uris import data_uri
from glmflow.report.run_tables import read_scores
from glmflow.report.study_tables import Study
from glmflow.report.wording import number
from glmflow.yaml_text import load_yaml

POOLED = ("auroc", "auprc", "spearman")
"""Metrics over all alleles, which measure the consequence too where alleles have one."""
DETAILED = 8
"""Runs whose alleles, strands and distributions are shown one by one, models first."""
SHOWN = 8
"""Pictures of a run on the page; the others lie in its folder."""
UCSC, IGV = "https://genome.ucsc.edu/cgi-bin/hgTracks", "https://igv.org/app/"


KINDS = {
    "snv": "SNVs",
    "mnv": "MNVs",
    "indel_1_3": "indels of 1-3 bp",
    "indel_4_20": "indels of 4-20 bp",
    "indel_over_20": "indels over 20 bp",
}
"""Kinds of change, in words; others are called as they are."""


def first_seed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each run's first seed."""
    if table.empty:
        return table
    least = table.groupby(["task", "model", "adaptation"])["seed"].transform("min")
    return table[table["seed"] == least]


def left_by_runs(study: Study, task: str, name: str, labels: list[str] | None = None) -> pd.DataFrame:
    """Return `scores/{name}` of the first seed of every run (of `labels` alone where given), with how each is called."""
    table = first_seed(read_scores(study.runs(task), name))
    if table.empty:
        return table
    table = study.name_runs(table)
    return table if labels is None else table[table["label"].isin(labels)]


def detailed(study: Study, task: str) -> list[str]:
    """Return the runs that are shown in detail: models best first, then baselines."""
    cell = study.cells[task]
    models = cell[~cell["origin"].isin(["baseline", "informed"])]
    others = cell[cell["origin"].isin(["baseline", "informed"])]
    return [*models["label"], *others["label"]][:DETAILED]


def own_rows(study: Study, task: str) -> pd.DataFrame:
    """Return the strict scores of a task, seeds put together."""
    rows = study.rows(study.summary, task)
    return rows[rows["protocol"] == "strict"]


def leaderboard(study: Study, task: str) -> dict[str, Any]:
    """Return a row a run, best first: every metric over all alleles, coverage, passes and seconds of the model."""
    kind, rows = study.kinds[task], own_rows(study, task)
    rows = rows[rows["subset"] == "all"]
    names = kind.in_order(set(rows["metric"]) - {"n_without_score", "chromosomes_without_both_classes", "n_pos"})
    cells = {(row.label, row.metric): row for row in rows.itertuples()}
    missing = rows[rows["metric"] == "n_without_score"].set_index("label")
    asked = left_by_runs(study, task, "asked.tsv")
    work = asked[asked["window"] == asked["window"].iloc[0]] if len(asked) else asked
    used = left_by_runs(study, task, "compared.tsv")
    lines = []
    for run in study.cells[task].itertuples():
        own = asked[asked["label"] == run.label] if len(asked) else work
        compared = own[own["compared"].astype(bool)] if len(own) else pd.DataFrame({"score": []})
        lines.append({
            "label": run.label,
            "model": run.model,
            "origin": run.origin,
            "cells": [cells.get((run.label, name)) for name in names],
            "missing": missing["value"].get(run.label, np.nan),
            "of": missing["n"].get(run.label, np.nan),
            "scores": scores_used(used, run.label) or [(name, "") for name in dict.fromkeys(compared["score"])],
            "window": int(compared["window"].iloc[0]) if len(compared) else None,
            "passes": int(compared["passes"].iloc[0]) if len(compared) else None,
            "seconds": float(compared["seconds"].iloc[0]) if len(compared) else None,
            "single": float(compared["single_token_share"].iloc[0]) if len(compared) else np.nan,
        })  # fmt: skip
    return {"metrics": [kind.metric(name) for name in names], "pooled": POOLED, "rows": lines}


def scores_used(used: pd.DataFrame, label: str) -> list[tuple[str, str]]:
    """Return the scores that a run is compared by, each with the kinds of change that it is the score of, most first."""
    if used.empty:
        return []
    own = used[used["label"] == label]
    order = own.groupby("score")["n"].sum().sort_values(ascending=False).index
    several = len(order) > 1
    kinds = {name: rows.sort_values("n", ascending=False) for name, rows in own.groupby("score")}
    words = {
        name: ", ".join(f"{n:,} {KINDS.get(kind, kind)}" for kind, n in zip(rows["kind"], rows["n"]))
        for name, rows in kinds.items()
    }
    return [(name, words[name] if several else "") for name in order]


def mixed(study: Study, task: str) -> list[str]:
    """Return which runs rank some alleles by one score and some by another: figures over all alleles mix two scales."""
    used = left_by_runs(study, task, "compared.tsv")
    if used.empty:
        return []
    runs = {label: scores_used(used, label) for label in dict.fromkeys(used["label"])}
    told = [
        f"{label} by " + " and ".join(f"{name} ({words})" for name, words in scores)
        for label, scores in runs.items()
        if len(scores) > 1
    ]
    if not told:
        return []
    return [
        f"Figures over all alleles mix scores of different scales, as insertions and deletions have another than single "
        f"bases: {'; '.join(told)}. Compare runs within kinds of change."
    ]


def by_subset(study: Study, task: str, prefix: str) -> pd.DataFrame:
    """Return the scores within subsets (`consequence`, `kind`, `gene`, `exon`): label, subset, value, interval, n, n_pos."""
    rows = own_rows(study, task)
    inside = rows[rows["subset"].str.startswith(f"{prefix}:")]
    metric = "auroc" if (inside["metric"] == "auroc").any() else "spearman"
    found = inside[inside["metric"] == metric].copy()
    if found.empty:
        return found
    found["subset"] = found["subset"].str.removeprefix(f"{prefix}:")
    positives = inside[inside["metric"] == "n_pos"].copy()
    positives["subset"] = positives["subset"].str.removeprefix(f"{prefix}:")
    known = positives.drop_duplicates(["label", "subset"]).set_index(["label", "subset"])["value"]
    found["n_pos"] = [known.get(key, np.nan) for key in zip(found["label"], found["subset"])]
    words = study.kinds[task].metric(metric).label
    # Runs that lack a score for some alleles stand in the panel of the others.
    most = found.groupby("subset")[["n", "n_pos"]].transform("max")
    found["part"] = [
        f"{subset} ({words}; {int(n)} alleles" + (f", {int(p)} positive)" if p == p else ")")
        for subset, n, p in zip(found["subset"], most["n"], most["n_pos"])
    ]
    return found[["label", "model", "origin", "mark", "subset", "part", "value", "ci_low", "ci_high", "n", "n_pos"]]


def subset_table(study: Study, task: str, prefix: str) -> dict[str, Any]:
    """Return the scores within subsets as a table: a row a run, a column a subset."""
    found = by_subset(study, task, prefix)
    if found.empty:
        return {}
    largest = found.groupby("subset")["n"].max().sort_values(ascending=False)
    names = list(largest.index[:12])
    cells = {(row.label, row.subset): row for row in found.itertuples()}
    heads = [
        {
            "name": KINDS.get(name, name),
            "n": int(largest[name]),
            "n_pos": found.loc[found["subset"] == name, "n_pos"].max(),
        }
        for name in names
    ]
    lines = [
        {
            "label": run.label,
            "model": run.model,
            "origin": run.origin,
            "cells": [cells.get((run.label, name)) for name in names],
        }
        for run in study.cells[task].itertuples()
    ]
    return {"heads": heads, "rows": lines, "more": max(0, len(largest) - len(names))}


def wrongest(study: Study, task: str) -> list[dict[str, Any]]:
    """Return of each detailed run the alleles it is most wrong about, with links to genome browsers where an assembly is named."""
    settings = task_settings(study, task)
    labels = detailed(study, task)
    table = left_by_runs(study, task, "wrongest.tsv", labels)
    found = []
    for label in [label for label in labels if len(table) and label in set(table["label"])]:
        own = table[table["label"] == label].dropna(axis=1, how="all")
        rows = [row | {"links": browser_links(row, settings.get("browser"))} for row in own.to_dict("records")]
        named = [name for name in ("kind", "consequence", "group", "element") if name in own]
        controls = "above_controls" in own
        found.append({"label": label, "columns": named, "controls": controls, "rows": rows})
    return found


def browser_links(row: dict[str, Any], browser: dict[str, Any] | None) -> dict[str, str]:
    """Return addresses of an allele in the UCSC browser and in igv, 50 bp each side; none where no assembly is named."""
    if not browser:
        return {}
    columns = browser.get("columns") or {}
    chrom = row[columns["chrom"]] if columns else browser.get("chrom") or row["chrom"]
    start = int(row[columns["pos"]]) - 1 if columns else int(row["start"]) + int(browser.get("offset") or 0)
    assembly, place = quote(browser["assembly"]), quote(f"{chrom}:{max(1, start - 49)}-{start + 50}")
    return {"UCSC": f"{UCSC}?db={assembly}&position={place}", "igv": f"{IGV}?genome={assembly}&locus={place}"}


def task_settings(study: Study, task: str) -> dict[str, Any]:
    """Return all settings of a task, as the study's provenance has them: runs record none that only scores depend on."""
    recorded = study.provenance.get("configuration") or {}
    configuration = load_yaml(recorded) if isinstance(recorded, str) else recorded
    return (configuration.get("tasks") or {}).get(task) or {}


def reasons(study: Study, task: str) -> dict[str, Any]:
    """Return why alleles have no score: a row a reason, a column a run; runs that score all are left out."""
    table = left_by_runs(study, task, "reasons.tsv")
    if table.empty:
        return {}
    wide = table.pivot_table(index="reason", columns="label", values="n", aggfunc="sum", fill_value=0)
    wide = wide.loc[wide.sum(axis=1).sort_values(ascending=False).index]
    return {
        "labels": list(wide),
        "rows": [
            {"reason": name.replace("_", " "), "counts": list(row)} for name, row in zip(wide.index, wide.to_numpy())
        ],
    }


def strand_rows(study: Study, task: str) -> list[dict[str, Any]]:
    """Return the correlation of both strands of each model, and whether it is so low that the model is not to be trusted."""
    rows = own_rows(study, task)
    rows = rows[rows["metric"] == "strand_pearson"]
    return [
        {"label": row.label, "value": number(row.value), "n": int(row.n), "low": bool(row.value < 0.5)}
        for row in rows.itertuples()
    ]


def confounded(study: Study, task: str) -> list[str]:
    """Return what the consequence alone reaches over all alleles, where it says much of the label."""
    rows = own_rows(study, task)
    rows = rows[(rows["subset"] == "all") & (rows["metric"] == "auroc")]
    names = rows["model"].map(baseline_kinds(study, task)).fillna("")
    known = rows[names.str.startswith("consequence").to_numpy()].dropna(subset="value")
    if known.empty or (known["value"] - 0.5).abs().max() < 0.1:
        return []
    best = known.loc[(known["value"] - 0.5).abs().idxmax()]
    return [
        f"Pooled figures are confounded by the consequence: {best['label']} alone, which reads no sequence, has an AUROC of "
        f"{number(best['value'])} over all alleles. Compare models within consequences."
    ]


def baseline_kinds(study: Study, task: str) -> dict[str, str]:
    """Return the kind of each baseline of a task by the model's label."""
    found = {}
    for run in study.runs(task):
        block = (run.settings.get("model") or {}).get("baseline")
        if block:
            found[run.model] = block["kind"] if isinstance(block, dict) else str(block)
    return found


def gallery(study: Study, task: str) -> list[dict[str, Any]]:
    """Return of each run its pictures of mutagenesis and dependency maps, as PNG in data URIs, by place."""
    found = []
    for run in study.runs(task):
        paths = sorted((run.folder / "pictures").glob("*/pictures/*.png"))
        pictures = [
            {
                "what": {"mutagenesis": "in-silico mutagenesis"}.get(path.parts[-3], "dependency map"),
                "place": path.stem.replace("_", " "),
                "uri": data_uri(path.read_bytes(), "image/png"),
            }
            for path in paths[:SHOWN]
        ]
        if pictures:
            found.append({"label": f"{run.model} ({run.adaptation})", "pictures": pictures})
    return found

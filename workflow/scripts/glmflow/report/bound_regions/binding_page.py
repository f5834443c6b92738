"""The page of a binding task: kinds of keys apart, keys x runs, families held out beside siblings, widths, regions."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from glmflow.report.audit_card import audit_card
from glmflow.report.charts import WIDEST, finish, theme, tooltip
from glmflow.report.classes.class_page import run_chart, task_table
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.run_tables import read_scores
from glmflow.report.study_tables import Study

from .haplotype_section import DATA, haplotype_section

KINDS = {
    "all": "all keys",
    "kind_a": "a: new cell",
    "kind_b": "b: new TF",
    "kind_b_sibling": "b, sibling known",
    "kind_b_new_family": "b, new family",
    "kind_c": "c: new pair",
    "kind_d": "d: new cell and TF",
    "kind_d_sibling": "d, sibling known",
    "kind_d_new_family": "d, new family",
}
PAIRED = ("cell_concordance", "tf_concordance")
WIDTHS = {"narrow_regions": "narrow third", "middle_regions": "middle third", "wide_regions": "wide third"}
WIDTH_CHECK = "width of regions alone"
RUNS_SHOWN, KEYS_SHOWN, REGIONS_SHOWN, SAMPLES_SHOWN = 6, 12, 120, 100


def binding_page(study: Study, task: str, template: str) -> str:
    """Return the page of a task, filled into a template."""
    rows = strict_rows(study, task)
    order = run_order(study, task)
    heat, regions = key_scores(study, task, order), shown_regions(study, task, order)
    charts: dict[str, Any] = {"runs": run_chart(study, task)}
    datasets = {"runs": records(study.cells[task])}
    if len(heat):
        charts["keys"], datasets["keys"] = key_chart(heat, order), records(heat)
    if len(regions):
        charts["regions"], datasets["regions"] = region_chart(regions), records(regions)
    people = haplotype_section(study, task, order)
    if people is not None:
        charts[DATA], datasets[DATA] = people["chart"], people["data"]
    return render(
        template,
        study=study,
        task=task,
        people=people,
        files={other: study.pages[other] for other in study.like(task)},
        verdict=study.verdict(task),
        headline=study.headlines[task],
        split=study.split(task),
        warning=width_warning(study, task),
        notes=key_notes(study, task),
        kinds=matrix(rows, study, order, "auprc", KINDS),
        areas=matrix(rows, study, order, "auroc", KINDS),
        pairs=pair_rows(rows, study, order),
        widths=matrix(rows, study, order, "auroc", WIDTHS),
        others=other_scores(study, task, rows, order),
        unlabelled=unlabelled_scores(study, task, order),
        controls=controls(study, task),
        samples=samples_shown(study, task),
        card=audit_card(study, task),
        counts=study.rows(study.counts, task).fillna("").to_dict("records"),
        has={"keys": len(heat) > 0, "regions": len(regions) > 0},
        vega=vega(),
        data=embed({"charts": charts, "datasets": datasets}),
    )


def strict_rows(study: Study, task: str) -> pd.DataFrame:
    """Return the strict scores of a task on the split that its verdict is about, a row a run, subset and metric."""
    rows = study.rows(study.summary, task)
    return rows[(rows["split"] == study.split(task)) & (rows["protocol"] == "strict")]


def run_order(study: Study, task: str) -> list[str]:
    """Return the runs of a task, best first."""
    return study.cells[task]["label"].tolist()


def matrix(
    rows: pd.DataFrame, study: Study, order: list[str], metric: str, subsets: dict[str, str]
) -> dict[str, Any] | None:
    """Return one metric, runs x subsets: headings with the number of keys, and rows of cells; None without any."""
    own = rows[(rows["metric"] == metric) & rows["subset"].isin(list(subsets))]
    known = [name for name in subsets if name in set(own["subset"])]
    if own.empty:
        return None
    table = own.set_index(["label", "subset"])
    largest = float(own["value"].max())
    lines = []
    for label in order:
        if label not in set(own["label"]):
            continue
        first = own[own["label"] == label].iloc[0]
        cells = [table.loc[(label, name)] if (label, name) in table.index else None for name in known]
        lines.append({"label": label, "origin": first["origin"], "model": first["model"], "cells": cells})
    heads = [{"title": subsets[name], "n": int(own.loc[own["subset"] == name, "n"].max())} for name in known]
    return {"heads": heads, "rows": lines, "largest": largest}


def pair_rows(rows: pd.DataFrame, study: Study, order: list[str]) -> list[dict[str, Any]]:
    """Return both concordances of each run over all keys."""
    found = []
    for label in order:
        own = rows[(rows["label"] == label) & (rows["subset"] == "all")].set_index("metric")
        cells = [own.loc[name] if name in own.index else None for name in PAIRED]
        if any(cell is not None for cell in cells):
            first = own.iloc[0]
            found.append({"label": label, "origin": first["origin"], "model": first["model"], "cells": cells})
    return found


def other_scores(study: Study, task: str, rows: pd.DataFrame, order: list[str]) -> dict[str, Any]:
    """Return every other metric over all keys, and what the hackathon's scorer says."""
    kind = study.kinds[task]
    everything = study.rows(study.summary, task)
    everything = everything[(everything["split"] == study.split(task)) & (everything["subset"] == "all")]
    names = [name for name in kind.in_order(everything["metric"].unique()) if name not in PAIRED]
    table = everything.drop_duplicates(["label", "metric"]).set_index(["label", "metric"])
    lines = [
        {"label": label, "cells": [table["value"].get((label, name)) for name in names]}
        for label in order
        if label in set(everything["label"])
    ]
    return {"metrics": [kind.metric(name) for name in names], "rows": lines}


def unlabelled_scores(study: Study, task: str, order: list[str]) -> list[dict[str, Any]]:
    """Return what models as they are order without labels, a row a run and score of sites, means over seeds."""
    table = read_scores(study.runs(task), "unlabelled.tsv")
    if table.empty:
        return []
    table = study.name_runs(table)
    values = table.groupby(["label", "origin", "model", "score"], sort=False)[
        ["keys", "auprc", "auroc", "gc_matched_auroc"]
    ]
    rows = values.mean().reset_index().to_dict("records")
    return sorted(rows, key=lambda row: order.index(row["label"]) if row["label"] in order else len(order))


def key_scores(study: Study, task: str, order: list[str]) -> pd.DataFrame:
    """Return AUPRC, AUROC and prevalence of each test key by each run, means over seeds."""
    table = read_scores(study.runs(task), "keys.tsv")
    if table.empty or "key" not in table:
        return pd.DataFrame()
    table = study.name_runs(table[table["split"] == study.split(task)].rename(columns={"key": "pair"}))
    names = ["auprc", "auroc", "lift", "prevalence"]
    found = table.groupby(["label", "pair", "kind"], sort=False)[names].mean().reset_index()
    found["name"] = found["kind"] + ": " + found["pair"]
    return found[found["label"].isin(order) & found["auprc"].notna()]


def key_chart(heat: pd.DataFrame, order: list[str]) -> dict[str, Any]:
    """Return the heat map of keys x runs: the lift over prevalence."""
    names = sorted(heat["name"].unique())
    chart = (
        alt.Chart(alt.NamedData("keys"))
        .mark_rect()
        .encode(
            x=alt.X("label:N", sort=order, title=None, axis=alt.Axis(labelAngle=-50, labelLimit=180)),
            y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=200)),
            color=alt.Color("lift:Q", title="lift", scale=alt.Scale(scheme="blues", domain=[0, 1], clamp=True)),
            tooltip=tooltip("label", "pair", "kind", "auprc", "auroc", "prevalence", "lift"),
        )
    )
    width = min(24 * heat["label"].nunique(), WIDEST)
    return finish(chart.properties(width=width, height=alt.Step(11)), []) | {"config": theme()}


def shown_regions(study: Study, task: str, order: list[str]) -> pd.DataFrame:
    """Return labels and predictions of some keys in some test regions, in the order of the genome, a row a run and region.

    The keys are those of most bound regions of each kind; the regions the first of the longest contig.
    """
    folder = study.inputs.examples
    paths = [folder / f"{task}.parquet", folder / task / "labels.parquet"] if folder else []
    if not paths or not all(path.exists() for path in paths):
        return pd.DataFrame()
    regions = pd.read_parquet(paths[0], columns=["example", "split", "chrom", "start", "end"])
    labels, keys = pd.read_parquet(paths[1]), task_table(study, task, "keys.tsv")
    test = regions[regions["split"] == study.split(task)]
    contig = test["chrom"].value_counts().index[0]
    shown = test[test["chrom"] == contig].sort_values("start").head(REGIONS_SHOWN)
    best = keys[keys["split"] == study.split(task)].sort_values("bound", ascending=False)
    names = best.groupby("kind").head(KEYS_SHOWN // 4)["key"].astype(str).tolist()
    number = {key: place for place, key in enumerate(keys["key"].astype(str))}
    between = folder / task / "ambiguous.parquet"
    ambiguous = pd.read_parquet(between) if between.exists() else labels.iloc[:0]
    bound, unclear = (
        {key: set(table.loc[table["key"] == number[key], "region"]) for key in names} for table in (labels, ambiguous)
    )
    parts = []
    for key in names:
        values = [1.0 if at in bound[key] else 0.5 if at in unclear[key] else 0.0 for at in shown.index]
        parts.append(shown.assign(key=key, label="peaks", value=values))
    first = {label: run for run in study.runs(task) for label in [study.labels_by_name.get(run.name)] if label}
    for label in [name for name in order if name in first][:RUNS_SHOWN]:
        path = first[label].folder / "predictions.parquet"
        if not path.exists():
            continue
        columns = [f"prediction_{key}" for key in names]
        table = pd.read_parquet(path, columns=["example", *columns]).set_index("example").reindex(shown["example"])
        for key, column in zip(names, columns):
            rank = table[column].rank(pct=True).to_numpy()
            parts.append(shown.assign(key=key, label=label, value=np.nan_to_num(rank)))
    found = pd.concat(parts, ignore_index=True)
    places = shown["example"].tolist()
    return found.assign(place=found["example"].map({name: at for at, name in enumerate(places)})).drop(columns="split")


def region_chart(regions: pd.DataFrame) -> dict[str, Any]:
    """Return the strip of regions of a key that is chosen: peaks above, ranks of what runs predict below."""
    keys = list(dict.fromkeys(regions["key"]))
    labels = list(dict.fromkeys(regions["label"]))
    chosen = alt.param("binding_key", value=keys[0], bind=alt.binding_select(options=keys, name="key "))
    chart = (
        alt.Chart(alt.NamedData("regions"))
        .transform_filter("datum.key === binding_key")
        .mark_rect()
        .encode(
            x=alt.X("place:O", title="test regions along the genome", axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=220)),
            color=alt.Color("value:Q", title="peak, or rank", scale=alt.Scale(scheme="blues", domain=[0, 1])),
            tooltip=tooltip("example", "label", "value"),
        )
        .add_params(chosen)
    )
    return finish(chart.properties(width=WIDEST, height=alt.Step(22)), []) | {"config": theme()}


def width_warning(study: Study, task: str) -> str:
    """Return what the width of regions gives away, where it does."""
    rows = study.rows(study.leakage, task)
    found = rows[rows["check"].str.contains(WIDTH_CHECK, regex=False) & (rows["leak"] == "yes")]
    if found.empty:
        return ""
    return (
        f"The width of regions gives labels away: {found.iloc[0]['detail']}. Regions that were merged from peaks are wide where "
        "many samples bind, test samples too. Take windows of one width (universe.regions: summits), or hold scores against the "
        "width alone and within thirds of width."
    )


def key_notes(study: Study, task: str) -> list[str]:
    """Return sentences on held-out keys of another kind than their trial, and on held-out regions that are one block."""
    items = study.rows(study.counts, task)["item"].astype(str)
    return [
        item for item in items if any(words in item for words in (" is an unseen", " are an unseen", " one block of "))
    ]


def samples_shown(study: Study, task: str) -> list[dict[str, Any]]:
    """Return what became of the samples of peaks, those that lost most first."""
    table = task_table(study, task, "samples.tsv")
    if table.empty:
        return []
    return table.sort_values("lost", ascending=False, kind="stable").head(SAMPLES_SHOWN).to_dict("records")


def controls(study: Study, task: str) -> list[dict[str, Any]]:
    """Return what runs score on other tasks of the kind beside this one: AUPRC of all keys and of new TFs, concordances."""
    own = headline_of(study, task)
    found = []
    for other in study.like(task):
        if other == task:
            continue
        for label, cells in headline_of(study, other).items():
            if label in own:
                found.append({"task": other, "label": label, "cells": cells, "own": own[label]})
    return found


def headline_of(study: Study, task: str) -> dict[str, list[float | None]]:
    """Return AUPRC of each run over all keys and over those of a new TF, and its cell and TF concordance."""
    rows = strict_rows(study, task).set_index(["label", "subset", "metric"])["value"]
    shown = [("all", "auprc"), ("kind_b", "auprc"), *(("all", name) for name in PAIRED)]
    return {label: [rows.get((label, *place)) for place in shown] for label in rows.index.get_level_values(0).unique()}

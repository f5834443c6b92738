"""The page of a task whose target is a class: runs over a band of baselines, classes one by one, what is taken for what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from glmflow.files import read_table
from glmflow.report.audit_card import audit_card
from glmflow.report.charts import finish, theme, tooltip
from glmflow.report.classes.class_tables import (
    fitted_with,
    learning_chart,
    learning_rows,
    length_rows,
    overall,
    parts,
    published_rows,
)
from glmflow.report.classes.curve_charts import curve_panels, curve_rows, picked_run
from glmflow.report.classes.length_chart import by_length, length_chart, unlike_rows
from glmflow.report.classes.paired_tables import SHOWN, over_splits, paired_rows
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.run_tables import baseline_span, read_scores
from glmflow.report.study_tables import Study
from glmflow.report.wording import number

CONFUSIONS = 12
"""Runs whose table of confusions is shown."""


def class_page(study: Study, task: str, template: str) -> str:
    """Return the page of a task, filled into a template."""
    rows = study.rows(study.summary, task)
    split = study.cells[task]["split"].iloc[0]
    rows = rows[(rows["split"] == split) & (rows["protocol"] == "strict")]
    cell, learning = study.cells[task], learning_rows(study, task)
    lengths, length_table = length_rows(study, task)
    clean = clean_cell(study, task, split)
    curves = curve_rows(study, task, split)
    charts = {"runs": run_chart(study, task, clean, curves)}
    data = {"runs": cell, **{name: table for name, table in (("clean", clean), ("curves", curves)) if len(table)}}
    if len(learning):
        charts, data = charts | {"learning": learning_chart(study, task)}, data | {"learning": learning}
    by_lengths = by_length(study, task)
    if len(by_lengths):
        charts, data = charts | {"by_length": length_chart(study, task)}, data | {"by_length": by_lengths}
    return render(
        template,
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        verdict=study.verdict(task),
        split=split,
        headline=study.headlines[task],
        scores=score_table(study, task, overall(rows)),
        parts=parts(rows, study.headlines[task].name),
        fitted_with=fitted_with(study, task),
        leak_free=len(clean) > 0,
        curves=len(curves) > 0,
        charts=charts,
        unlike_rows=unlike_rows(by_lengths),
        lengths=lengths,
        length_rows=length_table,
        classes=list(class_rows(study, task, split)),
        confusions=list(confusions(study, task, split)),
        examples=class_counts(study, task),
        card=audit_card(study, task),
        paired=paired_rows(study, task),
        shown=SHOWN,
        splits=over_splits(study, task),
        pairs=task_table(study, task, "audit_pairs.tsv").fillna("").to_dict("records"),
        published=list(published_rows(study, task, task_table(study, task, "published.tsv"))),
        sources=task_table(study, task, "sources.tsv").get("note", pd.Series(dtype=str)).tolist(),
        vega=vega(),
        data=embed({"charts": charts, "datasets": {name: records(table) for name, table in data.items()}}),
    )


def run_chart(
    study: Study, task: str, clean: pd.DataFrame | None = None, curves: pd.DataFrame | None = None
) -> dict[str, Any]:
    """Return the chart of the headline metric: a dot with its interval a run, over a band of baselines (`baseline_span`).

    `clean` are the scores on the leak-free part of the split (`clean_cell`), drawn as open diamonds; `curves` those of each
    run (`curve_rows`), drawn below for the run that is clicked on.
    """
    cell, metric = study.cells[task], study.headlines[task]
    order = list(cell["label"])
    scale = alt.Scale(zero=False, nice=True)
    x = alt.X("value:Q", title=metric.title, scale=scale, axis=alt.Axis(labelOverlap=True, tickCount=10))
    base = alt.Chart(alt.NamedData("runs")).transform_filter("datum.value !== null")
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, grid=True))
    picked = picked_run(curves, cell) if curves is not None and len(curves) else None
    size = alt.value(80) if picked is None else alt.condition(picked, alt.value(190), alt.value(80))
    dots = base.mark_point(filled=True, opacity=1).encode(
        y=y,
        x=x,
        size=size,
        color=study.look.colour(None),
        shape=study.look.shape(None),
        tooltip=tooltip("label", "value", "ci_low", "ci_high", "sd", "seeds", "n"),
    )
    layers = [
        base.mark_rule(strokeWidth=2, opacity=0.55).encode(
            y=y, x=alt.X("ci_low:Q", title=metric.title, scale=scale), x2="ci_high:Q", color=study.look.colour(None)
        ),
        dots if picked is None else dots.add_params(picked),
    ]
    if clean is not None and len(clean):
        points = alt.Chart(alt.NamedData("clean")).transform_filter("datum.value !== null")
        layers.append(
            points.mark_point(filled=False, size=90, strokeWidth=1.5, opacity=1).encode(
                y=y,
                x=x,
                color=study.look.colour(None),
                shape=alt.value("diamond"),
                tooltip=tooltip("label", "subset", "value", "n"),
            )
        )
    if band := baseline_span(cell):
        layers.insert(
            0,
            alt.Chart(alt.InlineData(band))
            .mark_rect(color="#8a93a0", opacity=0.18)
            .encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        )
    chart = alt.layer(*layers).properties(width=620, height=alt.Step(24))
    if picked is not None:
        chart = alt.vconcat(chart, curve_panels(curves, picked)).resolve_scale(color="independent")
    return finish(chart, []) | {"config": theme()}


def score_table(study: Study, task: str, rows: pd.DataFrame) -> dict[str, Any]:
    """Return every metric of every run, one part a subset of the examples: headings, and rows of (label, origin, cells)."""
    kind = study.kinds[task]
    names = kind.in_order(rows["metric"].unique())
    parts = []
    for subset, part in rows.groupby("subset", sort=True):
        order = [label for label in study.labels if label in set(part["label"])]
        table = part.set_index(["label", "metric"])
        lines = []
        for label in order:
            own = part[part["label"] == label].iloc[0]
            cells = [table.loc[(label, name)] if (label, name) in table.index else None for name in names]
            lines.append({"label": label, "model": own["model"], "origin": own["origin"], "cells": cells})
        parts.append({"subset": subset, "n": int(part["n"].max()), "rows": lines})
    return {"metrics": [kind.metric(name) for name in names], "parts": parts}


def class_rows(study: Study, task: str, split: str) -> Iterator[dict[str, Any]]:
    """Yield a row a run and class of `scores/classes.tsv`, means over seeds: label, class, and its numbers by column."""
    table = read_scores(study.runs(task), "classes.tsv")
    if table.empty or "class" not in table:
        return
    table = study.name_runs(table[table["split"] == split] if "split" in table else table).astype({"class": str})
    names = [
        name
        for name in table
        if table[name].dtype.kind in "if" and name not in ("seed", "value") and not table[name].isna().all()
    ]
    for label in [label for label in study.labels if label in set(table["label"])]:
        own = table[table["label"] == label]
        for name, part in own.groupby("class", sort=False):
            numbers = {column: float(part[column].mean()) for column in names}
            yield {"label": label, "class": name, "numbers": numbers, "texts": texts(numbers)}


def texts(numbers: dict[str, float]) -> dict[str, str]:
    """Return numbers for reading; whole ones as counts."""
    return {name: number(value, is_count=name == "n" or name.endswith("count")) for name, value in numbers.items()}


def confusions(study: Study, task: str, split: str) -> Iterator[dict[str, Any]]:
    """Yield of each run, best first, how many examples of each class are taken for each class, means over seeds.

    Read from `scores/confusion.tsv`: split observed predicted count.
    """
    table = read_scores(study.runs(task), "confusion.tsv")
    if table.empty:
        return
    table = study.name_runs(table[table["split"] == split] if "split" in table else table)
    table = table.astype({"observed": str, "predicted": str})
    classes = list(dict.fromkeys([*table["observed"], *table["predicted"]]))
    for label in [label for label in study.cells[task]["label"] if label in set(table["label"])][:CONFUSIONS]:
        own = table[table["label"] == label]
        seeds = own["seed"].nunique()
        wide = own.pivot_table(index="observed", columns="predicted", values="count", aggfunc="sum", fill_value=0)
        wide = wide.reindex(index=classes, columns=classes, fill_value=0) / seeds
        shares = wide.div(wide.sum(axis=1).replace(0, np.nan), axis=0).fillna(0)
        yield {
            "label": label,
            "classes": classes,
            "rows": [{"class": name, "cells": list(zip(wide.loc[name], shares.loc[name]))} for name in classes],
        }


def clean_cell(study: Study, task: str, split: str) -> pd.DataFrame:
    """Return the headline metric of every run on the leak-free part of the split: the first subset beside `all`."""
    rows = study.rows(study.summary, task)
    rows = rows[
        (rows["split"] == split) & (rows["metric"] == study.headlines[task].name) & (rows["protocol"] == "strict")
    ]
    rows = overall(rows)
    subsets = sorted(set(rows["subset"]) - {"all"})
    return rows[rows["subset"] == subsets[0]] if subsets else rows.iloc[:0]


def class_counts(study: Study, task: str) -> pd.DataFrame:
    """Return the classes of the examples (`examples/{task}/classes.tsv`); empty if there is no such table."""
    return task_table(study, task, "classes.tsv")


def task_table(study: Study, task: str, name: str) -> pd.DataFrame:
    """Return a table that the examples of a task come with (`examples/{task}/{name}`); empty if there is none."""
    folder = study.inputs.examples
    path = folder / task / name if folder else None
    return read_table(path) if path is not None and path.exists() else pd.DataFrame()

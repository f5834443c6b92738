"""Parts of the index page that tasks with classes, labels or values share: task by task, and which model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from glmflow.report.charts import finish, tooltip
from glmflow.report.classes.class_page import clean_cell
from glmflow.report.classes.suite import in_words, kind_of_model, suite
from glmflow.report.kinds import Section
from glmflow.report.rendering import records, render
from glmflow.report.run_tables import baseline_span
from glmflow.report.study_tables import Study


def sections(study: Study, tasks: Sequence[str]) -> list[Section]:
    """Return the chart of all tasks, a row each, and of several tasks the table of models over tasks."""
    found = [tasks_section(study, tasks)]
    if len(tasks) > 1:
        found.append(models_section(study, tasks))
    return found


def tasks_section(study: Study, tasks: Sequence[str]) -> Section:
    """Return a chart with a row a task: every model as a dot with its interval over the grey band of baselines."""
    kind = study.kinds[tasks[0]].name
    html = render("tasks_chart.html", chart=f"tasks_{kind}")
    rows, clean, bands = task_rows(study, tasks)
    names = {part: f"{part}_{kind}" for part in ("rows", "clean", "bands")}
    return Section(
        "results",
        f"tasks-{kind}",
        f"Task by task: {study.kinds[tasks[0]].link.lower()}",
        html,
        {f"tasks_{kind}": tasks_chart(study, list(rows["task_label"].unique()), names)},
        {names["rows"]: records(rows), names["clean"]: records(clean), names["bands"]: records(bands)},
    )


def task_rows(study: Study, tasks: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the runs of each task, those on its leak-free part, and the span of its baselines, by the name of the task."""
    rows, clean, bands = [], [], []
    for task in tasks:
        cell, metric = study.cells[task], study.headlines[task]
        name = f"{task} ({metric.label})"
        columns = {"task_label": name, "href": study.pages.get(task, "")}
        rows.append(cell.assign(**columns))
        clean.append(clean_cell(study, task, cell["split"].iloc[0]).assign(**columns))
        bands += [{"task_label": name, **span} for span in baseline_span(cell)]
    keep = ["task_label", "href", "label", "model", "mark", "value", "ci_low", "ci_high", "sd", "seeds", "n", "subset"]
    tables = [pd.concat(parts, ignore_index=True) for parts in (rows, clean)]
    tables = [table[[name for name in keep if name in table]] for table in tables]
    return tables[0], tables[1], pd.DataFrame(bands, columns=["task_label", "low", "high"])


def tasks_chart(study: Study, order: list[str], names: dict[str, str]) -> dict[str, Any]:
    """Return the chart: bands, intervals, dots, and open diamonds of the leak-free part."""
    y = alt.Y("task_label:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, grid=True))
    title = "headline metric of each task"
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=False, nice=True))
    base = alt.Chart(alt.NamedData(names["rows"])).transform_filter("datum.value !== null")
    clean = alt.Chart(alt.NamedData(names["clean"])).transform_filter("datum.value !== null")
    band = alt.Chart(alt.NamedData(names["bands"]))
    colour, tips = study.look.colour(None), tooltip("label", "value", "ci_low", "ci_high", "sd", "seeds", "n")
    low = alt.X("ci_low:Q", title=title)
    chart = alt.layer(
        band.mark_bar(color="#8a93a0", opacity=0.18).encode(y=y, x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_rule(strokeWidth=2, opacity=0.55).encode(y=y, x=low, x2="ci_high:Q", color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=y, x=x, color=colour, href="href:N", tooltip=tips),
        clean.mark_point(filled=False, size=75, strokeWidth=1.5, shape="diamond").encode(
            y=y, x=x, color=colour, tooltip=tooltip("label", "subset", "value", "n")
        ),
    )
    return finish(chart.properties(width=620, height=alt.Step(34)), [])


def models_section(study: Study, tasks: Sequence[str]) -> Section:
    """Return the table of models over tasks with ranks, critical difference and cost."""
    kind, found = study.kinds[tasks[0]].name, suite(study, tasks)
    rows = [
        {
            **row,
            "kind": kind_of_model(row["origin"]),
            "cells": [
                (row[task], found.intervals.get((row["model"], task)), found.chosen.get((row["model"], task)))
                for task in found.metrics
            ],
        }
        for row in found.table.to_dict("records")
    ]
    html = render(
        "which_model.html",
        rows=rows,
        tasks=list(found.metrics),
        metrics=found.metrics,
        words=in_words(found),
        found=found,
        study=study,
    )
    return Section("results", f"which-{kind}", "Which model?", html)

"""Charts of the page of a task that ranks alleles; each is given with the table that it draws."""

from __future__ import annotations

import altair as alt
import pandas as pd

from glmflow.report.charts import tooltip
from glmflow.report.study_tables import Study

from . import single_alleles
from .chart_parts import Chart, finished
from .leaderboards import by_subset, left_by_runs


def charts(study: Study, task: str) -> dict[str, Chart | None]:
    """Return all charts by name; None where there are no data for one."""
    return {
        "consequences": forest(study, task),
        "windows": windows(study, task),
        "scores": scores(study, task),
        "curves": curves(study, task),
        "distribution": single_alleles.distribution(study, task),
        "along": single_alleles.along(study, task),
        "against": single_alleles.against(study, task),
        "strip": single_alleles.strip(study, task),
        "strands": single_alleles.strands(study, task),
        "lengths": single_alleles.lengths(study, task),
    }


def forest(study: Study, task: str) -> Chart | None:
    """Return the score of every run within each consequence, with intervals; within kinds of change where there is none."""
    table = by_subset(study, task, "consequence")
    table = by_subset(study, task, "kind") if table.empty else table
    if table.empty:
        return None
    largest = table.groupby("part")["n"].max().sort_values(ascending=False).index[:12]
    table = table[table["part"].isin(largest)]
    y = alt.Y("label:N", sort=list(study.cells[task]["label"]), title=None, axis=alt.Axis(labelLimit=200, grid=True))
    scale = alt.Scale(zero=False, nice=True)
    base = alt.Chart().transform_filter("datum.value !== null")
    interval = base.mark_rule(strokeWidth=2, opacity=0.55).encode(
        y=y, x=alt.X("ci_low:Q", title=None, scale=scale), x2="ci_high:Q", color=study.look.colour(None)
    )
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=y, x=alt.X("value:Q", title=None, scale=scale), color=study.look.colour(None), shape=study.look.shape(None),
        tooltip=tooltip("label", "value", "ci_low", "ci_high", "n"),
    )  # fmt: skip
    chart = alt.layer(interval, dot).properties(width=300, height=alt.Step(18))
    chart = chart.facet(
        facet=alt.Facet("part:N", title=None, sort=list(largest)), columns=2, data=alt.NamedData("forest")
    )
    return finished(chart, {"forest": table})


def _headline(study: Study, task: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the metric that the verdict is about, else of the first that there is, over all alleles."""
    inside = table[table["subset"] == "all"]
    names = [study.headlines[task].name, *study.kinds[task].in_order(set(inside["metric"]))]
    name = next((name for name in names if (inside["metric"] == name).any()), "")
    return inside[inside["metric"] == name]


def windows(study: Study, task: str) -> Chart | None:
    """Return the metric against the window, a line a run and score; None where one window alone was asked for."""
    table = left_by_runs(study, task, "beside.tsv")
    if table.empty or table["window"].nunique() < 2:
        return None
    own = _headline(study, task, table).assign(line=lambda rows: rows["label"] + ", " + rows["score"])
    title = study.kinds[task].metric(own["metric"].iloc[0]).title
    base = alt.Chart(alt.NamedData("windows"))
    axis = alt.Axis(values=sorted(own["window"].unique()), format="d")
    x = alt.X("window:Q", title="window (bp, log scale)", scale=alt.Scale(type="log", base=2), axis=axis)
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    line = base.mark_line(strokeWidth=1.6).encode(
        x=x, y=y, color=study.look.colour("model"), strokeDash="score:N", detail="line:N"
    )
    bar = base.mark_rule(opacity=0.4).encode(
        x=x, y=alt.Y("ci_low:Q", title=title), y2="ci_high:Q", color=study.look.colour("model")
    )
    dot = base.mark_point(filled=True, size=50, opacity=1).encode(
        x=x,
        y=y,
        color=study.look.colour("model"),
        tooltip=[alt.Tooltip("line:N"), *tooltip("value", "ci_low", "ci_high", "n")],
    )
    return finished(alt.layer(bar, line, dot).properties(width=620, height=260), {"windows": own})


def scores(study: Study, task: str) -> Chart | None:
    """Return the metric of every score that was computed in the window that is compared."""
    table = left_by_runs(study, task, "beside.tsv")
    if table.empty or table["score"].nunique() < 2:
        return None
    first = table[table["compared"].astype(bool)].groupby("label")["window"].first()
    own = _headline(study, task, table)
    own = own[own["window"] == own["label"].map(first)].assign(name=lambda rows: rows["label"] + ": " + rows["score"])
    own = own.sort_values("value", ascending=False)
    title = study.kinds[task].metric(own["metric"].iloc[0]).title
    base = alt.Chart(alt.NamedData("scores"))
    y = alt.Y("name:N", sort=list(own["name"]), title=None, axis=alt.Axis(labelLimit=300, grid=True))
    scale = alt.Scale(zero=False, nice=True)
    bar = base.mark_rule(strokeWidth=2, opacity=0.55).encode(
        y=y, x=alt.X("ci_low:Q", title=title, scale=scale), x2="ci_high:Q", color=study.look.colour(None)
    )
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=y, x=alt.X("value:Q", title=title, scale=scale), color=study.look.colour(None),
        tooltip=[alt.Tooltip("name:N"), *tooltip("value", "ci_low", "ci_high", "n")],
    )  # fmt: skip
    return finished(alt.layer(bar, dot).properties(width=520, height=alt.Step(18)), {"scores": own})


def curves(study: Study, task: str) -> Chart | None:
    """Return ROC and precision-recall curves, a line a run."""
    table = left_by_runs(study, task, "curves.tsv")
    if table.empty:
        return None
    line = alt.Chart().mark_line(strokeWidth=1.4, opacity=0.9).encode(
        x=alt.X("x:Q", title="false positive rate, or recall"), y=alt.Y("y:Q", title="true positive rate, or precision"),
        color=study.look.colour("model"), detail="label:N", order="x:Q", strokeDash=alt.StrokeDash("mark:N", title="adaptation"),
        tooltip=[alt.Tooltip("label:N", title="run")],
    ).properties(width=280, height=280)  # fmt: skip
    table = table.assign(mark=table["adaptation"])
    chart = line.facet(
        facet=alt.Facet("curve:N", title=None, sort=["ROC", "precision-recall"]),
        columns=2,
        data=alt.NamedData("curves"),
    )
    return finished(chart, {"curves": table[["curve", "x", "y", "label", "model", "mark"]]})

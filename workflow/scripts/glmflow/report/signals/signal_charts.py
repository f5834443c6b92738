"""Charts of signals: predicted against observed genes, and replicates with each other."""

from __future__ import annotations

from typing import Any

import altair as alt

from glmflow.report.charts import Look, as_pixels, finish, tooltip


def gene_scatter(look: Look, labels: list[str], largest: float) -> dict[str, Any]:
    """Return the chart of predicted against observed signal of genes, one panel a run (data `genes`).

    Parameters
    ----------
    labels
        Runs in the order of their panels.
    largest
        End of both axes, as log10(1 + signal).
    """
    size = 250
    base = alt.Chart()
    scale = alt.Scale(domain=[0, largest], nice=False)
    dots = base.mark_point(filled=True, size=26, strokeWidth=1).encode(
        x=alt.X("x:Q", title="true, log10(1 + signal)", scale=scale),
        y=alt.Y("y:Q", title="predicted", scale=scale),
        color=look.colour(None),
        opacity=alt.condition("datum.shown", alt.value(1), alt.value(0.4)),
        stroke=alt.condition("datum.shown", alt.value("#1d2430"), alt.value("transparent")),
        tooltip=tooltip("gene_name", "track", "observed", "predicted"),
    )
    diagonal = (
        base.transform_aggregate(n="count()", groupby=["label"])
        .mark_rule(color="#8a93a0", strokeDash=[4, 4])
        .encode(x=alt.datum(0), y=alt.datum(0), x2=alt.datum(largest), y2=alt.datum(largest))
    )
    chart = alt.layer(diagonal, dots).properties(width=size, height=size)
    chart = chart.facet(facet=alt.Facet("label:N", title=None, sort=labels), columns=3, data=alt.NamedData("genes"))
    chart = chart.transform_filter(
        "datum.task === task && datum.split === split && (track === all_tracks || datum.track === track)"
    ).transform_calculate(
        x="log(1 + max(0, datum.observed)) / LN10",
        y="log(1 + max(0, datum.predicted)) / LN10",
    )
    return as_pixels(finish(chart, ["task", "split", "track", "all_tracks"]))


def replicates() -> dict[str, Any]:
    """Return the chart of the correlation of each pair of replicates (data `replicates`); outliers stand out."""
    base = alt.Chart(alt.NamedData("replicates"))
    kinds = alt.Scale(domain=["agrees", "outlier"], range=["#0072B2", "#D55E00"])
    marks = alt.Scale(domain=["agrees", "outlier"], range=["circle", "triangle-up"])
    chart = base.mark_point(filled=True, size=70, opacity=0.85).encode(
        x=alt.X("r:Q", title="Pearson r between two replicates", scale=alt.Scale(zero=False, padding=8)),
        y=alt.Y("track:N", title=None, axis=alt.Axis(grid=True, labelLimit=220)),
        color=alt.Color("agreement:N", scale=kinds, title="pair"),
        shape=alt.Shape("agreement:N", scale=marks, title="pair"),
        tooltip=tooltip("track", "replicate_a", "replicate_b", "r", "agreement"),
    )
    return finish(chart.properties(width=520, height=alt.Step(24)), [])

"""The interactive charts as Vega-Lite specifications (made by Altair); the page gives them their data by name.

Charts share the page's selectors as parameters (`task`, `split`, `subset`, `context_bp`, `protocol`, `metric`,
`track`), which the page sets without a reload.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
WIDEST = 860
"""Pixels of a chart between the names on its left and its legend: all of it fits a window of 1,366, however many columns."""
SHAPES = ("circle", "square", "triangle-up", "cross", "triangle-down", "triangle-left", "triangle-right")
BASELINE_SHAPE = "diamond"
INFORMED = "informed baseline"
"""Mark of a baseline that is given more than the sequence: no rival of a model, so it is no diamond."""
INFORMED_SHAPE = "M0,-1L.29,-.4L.95,-.31L.47,.15L.59,.81L0,.5L-.59,.81L-.47,.15L-.95,-.31L-.29,-.4Z"  # a star
CELL = "datum.task === task && datum.split === split && datum.subset === subset && datum.context_bp === context_bp"
CELL += " && datum.protocol === protocol && datum.metric === metric"


# Labels of a logarithmic axis: 1, 2, 5, 10 …, thousands with a letter.
MANTISSA = "round(datum.value / pow(10, floor(log(datum.value) / LN10 + 1e-9)))"
LOG_LABEL = f"indexof([1, 2, 5], {MANTISSA}) < 0 ? '' : datum.value >= 1000 ? format(datum.value, '~s') : format(datum.value, '~g')"


def theme() -> dict[str, Any]:
    """Return the look that all charts share."""
    text = {"labelColor": "#3b4350", "titleColor": "#3b4350", "labelFontSize": 11, "titleFontSize": 11}
    return {
        "font": FONT,
        "background": "transparent",
        "view": {"stroke": "#d9dee5"},
        "axis": text
        | {
            "labelFlush": False,
            "labelOverlap": True,
            "labelSeparation": 8,
            "gridColor": "#eceff3",
            "domainColor": "#aab2bd",
            "tickColor": "#aab2bd",
            "titleFontWeight": 500,
        },
        "legend": text | {"symbolSize": 70, "titleFontWeight": 600, "labelLimit": 260},
        "header": text | {"labelFontWeight": 600, "labelFontSize": 12, "title": None},
    }


def shapes(adaptations: list[str], baselines: set[str], informed: bool = False) -> dict[str, str]:
    """Return the mark of each adaptation: a diamond for baselines, a star for baselines that are given more."""
    others = [name for name in adaptations if name not in baselines]
    found = {name: SHAPES[place % len(SHAPES)] for place, name in enumerate(others)}
    return found | dict.fromkeys(baselines, BASELINE_SHAPE) | ({INFORMED: INFORMED_SHAPE} if informed else {})


def by_track(look: Look, labels: list[str], tracks: list[str]) -> dict[str, Any]:
    """Return the chart of the chosen metric: one dot with its interval a run and track."""
    base = alt.Chart()
    y = alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=200, grid=True))
    tips = tooltip("label", "track", "value", "ci_low", "ci_high", "sd", "seeds", "n")
    scale = alt.Scale(zero=False, nice=True)
    interval = base.mark_rule(strokeWidth=2, opacity=0.55).encode(
        y=y, x=alt.X("ci_low:Q", title=None, scale=scale), x2="ci_high:Q", color=look.colour(None)
    )
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=y,
        x=alt.X("value:Q", title=None, scale=scale),
        color=look.colour(None),
        shape=look.shape(None),
        tooltip=tips,
    )
    chart = alt.layer(interval, dot).properties(width=380 if len(tracks) > 1 else 760, height=alt.Step(20))
    chart = chart.facet(facet=alt.Facet("track:N", title=None, sort=tracks), columns=2, data=alt.NamedData("summary"))
    chart = chart.transform_filter(CELL).transform_filter("datum.value !== null")
    return finish(chart, CELL_PARAMETERS)


def cost(look: Look, known: list[str]) -> dict[str, Any]:
    """Return the chart of the chosen metric against what it cost; `known` are the kinds of cost that some run has."""
    what = alt.param(
        name="cost",
        value=known[0],
        bind=alt.binding_select(options=known, labels=[COSTS[name] for name in known], name="Cost "),
    )
    base = (
        alt.Chart(alt.NamedData("summary"))
        .transform_filter(CELL + " && datum.track === track && datum.value !== null")
        .transform_lookup("key", alt.LookupData(alt.NamedData("costs"), "key", list(COSTS)))
        .transform_calculate(x="datum[cost]")
        .transform_filter("datum.x > 0")
    )
    x = alt.X(
        "x:Q",
        title="cost (log scale)",
        scale=alt.Scale(type="log", nice=True),
        axis=alt.Axis(labelExpr=LOG_LABEL, grid=False),
    )
    interval = base.mark_rule(strokeWidth=1.5, opacity=0.5).encode(
        x=x, y=alt.Y("ci_low:Q", title="chosen metric"), y2="ci_high:Q", color=look.colour("model")
    )
    dot = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=x,
        y=alt.Y("value:Q", title="chosen metric", scale=alt.Scale(zero=False)),
        color=look.colour("model"),
        shape=look.shape("adaptation"),
        tooltip=tooltip("label", "value", "ci_low", "ci_high", *COSTS),
    )
    chart = alt.layer(interval, dot).properties(width=760, height=280).add_params(what)
    return finish(chart, [*CELL_PARAMETERS, "track"])


def curves(look: Look, quantities: Mapping[str, str], models: list[str]) -> dict[str, Any]:
    """Return the chart of a logged quantity against the step: one line a seed; triangles at the upper edge stand for higher values.

    `quantities` are those that were logged, with how they are called.
    """
    names, labels = list(quantities), list(quantities.values())
    what = alt.param(
        name="quantity",
        value=names[0],
        bind=alt.binding_select(options=names, labels=labels, name="Quantity "),
    )
    base = alt.Chart(alt.NamedData("curves")).transform_filter("datum.task === task && datum.quantity === quantity")
    x = alt.X("step:Q", title="step", axis=alt.Axis(format="~s"))
    y = alt.Y("shown:Q", title=None, scale=alt.Scale(zero=False))
    line = base.mark_line(strokeWidth=1.6, opacity=0.9).encode(
        x=x, y=y, color=look.colour("model", models), detail=["seed:N", "label:N"],
        strokeDash=alt.StrokeDash("adaptation:N", legend=alt.Legend(title="adaptation", symbolStrokeColor="#3b4350")),
    )  # fmt: skip
    dot = base.mark_point(shape="triangle-up", filled=True, size=60).encode(
        x=x,
        y=y,
        color=look.colour("model", models),
        opacity=alt.condition("datum.above", alt.value(1), alt.value(0)),
        tooltip=tooltip("label", "seed", "step", "value"),
    )
    return finish(alt.layer(line, dot).properties(width=800, height=300).add_params(what), ["task"])


def lines_with_intervals(
    data: str, x: alt.X, title: str, colour: alt.Color, words: list[alt.Tooltip], height: int = 240
) -> dict[str, Any]:
    """Return the chart of `value`, with `ci_low` and `ci_high`, along x: a line of points a colour.

    Parameters
    ----------
    data
        Name of the table.
    title
        Title of the value.
    words
        Fields of the tooltip of a point.
    """
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False, nice=True))
    base = alt.Chart(alt.NamedData(data)).encode(x=x, color=colour)
    chart = alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.4).encode(y=alt.Y("ci_low:Q", title=title), y2="ci_high:Q"),
        base.mark_line().encode(y=y),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=y, tooltip=words),
    )
    return finish(chart.properties(width=460, height=height), [])


class Look:
    """Colour by model and shape by adaptation (`mark`), the same in every chart."""

    def __init__(self, colours: Mapping[str, str], marks: Mapping[str, str]):
        self._colours, self._marks = colours, marks

    def colour(self, legend: str | None, models: list[str] | None = None) -> alt.Color:
        """Colour of the model, with or without a legend (of all models, or only some)."""
        scale = alt.Scale(domain=list(self._colours), range=list(self._colours.values()))
        values = {"values": models} if models else {}
        return alt.Color(
            "model:N", scale=scale, legend=alt.Legend(title=legend, symbolOpacity=1, **values) if legend else None
        )

    def shape(self, legend: str | None) -> alt.Shape:
        """Shape of the run's mark, with or without a legend."""
        scale = alt.Scale(domain=list(self._marks), range=list(self._marks.values()))
        return alt.Shape("mark:N", scale=scale, legend=alt.Legend(title=legend) if legend else None)


COSTS = {
    "train_seconds": "training time (s)",
    "trained_bases": "training sequence (bp)",
    "predict_seconds": "prediction time (s)",
    "peak_memory_mb": "peak memory of training (MB)",
    "predict_peak_memory_mb": "peak memory of prediction (MB)",
    "parameters": "parameters",
    "trainable_parameters": "trained parameters",
}
CELL_PARAMETERS = ["task", "split", "subset", "context_bp", "protocol", "metric"]
_COUNTS = {"n", "seeds", "seed", "step", "trained_bases", "parameters", "trainable_parameters"}
_TEXT = {"label", "track", "gene_name", "replicate_a", "replicate_b", "agreement"}
_TEXT |= {"example", "region", "pair", "kind", "split", "sample", "tf", "cell"}


def tooltip(*fields: str) -> list[alt.Tooltip]:
    """Return the fields of a tooltip with their formats."""
    tips = []
    for name in fields:
        title = {"label": "run", "sd": "sd between seeds", "gene_name": "gene"}.get(name, name.replace("_", " "))
        if name in _TEXT:
            tips.append(alt.Tooltip(f"{name}:N", title=title))
        else:
            tips.append(alt.Tooltip(f"{name}:Q", title=title, format=",.0f" if name in _COUNTS else ",.4~g"))
    return tips


def finish(chart: alt.TopLevelMixin, parameters: list[str]) -> dict[str, Any]:
    """Add the page's selectors as parameters and return the specification without data."""
    spec = chart.to_dict(validate=True)
    spec["params"] = spec.get("params", []) + [{"name": name, "value": ""} for name in parameters]
    spec["config"] = theme()
    return spec


def as_pixels(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a specification that is drawn on a canvas: thousands of marks would be as many elements of the page."""
    return spec | {"usermeta": {"renderer": "canvas"}}

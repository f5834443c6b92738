"""Scatters of genes: one run against another, and a run against what its genes allow."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from glmflow.report import charts
from glmflow.report.run_folder import BASELINES

from .gene_comparisons import SEEN, best_baseline, ranked

GENES = 1500
"""Genes that the scatters draw."""


def scatter_points(scores: pd.DataFrame) -> pd.DataFrame:
    """Return what the scatters draw: held-out genes of every run of a task, the same sample of them in each."""
    rows = scores[scores["split"] == "test"].copy()
    ids = rows["group"].drop_duplicates()
    if len(ids) > GENES:
        rows = rows[rows["group"].isin(set(ids.sample(GENES, random_state=1)))]
    for name in ("ceiling", "heritability"):
        if name not in rows:
            rows[name] = np.nan
    root = np.sqrt(rows["heritability"].clip(lower=0))
    rows["limit"] = rows["ceiling"].where(rows["ceiling"].notna(), root)
    rows["place"] = rows["subset"] + "|" + rows["group"]
    columns = [
        "subset",
        "label",
        "model",
        "group",
        "gene_name",
        "pearson",
        "q",
        "limit",
        "variants",
        "haplotypes",
        "place",
    ]
    return rows.reindex(columns=columns)


def pair_chart(look: charts.Look, scores: pd.DataFrame) -> dict[str, Any]:
    """Return the chart of each gene's r by one run against its r by another (data `genes`), of one task."""
    choice = _choices(scores)
    low = float(min(-0.2, scores["pearson"].min()))
    base = (
        alt.Chart(alt.NamedData("genes"))
        .transform_filter("datum.subset === chosen_class")
        .transform_calculate(x="datum.label === other_run ? datum.pearson : null")
        .transform_joinaggregate(other="max(x)", groupby=["place"])
        .transform_filter("datum.label === chosen_run && isValid(datum.other)")
    )
    x = alt.X("other:Q", title="r of the other run", scale=alt.Scale(domain=[low, 1], nice=False))
    tips = _tips(alt.Tooltip("other:Q", title="r of the other", format=".3f"))
    return _finished(_scatter(x, look, base, tips, (low, 1.0)).add_params(*choice.values()))


def ceiling_chart(look: charts.Look, scores: pd.DataFrame) -> dict[str, Any]:
    """Return the chart of each gene's r against the most that its variants allow (data `genes`), of one task."""
    choice = _choices(scores)
    low = float(min(-0.2, scores["pearson"].min()))
    base = alt.Chart(alt.NamedData("genes")).transform_filter(
        "datum.subset === chosen_class && datum.label === chosen_run && isValid(datum.limit)"
    )
    x = alt.X("limit:Q", title="ceiling", scale=alt.Scale(domain=[low, 1], nice=False))
    tips = _tips(alt.Tooltip("limit:Q", title="ceiling", format=".3f"))
    return _finished(_scatter(x, look, base, tips, (low, 1.0)).add_params(choice["subset"], choice["run"]))


def _choices(scores: pd.DataFrame) -> dict[str, alt.Parameter]:
    """Return the selectors of the scatters, set to the best model and the best baseline."""
    classes = sorted(scores.loc[scores["split"] == "test", "subset"].unique())
    labels = list(dict.fromkeys(scores["label"]))
    start = SEEN if SEEN in classes else classes[0]
    best = ranked(scores, scores["task"].iloc[0], start)
    models, baseline = best[~best["origin"].isin(BASELINES)], best_baseline(best)
    first = models.iloc[0]["label"] if len(models) else labels[0]
    second = baseline["label"] if baseline is not None else labels[-1]

    def select(name: str, title: str, options: list[str], value: str) -> alt.Parameter:
        return alt.param(name=name, value=value, bind=alt.binding_select(options=options, name=f"{title} "))

    return {
        "subset": select("chosen_class", "Class", classes, start),
        "run": select("chosen_run", "Run", labels, first),
        "other": select("other_run", "against", labels, second),
    }


def _tips(*more: alt.Tooltip) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("gene_name:N", title="gene"),
        alt.Tooltip("pearson:Q", title="r", format=".3f"),
        *more,
        alt.Tooltip("q:Q", format=".2g"),
        alt.Tooltip("variants:Q"),
        alt.Tooltip("haplotypes:Q", title="distinct haplotypes"),
    ]


def _scatter(
    x: alt.X, look: charts.Look, base: alt.Chart, tips: list[alt.Tooltip], limits: tuple[float, float]
) -> alt.LayerChart:
    """Return r of the chosen run against something, with the diagonal and the zeros."""
    low, high = limits
    scale = alt.Scale(domain=[low, high], nice=False)
    dots = base.mark_point(filled=True, size=34, opacity=0.6).encode(
        x=x, y=alt.Y("pearson:Q", title="r of the chosen run", scale=scale), color=look.colour(None), tooltip=tips
    )
    one = alt.Chart(alt.InlineData([{"a": low, "b": high}]))
    diagonal = one.mark_rule(color="#8a93a0", strokeDash=[4, 4]).encode(x="a:Q", y="a:Q", x2="b:Q", y2="b:Q")
    zero = alt.Chart(alt.InlineData([{"z": 0}])).mark_rule(color="#c3cad4").encode(y="z:Q")
    return alt.layer(zero, diagonal, dots).properties(width=400, height=400)


def _finished(chart: alt.LayerChart) -> dict[str, Any]:
    return chart.to_dict(validate=True) | {"config": charts.theme()}

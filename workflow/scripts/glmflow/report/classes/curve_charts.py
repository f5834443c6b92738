"""Curves of the run that is clicked on in the chart of runs: ROC, precision and recall, reliability."""

from __future__ import annotations

import altair as alt
import pandas as pd

from glmflow.report.charts import tooltip
from glmflow.report.run_tables import read_scores
from glmflow.report.study_tables import Study

RUNS = 16
"""Runs whose curves are in the page, the best first."""
COLUMNS = ["label", "class", "curve", "x", "y", "low", "high", "n"]
PANELS = {
    "roc": ("ROC", "false-positive rate", "recall"),
    "precision-recall": ("Precision and recall", "recall", "precision"),
    "reliability": ("Reliability", "predicted probability", "observed share"),
}


def curve_rows(study: Study, task: str, split: str) -> pd.DataFrame:
    """Return the curves of the best runs, of the first seed of each: `label`, `class`, `curve`, `x`, `y`, `low`, `high`, `n`."""
    table = read_scores(study.runs(task), "curves.tsv")
    if table.empty:
        return table
    table = study.name_runs(table[table["split"] == split]).astype({"class": str})
    shown = [label for label in study.cells[task]["label"] if label in set(table["label"])][:RUNS]
    table = table[table["label"].isin(shown)]
    first = table.groupby("label")["seed"].transform("min")
    # Runs that were scored before curves had intervals have no `low` and `high`.
    return table[table["seed"] == first].reindex(columns=COLUMNS).reset_index(drop=True)


def picked_run(curves: pd.DataFrame, cell: pd.DataFrame) -> alt.Parameter:
    """Return the selection of a run by a click on its dot; at first the best one that has curves."""
    known = set(curves["label"])
    first = next(label for label in cell["label"] if label in known)
    return alt.selection_point(name="run", fields=["label"], value=[{"label": first}], empty=False, toggle=False)


def curve_panels(curves: pd.DataFrame, run: alt.Parameter) -> alt.HConcatChart:
    """Return the curves of the run that is picked, a colour a class where there are several."""
    unit = alt.Scale(domain=[0, 1], nice=False)
    legend = alt.Legend(orient="bottom") if curves["class"].nunique() > 1 else None  # of lines and bands alike
    panels = []
    for name, (title, x, y) in PANELS.items():
        base = alt.Chart(alt.NamedData("curves")).transform_filter(f"datum.curve === '{name}'").transform_filter(run)
        line = base.mark_line(point=name == "reliability", strokeWidth=2, interpolate="linear").encode(
            x=alt.X("x:Q", title=x, scale=unit),
            y=alt.Y("y:Q", title=y, scale=unit),
            color=alt.Color("class:N", legend=legend),
            tooltip=tooltip("label", "class", "x", "y", "low", "high", "n"),
        )
        band = base.mark_area(opacity=0.18, interpolate="linear").encode(
            x="x:Q", y="low:Q", y2="high:Q", color=alt.Color("class:N", legend=legend)
        )
        corners = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
        diagonal = (
            alt.Chart(alt.InlineData(corners)).mark_line(color="#8a93a0", strokeDash=[4, 4]).encode(x="x:Q", y="y:Q")
        )
        layers = [band, line] if name == "precision-recall" else [diagonal, band, line]
        panels.append(alt.layer(*layers).properties(width=190, height=190, title=title))
    return alt.hconcat(*panels)

"""Tables of the page of classes, labels or values: overall rows, lengths, what was published, scores by training rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from glmflow.files import read_table
from glmflow.report.charts import lines_with_intervals, tooltip
from glmflow.report.run_tables import ALL_TRACKS
from glmflow.report.study_tables import Study


def overall(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the whole: of a metric of several tracks those of their mean, else those of all."""
    has_mean = rows.groupby("metric")["track"].transform(lambda tracks: (tracks == ALL_TRACKS).any())
    return rows[rows["track"] == has_mean.map({True: ALL_TRACKS, False: "all"})]


def parts(rows: pd.DataFrame, metric: str) -> dict[str, Any] | None:
    """Return the headline metric of each track (label, value, window) as a table: `tracks`, and a row a run; None without."""
    own = rows[(rows["metric"] == metric) & ~rows["track"].isin([ALL_TRACKS, "all"]) & (rows["subset"] == "all")]
    if own.empty:
        return None
    wide = own.pivot_table(index="label", columns="track", values="value", sort=False)
    return {
        "tracks": list(wide.columns),
        "rows": [{"label": name, "cells": list(row)} for name, row in wide.iterrows()],
    }


def length_rows(study: Study, task: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what can become of sequences in words, and how many of each run's held-out ones it became of."""
    words: dict[str, str] = {}
    rows: dict[str, dict[str, Any]] = {}
    for run in study.runs(task):
        path = run.folder / "predicted" / "lengths.tsv"
        if not path.exists():
            continue
        table = read_table(path)
        words |= dict(zip(table["what"], table["words"]))
        label = study.labels_by_name[run.name]
        rows.setdefault(
            label, {"label": label, "of": int(table["of"].max()), "counts": dict(zip(table["what"], table["count"]))}
        )
    return list(words.values()), [
        {"label": row["label"], "of": row["of"], "cells": [row["counts"].get(name) for name in words]}
        for row in rows.values()
    ]


def fitted_with(study: Study, task: str) -> list[tuple[str, str]]:
    """Return what was chosen in fitting each run (of its first seed), as label and words: k-mers, penalty, epoch, trial."""
    found: dict[str, str] = {}
    for run in study.runs(task):
        lines = [
            *(run.cost.get("notes") or []),
            *(text for text in run.cost.get("warnings") or [] if " chosen " in text),
        ]
        if lines:
            found.setdefault(study.labels_by_name[run.name], "; ".join(lines))
    return list(found.items())


def published_rows(study: Study, task: str, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield what was published for the set, and after it our own runs under a published protocol.

    Ours have the mean over seeds and their range; the protocol is that of the run's adaptation.
    """
    for row in table.to_dict("records"):
        yield {**row, "ours": False, "note": ""}
    rows = study.rows(study.metrics, task)
    for (model, adaptation, metric), own in rows[rows["protocol"] != "strict"].groupby(
        ["model", "adaptation", "metric"], sort=False
    ):
        run = next(one for one in study.runs(task) if one.name == (task, model, adaptation))
        name = (run.settings.get("adaptation") or {}).get("protocol") or "official"
        seeds, low, high = own["seed"].nunique(), own["value"].min(), own["value"].max()
        note = f"mean of {seeds} seeds, {low:.3f} to {high:.3f}" if seeds > 1 else "1 seed"
        note += "".join(f"; {text}" for text in run.settings.get("differs") or [])
        label = study.labels_by_name[run.name]
        yield {
            "model": label, "metric": metric, "value": own["value"].mean(), "protocol": name, "source": "this study",
            "ours": True, "note": note,
        }  # fmt: skip


def learning_rows(study: Study, task: str) -> pd.DataFrame:
    """Return the headline metric by the share of training rows: `label`, `model`, `examples`, `value`, `ci_low`, `ci_high`.

    Adaptations that differ in their share alone are one line; empty if no adaptation learns from a part.
    """
    shares, lines = {}, {}
    for run in study.runs(task):
        adaptation = run.settings.get("adaptation") or {}
        share = (adaptation.get("train") or {}).get("examples")
        if share is not None:
            shares[run.name] = float(share)
            lines[run.name] = run.adaptation.removesuffix(f"-{share:g}")
    if len(set(shares.values())) < 2:
        return pd.DataFrame(columns=["line", "examples", "value", "ci_low", "ci_high"])
    cell = study.cells[task]
    names = list(zip(cell["task"], cell["model"], cell["adaptation"]))
    own = cell[[name in shares for name in names]].copy()
    kept = [name for name in names if name in shares]
    own["examples"] = [shares[name] for name in kept]
    own["line"] = [f"{name[1]} ({lines[name]})" for name in kept]
    several = own.groupby("line")["examples"].transform("nunique") > 1
    return own[several].sort_values(["line", "examples"], kind="stable")


def learning_chart(study: Study, task: str) -> dict[str, Any]:
    """Return the chart of scores by the share of the training rows: pretrained against random weights against a CNN."""
    scale = alt.Scale(type="log", nice=False, padding=14)
    x = alt.X("examples:Q", title="share of the training sequences", scale=scale)
    words = [alt.Tooltip("line:N", title="run"), *tooltip("value", "ci_low", "ci_high", "seeds", "n")]
    return lines_with_intervals("learning", x, study.headlines[task].title, line_colour(), words)


def line_colour() -> alt.Color:
    """Return the colour of a line, as bright in the legend as in the chart: its intervals are pale."""
    return alt.Color("line:N", title=None, legend=alt.Legend(symbolOpacity=1))

"""The page of a validation: generated sequences beside real ones and controls."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import altair as alt
import pandas as pd

from glmflow.files import atomic_path, read_table

from .charts import finish
from .palette import TRUTH, colours
from .rendering import embed, records, render, vega

GENERATED, REAL, MARKOV_5 = "generated", "real, held out", "Markov-5"
PAGE = "validation.html"


def write_validation_page(folder: Path) -> Path:
    """Write `validation.html` from the tables of a folder that `glmflow validate` has written; return its path."""
    values = read_table(folder / "validation.tsv")
    copies = read_table(folder / "memorisation.tsv")
    record = json.loads((folder / "validation.json").read_text())
    pictures = json.loads((folder / "pictures.json").read_text())
    groups = list(dict.fromkeys(values["group"]))
    games = _games(pictures)
    datasets = {"games": games, "walks": pd.DataFrame(pictures["walks"]), "copies": copies}
    charts = {
        "games": _games_chart(games, pictures["k"]),
        "walks": _walks_chart(),
        "copies": _copies_chart(record["held_out_99th_percentile"]),
    }
    shown = {"datasets": {name: records(table) for name, table in datasets.items()}, "charts": charts}
    html = render(
        "validation.html",
        study=SimpleNamespace(title=Path(record["files"]["generated"]).name, simulated=None),
        record=record,
        groups=groups,
        levels=_levels(values, groups),
        copies=copies.sort_values("longest", ascending=False).head(20).to_dict("records"),
        pictures=pictures,
        data=embed(shown),
        vega=vega(),
    )
    with atomic_path(folder / PAGE) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return folder / PAGE


def _levels(values: pd.DataFrame, groups: list[str]) -> list[dict[str, Any]]:
    """Return headings with their statistics, each with a cell a group."""
    found = []
    for level, own in values.groupby("level", sort=False):
        rows = []
        for name, of_one in own.groupby("statistic", sort=False):
            cells = of_one.set_index("group")
            detects = [name for name in str(cells["detects"].iloc[0]).split("; ") if name and name != "nan"]
            rows.append(
                {
                    "name": name,
                    "label": cells["label"].iloc[0],
                    "sees": MARKOV_5 in detects,
                    "detects": detects,
                    "cells": [_cell(cells.loc[group]) for group in groups],
                }
            )
        found.append({"level": level, "rows": rows})
    return found


def _cell(row: pd.Series) -> dict[str, Any]:
    return {key: row[key] for key in ("value", "ci_low", "ci_high")} | {"differs": str(row["differs"]) == "True"}


def _games(pictures: dict[str, Any]) -> pd.DataFrame:
    """Return a row a cell of the chaos game: how often its word is there, in shares of an even one, and against real ones."""
    rows = []
    games = pictures["chaos_game"]
    for name in (GENERATED, REAL, MARKOV_5):
        for y, (own, real) in enumerate(zip(games[name], games[REAL])):
            for x, (value, floor) in enumerate(zip(own, real)):
                rows.append((name, x, y, _word(x, y, pictures["k"]), value, floor))
    table = pd.DataFrame(rows, columns=["group", "x", "y", "word", "times", "floor"])
    return table.assign(ratio=table["times"] / table["floor"]).drop(columns="floor")


def _word(x: int, y: int, k: int) -> str:
    """Return the word of a cell: corners A (0, 0), C (0, 1), G (1, 1), T (1, 0), the last base the quadrant."""
    return "".join({(0, 0): "A", (0, 1): "C", (1, 1): "G", (1, 0): "T"}[(x >> n) & 1, (y >> n) & 1] for n in range(k))


def _games_chart(games: pd.DataFrame, k: int) -> dict[str, Any]:
    """Return three pictures of words, and below two of their ratio to real sequences."""

    def row(names: list[str], field: str, title: str, scale: alt.Scale) -> alt.HConcatChart:
        parts = [
            alt.Chart(alt.NamedData("games"), title=name if field == "times" else f"{name} ÷ real")
            .transform_filter(alt.datum.group == name)
            .mark_rect()
            .encode(
                x=alt.X("x:O", axis=None, scale=alt.Scale(paddingInner=0)),
                y=alt.Y("y:O", axis=None, sort="descending", scale=alt.Scale(paddingInner=0)),
                color=alt.Color(f"{field}:Q", title=title, scale=scale),
                tooltip=["word:N", alt.Tooltip("times:Q", format=".2f"), alt.Tooltip("ratio:Q", format=".2f")],
            )
            .properties(width=250, height=250)
            for name in names
        ]
        return alt.hconcat(*parts)

    often = row(
        [GENERATED, REAL, MARKOV_5], "times", "times even", alt.Scale(type="symlog", scheme="viridis", domainMin=0)
    )
    ratios = alt.Scale(type="log", domain=[0.5, 1, 2], range=["#0072B2", "#f7f7f7", "#D55E00"], clamp=True)
    return finish(
        alt.vconcat(often, row([GENERATED, MARKOV_5], "ratio", "÷ real", ratios)).resolve_scale(color="independent"), []
    )


def _walks_chart() -> dict[str, Any]:
    own = colours([GENERATED, MARKOV_5])
    order = [GENERATED, REAL, MARKOV_5]
    scale = alt.Scale(domain=order, range=[own[GENERATED], TRUTH, own[MARKOV_5]])
    chart = (
        alt.Chart()
        .mark_line(strokeWidth=1.2)
        .encode(
            x=alt.X("x:Q", title="purines and pyrimidines: steps along"),
            y=alt.Y("y:Q", title="steps up (T, C) and down (A, G)"),
            order="order:Q",
            detail="walk:N",
            color=alt.Color("group:N", title=None, scale=scale, sort=order),
        )
        .properties(width=270, height=230)
        .facet(facet=alt.Facet("group:N", sort=order, title=None), columns=3, data=alt.NamedData("walks"))
    )
    return finish(chart, [])


def _copies_chart(threshold: float) -> dict[str, Any]:
    bars = (
        alt.Chart(alt.NamedData("copies"))
        .mark_bar(color=colours([GENERATED])[GENERATED])
        .encode(
            x=alt.X("longest:Q", bin=alt.Bin(maxbins=40), title="bases of the longest exact match to training"),
            y=alt.Y("count():Q", title="generated sequences"),
        )
    )
    line = (
        alt.Chart(alt.Data(values=[{"x": threshold}]))
        .mark_rule(color="#D55E00", strokeWidth=2, strokeDash=[5, 4])
        .encode(x="x:Q")
    )
    return finish(alt.layer(bars, line.encode(x="x:Q")).properties(width=760, height=180), [])

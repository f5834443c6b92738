"""What generated sequences look like beside real ones: the table of statistics, words, walks and copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from .charts import as_pixels, finish
from .palette import TRUTH, colours

REAL, MARKOV_5 = "real, held out", "Markov-5"
COLUMNS = 3
"""Pictures side by side."""
K = 6
"""Bases of the words of a chaos game."""


def levels(values: pd.DataFrame, groups: Sequence[str]) -> list[dict[str, Any]]:
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


def along_rows(along: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a statistic and group, with a column for each tenth of the sequences' length."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in along.itertuples():
        cells = found.setdefault((row.statistic, row.group), {"statistic": row.statistic, "group": row.group})
        cells[str(row.part)] = f"{row.value:.3f}" + (f" ± {row.error:.3f}" if pd.notna(row.error) else "")
    columns = [str(part) for part in sorted(set(along["part"]))]
    return [cells | {column: cells.get(column, "") for column in columns} for cells in found.values()]


def along_chart(groups: Sequence[str], statistics: Sequence[str]) -> dict[str, Any]:
    """Return a panel a statistic, with a line a group along ten parts of the sequences; of the data `along`."""
    own = colours([name for name in groups if name != REAL])
    scale = alt.Scale(domain=list(groups), range=[TRUTH if name == REAL else own[name] for name in groups])
    words = ["group:N", "part:O", alt.Tooltip("value:Q", format=".3f"), alt.Tooltip("error:Q", format=".3f"), "n:Q"]
    panels = []
    for name in statistics:
        base = (
            alt.Chart(alt.NamedData("along"), title=name)
            .transform_filter(alt.datum.statistic == name)
            .transform_calculate(low="datum.value - datum.error", high="datum.value + datum.error")
            .encode(
                x=alt.X("part:O", title="tenth of the sequence", axis=alt.Axis(labelAngle=0)),
                y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
                color=alt.Color("group:N", scale=scale, sort=list(groups), title=None),
            )
        )
        error = base.mark_rule().encode(y=alt.Y("low:Q", title=None), y2="high:Q")
        line = base.mark_line(point=True).encode(tooltip=words)
        panels.append(alt.layer(error, line).properties(width=230, height=150))
    return finish(alt.concat(*panels, columns=COLUMNS), [])


def words_of(games: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of chaos games with their words (`word`) and, against real sequences, how often each is there (`ratio`)."""
    real = games[games["group"] == REAL].set_index(["x", "y"])["times"]
    floor = real.reindex(pd.MultiIndex.from_frame(games[["x", "y"]])).to_numpy()
    words = [_word(x, y, K) for x, y in zip(games["x"], games["y"])]
    return games.assign(word=words, ratio=games["times"] / floor)


def _word(x: int, y: int, k: int) -> str:
    """Return the word of a cell: corners A (0, 0), C (0, 1), G (1, 1), T (1, 0), the last base the quadrant."""
    return "".join({(0, 0): "A", (0, 1): "C", (1, 1): "G", (1, 0): "T"}[(x >> n) & 1, (y >> n) & 1] for n in range(k))


def games_chart(groups: Sequence[str]) -> dict[str, Any]:
    """Return a picture of words a group, and below one of their ratio to real sequences; of the data `games`."""
    scales = {
        "times": alt.Scale(type="symlog", scheme="viridis", domainMin=0),
        "ratio": alt.Scale(type="log", domain=[0.5, 1, 2], range=["#0072B2", "#f7f7f7", "#D55E00"], clamp=True),
    }

    side = 4 * 2**K  # whole pixels a cell: parts of one would be drawn as light lines between them

    def pictures(names: Sequence[str], field: str, title: str) -> alt.ConcatChart:
        parts = [
            alt.Chart(alt.NamedData("games"), title=name if field == "times" else f"{name} ÷ real")
            .transform_filter(alt.datum.group == name)
            .mark_rect(aria=False)  # thousands of cells, each a stop of a screen reader
            .encode(
                x=alt.X("x:O", axis=None, scale=alt.Scale(paddingInner=0)),
                y=alt.Y("y:O", axis=None, sort="descending", scale=alt.Scale(paddingInner=0)),
                color=alt.Color(f"{field}:Q", title=title, scale=scales[field]),
                tooltip=["word:N", alt.Tooltip("times:Q", format=".2f"), alt.Tooltip("ratio:Q", format=".2f")],
            )
            .properties(width=side, height=side)
            for name in names
        ]
        return alt.concat(*parts, columns=COLUMNS)

    often = pictures(groups, "times", "times even")
    ratios = pictures([name for name in groups if name != REAL], "ratio", "÷ real")
    return as_pixels(finish(alt.vconcat(often, ratios).resolve_scale(color="independent"), []))


def walks_chart(groups: Sequence[str]) -> dict[str, Any]:
    """Return walks, a panel a group; of the data `walks`."""
    own = colours([name for name in groups if name != REAL])
    scale = alt.Scale(domain=list(groups), range=[TRUTH if name == REAL else own[name] for name in groups])
    chart = (
        alt.Chart()
        .mark_line(strokeWidth=1.2)
        .encode(
            x=alt.X("x:Q", title="purines and pyrimidines: steps along"),
            y=alt.Y("y:Q", title="steps up (T, C) and down (A, G)"),
            order="order:Q",
            detail="walk:N",
            color=alt.Color("group:N", scale=scale, sort=list(groups), legend=None),
        )
        .properties(width=270, height=230)
        .facet(facet=alt.Facet("group:N", sort=list(groups), title=None), columns=COLUMNS, data=alt.NamedData("walks"))
    )
    return finish(chart, [])


def copies_chart(threshold: float) -> dict[str, Any]:
    """Return how long the longest matches to training are, beside that of real pieces; of the data `copies`."""
    bars = (
        alt.Chart(alt.NamedData("copies"))
        .mark_bar(color=colours(["generated"])["generated"])
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

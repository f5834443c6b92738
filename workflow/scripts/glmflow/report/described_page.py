"""The page of a model that reads text: bits of DNA that its text saves, beside controls that say what they are saved by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import altair as alt
import pandas as pd

from glmflow.files import atomic_path

from .charts import finish
from .palette import TRUTH
from .rendering import embed, records, render, vega
from .wording import number

BITS, SAVED, BEYOND = "bits per base", "saved", "saved beyond"
OWN, OTHER = "own text", "text of another feature"
CONTROLS = {"own words shuffled": "its words shuffled", "organism alone": "the organism alone"}
"""Controls beside the text of another feature, in a sentence."""
SHOWN = {SAVED: "saved beside no text", BEYOND: "saved by the own text beyond this one"}
"""What the panels of the chart are called."""


def write_described_page(table: pd.DataFrame, facts: Mapping[str, str], path: Path) -> Path:
    """Write the page of a table of `glmflow described` (`what`, `text`, `value`, `low`, `high`, `n`); return its path.

    Parameters
    ----------
    facts
        What the table was made from, by name: model, pairs and so on.
    """
    shown = table[table["what"].isin(list(SHOWN))]
    html = render(
        "described.html",
        study=SimpleNamespace(title=Path(facts["model"]).name, simulated=None),
        first=said(table),
        rows=text_rows(table),
        retrieval=retrieval_rows(table),
        facts=facts,
        data=embed(
            {
                "datasets": {"saved": records(shown.assign(panel=shown["what"].map(SHOWN)))},
                "charts": {"saved": saved_chart(list(dict.fromkeys(shown["text"])))},
            }
        ),
        vega=vega(),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def said(table: pd.DataFrame) -> str:
    """Return the sentence that a page begins with: does a text say anything of its DNA that another one does not?

    The text of another feature decides; what is saved beyond the other controls, and beside no text, stands behind it.
    """
    rows = table.set_index(["what", "text"])
    beyond, saved = rows.loc[(BEYOND, OTHER)], rows.loc[(SAVED, OWN)]
    own = f"{number(beyond['value'])} bits per base beyond the text of another feature{interval(beyond)}"
    others = [
        f"{number(row['value'])} beyond {words}{interval(row)}"
        for text, words in CONTROLS.items()
        for _, row in rows[rows.index == (BEYOND, text)].iterrows()
    ]
    beside = f"{' and '.join(others)}; " if others else ""
    beside += f"beside no text it saves {number(saved['value'])}{interval(saved)}"
    if beyond["low"] > 0:
        return f"The text of a feature saves {own}; {beside}."
    if beyond["high"] < 0:
        return f"The text of a feature costs bits: {own} are saved; {beside}."
    return f"Nothing is said to be saved by the text of a feature: {own}; {beside}."


def text_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a text: bits per base behind it, what it saves, and what the own text saves beyond it, with intervals."""
    scored = table[table["what"].isin([BITS, SAVED, BEYOND])]
    rows = []
    for text, own in scored.groupby(scored["text"].fillna(""), sort=False):
        cells = {row.what: f"{number(row.value)}{interval(row._asdict())}" for row in own.itertuples()}
        columns = {BITS: BITS, SAVED: "saved beside none", BEYOND: "saved by the own text beyond it"}
        rows.append({"text": text or "none", **{columns[what]: cells.get(what, "") for what in columns}})
    return rows


def retrieval_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a measure of how well the true text is found among others, with what chance would be."""
    own = table[~table["what"].isin([BITS, SAVED, BEYOND])]
    return [
        {
            "": row.what,
            "value": f"{number(row.value)}{interval(row._asdict())}",
            "texts": row.text,
            "DNA sequences": f"{row.n:,}",
        }
        for row in own.itertuples()
    ]


def saved_chart(texts: list[str]) -> dict[str, Any]:
    """Return what texts save, and what the own text saves beyond them, with intervals; of the data `saved`."""
    base = alt.Chart().encode(y=alt.Y("text:N", sort=texts, title=None, axis=alt.Axis(labelLimit=200)))
    words = ["text:N", *(alt.Tooltip(f"{name}:Q", format=".4f") for name in ("value", "low", "high"))]
    zero = alt.Chart().mark_rule(color="#667080", strokeDash=[4, 3]).encode(x=alt.datum(0))
    chart = alt.layer(
        zero,
        base.mark_rule(strokeWidth=2, color=TRUTH).encode(x=alt.X("low:Q", title="bits per base"), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1, color=TRUTH).encode(x="value:Q", tooltip=words),
    ).properties(width=270, height=alt.Step(24))
    panels = alt.Facet("panel:N", sort=list(SHOWN.values()), title=None)
    return finish(chart.facet(facet=panels, columns=2, data=alt.NamedData("saved")), [])


def interval(row: Mapping[str, Any] | pd.Series) -> str:
    """Return the interval of a row in brackets."""
    return f" [{number(row['low'])}, {number(row['high'])}]"

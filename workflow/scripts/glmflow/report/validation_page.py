"""The page of a validation: generated sequences beside real ones and controls."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from glmflow.files import atomic_path, read_table

from .likeness_charts import (
    MARKOV_5,
    REAL,
    K,
    along_chart,
    along_rows,
    copies_chart,
    games_chart,
    levels,
    walks_chart,
    words_of,
)
from .rendering import embed, records, render, vega

GENERATED = "generated"
PAGE = "validation.html"


def write_validation_page(folder: Path) -> Path:
    """Write `validation.html` from the tables of a folder that `glmflow validate` has written; return its path."""
    values, copies, games, walks, along = (
        read_table(folder / f"{name}.tsv") for name in ("validation", "memorisation", "games", "walks", "along")
    )
    record = json.loads((folder / "validation.json").read_text())
    groups = list(dict.fromkeys(values["group"]))
    shown = [GENERATED, REAL, MARKOV_5]
    datasets = {"games": words_of(games), "walks": walks, "copies": copies, "along": along}
    charts = {
        "games": games_chart(shown),
        "walks": walks_chart(shown),
        "copies": copies_chart(record["held_out_99th_percentile"]),
    }
    if len(along):
        charts["along"] = along_chart([GENERATED, REAL], list(dict.fromkeys(along["statistic"])))
    html = render(
        "validation.html",
        study=SimpleNamespace(title=Path(record["files"]["generated"]).name, simulated=None),
        record=record,
        groups=groups,
        levels=levels(values, groups),
        along=along_rows(along),
        copies=copies.sort_values("longest", ascending=False).head(20).to_dict("records"),
        k=K,
        data=embed({"datasets": {name: records(table) for name, table in datasets.items()}, "charts": charts}),
        vega=vega(),
    )
    with atomic_path(folder / PAGE) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return folder / PAGE

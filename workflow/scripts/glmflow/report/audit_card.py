"""What the audits of a task's examples found, in one form for every page."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .run_tables import optional_table
from .study_tables import Study

SHOWN = 20
"""Copies that a page shows."""
NUMBERS = ("FAIL", "WARN", "PASS")


def audit_card(study: Study, task: str) -> dict[str, Any]:
    """Return the audits of a task, the worst first, how many end in what, and the first of the copies (`copies.tsv`)."""
    rows = study.rows(study.leakage, task)
    return card_of(rows) | {"copies": copies(study, task)}


def every_audit(study: Study) -> dict[str, Any]:
    """Return the audits of all tasks, the worst first; each row names its task where there are several."""
    several = study.leakage["task"].nunique() > 1
    found = [({"task": task} if several else {}) | row for task in study.tasks for row in copies(study, task)]
    return card_of(study.leakage) | {"copies": found[:SHOWN], "several": several}


def card_of(rows: pd.DataFrame) -> dict[str, Any]:
    """Return rows of checks as a card."""
    if rows.empty:
        return {"rows": [], "ends": [], "several": False}
    order = rows["status"].map(NUMBERS.index)
    ordered = rows.loc[order.sort_values(kind="stable").index]
    ends = [(name, int((rows["status"] == name).sum())) for name in NUMBERS]
    return {
        "rows": ordered.astype(object).where(ordered.notna(), "").to_dict("records"),
        "ends": ends,
        "several": False,
    }


def copies(study: Study, task: str) -> list[dict[str, Any]]:
    """Return the first of the held-out examples that hold copies of training, as text by column."""
    path = study.inputs.examples / f"{task}.copies.tsv" if study.inputs.examples else None
    table = optional_table(path if path is not None and path.exists() else None).head(SHOWN)
    return [{name: shown(cell) for name, cell in row.items()} for row in table.to_dict("records")]


def shown(cell: Any) -> str:
    """Return a cell for reading."""
    if isinstance(cell, float):
        return "" if cell != cell else f"{cell:,.0f}" if cell.is_integer() and abs(cell) > 1 else f"{cell:.3f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)

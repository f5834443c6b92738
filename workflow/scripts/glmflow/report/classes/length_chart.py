"""Scores by the length that is read of a sequence: tasks that differ in nothing else, on one chart."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from glmflow.report.charts import lines_with_intervals, tooltip
from glmflow.report.classes.class_tables import line_colour
from glmflow.report.study_tables import Study

FREE = ("length", "middle", "bootstrap")
"""Settings in which the tasks of one chart may differ."""
COLUMNS = ["line", "length", "value", "ci_low", "ci_high", "seeds", "n"]


def by_length(study: Study, task: str) -> pd.DataFrame:
    """Return the headline metric of the tasks that differ from one in their length alone: `COLUMNS`, and `task`.

    Runs whose surroundings of the middle are shuffled (`middle`) are lines of their own. Empty if all have one length.
    """
    wanted = _others(study, task)
    parts = []
    for other in study.like(task):
        own = next((run.task_settings for run in study.runs(other) if run.task_settings), {})
        if _others(study, other) != wanted or "length" not in own:
            continue
        cell = study.cells[other]
        middle = f", all but the middle {own['middle']:,} shuffled" if own.get("middle") else ""
        parts.append(cell.assign(line=cell["label"] + middle, length=int(own["length"]), task=other))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "task"])
    return table if table["length"].nunique() > 1 else table.iloc[:0]


def unlike_rows(table: pd.DataFrame) -> str:
    """Say where the lengths were scored on unlike numbers of rows; empty where they were not."""
    counts = table.groupby("length")["n"].max()
    if counts.nunique() < 2:
        return ""
    told = ", ".join(f"{count:,.0f} at {length:,} bp" for length, count in counts.items())
    return f"The lengths were scored on unlike numbers of rows ({told}): `room` gives all of them the same."


def length_chart(study: Study, task: str) -> dict[str, Any]:
    """Return the chart of scores by length."""
    x = alt.X("length:Q", title="bases that are read", scale=alt.Scale(type="log", base=2))
    words = [alt.Tooltip("line:N", title="run"), *tooltip("task", "value", "ci_low", "ci_high", "seeds", "n")]
    return lines_with_intervals("by_length", x, study.headlines[task].title, line_colour(), words)


def _others(study: Study, task: str) -> dict[str, Any]:
    """Return the settings of a task in which those of one chart are alike."""
    own = next((run.task_settings for run in study.runs(task) if run.task_settings), {})
    return {name: value for name, value in own.items() if name not in FREE}

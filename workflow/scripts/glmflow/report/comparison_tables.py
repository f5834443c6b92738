"""The tables of comparisons of a study: the rows of every cell, the notes beside them, the warnings of the scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from glmflow.files import read_table

from .run_tables import ALL_TRACKS, context_names

TEXTS = ("label", "key", "role", "rival", "verdict", "against", "ties", "reasons", "note")


class Compared(NamedTuple):
    """What `comparing` found of a task.

    Attributes
    ----------
    rows, notes
        A row a run, or a note, in each cell (split, subset, track, context_bp, metric).
    warnings
        What the scores say against themselves: `status`, `sentence`, `where`.
    """

    rows: pd.DataFrame
    notes: pd.DataFrame
    warnings: pd.DataFrame

    def cell(self, metric: str, split: str, subset: str | None = None) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows of a cell and its notes: the first subset, all tracks, the longest context; empty if not compared."""
        rows = self.rows[(self.rows["metric"] == metric) & (self.rows["split"] == split)]
        if rows.empty:
            return rows, []
        chosen = {"metric": metric, "split": split, "subset": min(rows["subset"]) if subset is None else subset}
        rows = rows[rows["subset"] == chosen["subset"]]
        if rows.empty:
            return rows, []
        tracks = set(rows["track"])
        chosen["track"] = next(name for name in (ALL_TRACKS, *sorted(tracks)) if name in tracks)
        chosen["context_bp"] = max(rows["context_bp"], key=lambda length: float(length or 0))
        rows = rows[(rows["track"] == chosen["track"]) & (rows["context_bp"] == chosen["context_bp"])]
        own = self.notes[(self.notes[list(chosen)] == pd.Series(chosen)).all(axis=1)] if len(self.notes) else self.notes
        return rows.reset_index(drop=True), list(own["note"])

    def said(self) -> tuple[str, ...]:
        """Return the warnings as sentences, the worst first."""
        shown = self.warnings[self.warnings["status"] != "PASS"]
        return tuple(
            f"{row.status}: {f'{row.where}: ' if row.where else ''}{row.sentence}."
            for row in shown.itertuples(index=False)
        )


def read_compared(path: Path | None) -> Compared:
    """Return the comparisons of a task (`comparisons/{task}.tsv`, and the tables of the folder of that name)."""
    folder = path.with_suffix("") if path else None
    rows, notes = (_cells(_optional(one)) for one in (path, folder and folder / "notes.tsv"))
    warnings = _optional(folder and folder / "warnings.tsv").reindex(columns=["status", "where", "sentence"])
    return Compared(rows, notes, warnings.fillna(""))


def own_table(path: Path | None, name: str) -> pd.DataFrame:
    """Return a further table of a task's comparisons that its kind makes; empty if there is none."""
    return _optional(path and path.with_suffix("") / name)


def with_limits(summary: pd.DataFrame, compared: Mapping[str, Compared]) -> pd.DataFrame:
    """Return a summary of metrics (named runs) with the intervals of the comparisons where there are any."""
    keys = ["split", "subset", "track", "context_bp", "metric", "key"]
    rows = [found.rows for found in compared.values() if len(found.rows)]
    if not rows:
        return summary
    table = pd.concat(rows, ignore_index=True)
    limits = dict(zip(zip(*(table[name] for name in keys)), zip(table["low"], table["high"])))
    own = zip(*(summary[name] for name in keys))
    strict = summary["protocol"] == "strict"
    found = [limits.get(name) if is_strict else None for name, is_strict in zip(own, strict)]
    low, high = (
        [limit if pair is None else pair[place] for pair, limit in zip(found, summary[column])]
        for place, column in enumerate(("ci_low", "ci_high"))
    )
    return summary.assign(ci_low=low, ci_high=high)


def _optional(path: Path | None) -> pd.DataFrame:
    """Return a table; empty if there is none."""
    return read_table(path) if path is not None and path.exists() else pd.DataFrame()


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the texts of its cells as texts."""
    needed = ["split", "subset", "track", "context_bp", "metric"]
    table = table.reindex(columns=[*needed, *(name for name in table if name not in needed)])
    for name in (*TEXTS, *needed):
        if name in table and name != "context_bp":
            table[name] = table[name].fillna("").astype(str)
    return table.assign(context_bp=context_names(table["context_bp"]))

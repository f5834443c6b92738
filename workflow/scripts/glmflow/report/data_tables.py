"""`data/`: the table behind every figure and page."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from .kinds import by_kind
from .study_tables import Study

LARGE_TABLE = 100_000
"""Rows above which a table is compressed."""


def write_data(study: Study, folder: Path) -> list[str]:
    """Write the tables of a study and of its kinds of task, and return the names of the files, sorted."""
    folder.mkdir(parents=True)
    for name, table in study_data(study).items():
        if len(table):
            compression = {"method": "gzip", "mtime": 0} if len(table) > LARGE_TABLE else None
            path = folder / data_file(name, table)
            table.to_csv(path, sep="\t", index=False, float_format="%.6g", compression=compression)
    if study.provenance:
        (folder / "provenance.json").write_text(json.dumps(study.provenance, indent=1, ensure_ascii=False) + "\n")
    return sorted(path.name for path in folder.iterdir())


def study_data(study: Study) -> dict[str, pd.DataFrame]:
    """Return the tables by the names of their files."""
    tables = {
        "metrics": study.metrics,
        "summary": study.summary.drop(columns=["key", "mark"]),
        "leaderboard": pd.concat(study.cells.values()).drop(columns=["key", "mark"]),
        "verdicts": verdicts_table(study),
        "costs": study.costs.drop(columns="key"),
        "training": study.curves.drop(columns=["key", "shown", "above"]),
        "counts": study.counts,
        "leakage": study.leakage,
        "variants": study.variants,
        "language_models": study.trainings,
        "warnings": study.warnings,
        **{f"comparisons.{task}": found.rows for task, found in study.compared.items()},
        **{f"comparisons.{task}.notes": found.notes for task, found in study.compared.items()},
    }
    for kind, tasks in by_kind(study.kinds):
        tables |= kind.call("tables", study, tasks, default={})
    return tables


def verdicts_table(study: Study) -> pd.DataFrame:
    """Return the answer of each task in words: `task`, `metric` in words, `sentence`, `warnings` (joined)."""
    rows = []
    for task in study.tasks:
        found = study.verdict(task)
        warnings = " ".join(found.warnings)
        rows.append(
            {"task": task, "metric": study.headlines[task].title, "sentence": found.sentence, "warnings": warnings}
        )
    return pd.DataFrame(rows)


def data_file(name: str, table: pd.DataFrame) -> str:
    """Return the name of a table's file: a large one is compressed."""
    return f"{name}.tsv.gz" if len(table) > LARGE_TABLE else f"{name}.tsv"

"""The columns of the tables that pass between tasks, models and the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from glmflow.statistics.bootstrap import Interval

EXAMPLE_COLUMNS = (
    "example",
    "split",
    "fold",
    "subset",
    "chrom",
    "start",
    "end",
    "strand",
    "sample",
    "haplotype",
    "ref",
    "alt",
    "group",
)
METRIC_COLUMNS = (
    "study",
    "task",
    "model",
    "adaptation",
    "seed",
    "split",
    "subset",
    "track",
    "context_bp",
    "metric",
    "protocol",
    "value",
    "ci_low",
    "ci_high",
    "n",
)


def examples_table(columns: pd.DataFrame) -> pd.DataFrame:
    """Return an examples table: the standard columns first (null where not given), then the others."""
    if columns["example"].duplicated().any():
        raise ValueError("examples need unique ids")
    missing = {name: None for name in EXAMPLE_COLUMNS if name not in columns}
    table = columns.assign(**missing)
    return table[[*EXAMPLE_COLUMNS, *(name for name in columns if name not in EXAMPLE_COLUMNS)]]


def metric_row(metric: str, value: Interval | float, n: int | None = None, **keys: Any) -> dict[str, Any]:
    """Return one row of a metrics table from a value with or without an interval."""
    if isinstance(value, Interval):
        return {
            "metric": metric,
            "value": value.value,
            "ci_low": value.low,
            "ci_high": value.high,
            "n": value.n,
            **keys,
        }
    return {"metric": metric, "value": float(value), "ci_low": None, "ci_high": None, "n": n, **keys}


def run_keys(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a metrics table that name a run, from its resolved settings."""
    return {
        "study": settings["study"],
        "task": settings["task_label"],
        "model": settings["model_label"],
        "adaptation": settings["adaptation_label"],
        "seed": settings["seed"],
        "context_bp": settings["task"]["windows"]["size"],
    }


def metrics_table(rows: Iterable[Mapping[str, Any]], **keys: Any) -> pd.DataFrame:
    """Return a metrics table from rows and what they have in common."""
    table = pd.DataFrame(list(rows)).assign(**keys)
    for name, default in {"subset": "all", "track": "all", "protocol": "strict"}.items():
        if name not in table:
            table[name] = default
    return table[list(METRIC_COLUMNS)]

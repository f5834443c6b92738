"""Scores that runs are compared by: what each is of, and its interval in the table of metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glmflow.statistics.resampling import interval
from glmflow.statistics.stored import Stored

CELL = ("split", "subset", "track", "context_bp", "metric")
"""Columns of a table of metrics that say what a value is of."""


def cell(metric: str, split: str, subset: str = "all", track: str = "all", context_bp: int | None = None) -> str:
    """Return the name of what a score is of."""
    return "\t".join((split, subset, track, _length(context_bp), metric))


def columns_of(name: str) -> dict[str, str]:
    """Return the columns of a table of metrics that a cell's name stands for."""
    return dict(zip(CELL, name.split("\t")))


def with_intervals(metrics: pd.DataFrame, units: Mapping[str, Stored]) -> pd.DataFrame:
    """Return metrics whose intervals are those that their units give: the same resampling plan as a verdict's."""
    if metrics.empty or not units:
        return metrics
    names = [
        cell(row.metric, row.split, row.subset, row.track, row.context_bp) if row.protocol == "strict" else ""
        for row in metrics.itertuples()
    ]
    found = metrics.copy()
    for place, name in enumerate(names):
        if name in units:
            own = interval([units[name].score], units[name].bounds)
            found.iloc[place, found.columns.get_indexer(["ci_low", "ci_high"])] = [own.low, own.high]
    return found.astype({"ci_low": float, "ci_high": float})


def _length(context_bp: float | None) -> str:
    """Return a context as it stands in a name; empty where there is none."""
    return "" if context_bp is None or np.isnan(context_bp) else str(int(context_bp))

"""What charts of alleles are made of."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from glmflow.report.charts import finish, theme
from glmflow.report.rendering import records

Chart = tuple[dict[str, Any], dict[str, Any]]
"""Specification, and datasets by name."""
CLASSES = alt.Scale(range=["#8a93a0", "#d55e00", "#0072b2", "#009e73"])
"""Colours of labels."""


def finished(chart: alt.TopLevelMixin, datasets: dict[str, pd.DataFrame]) -> Chart:
    """Return a chart as a page embeds it."""
    return finish(chart, []) | {"config": theme()}, {name: records(table) for name, table in datasets.items()}


def chosen(labels: list[str], name: str) -> alt.Parameter:
    """Return a selector of one run."""
    return alt.param(name=name, value=labels[0], bind=alt.binding_select(options=labels, name="Run "))

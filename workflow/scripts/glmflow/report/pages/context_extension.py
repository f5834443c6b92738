"""What the report says of tasks that ask how far back models use their context."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glmflow.report.comparison_tables import own_table
from glmflow.report.contexts.context_page import context_page
from glmflow.report.contexts.context_words import LEVELS as LEVELS
from glmflow.report.contexts.context_words import METRICS as METRICS
from glmflow.report.study_tables import Study

HEADLINE = ("copy_advantage", "loss")
LINK = "Context"


def page(study: Study, task: str) -> str:
    """Return the page of a task: loss against length, recall against distance, cost, paired tests."""
    return context_page(study, task, "context_extension.html")


def tables(study: Study, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the tables of `data/`: every two models of a task compared."""
    paths = study.inputs.comparisons
    return {f"comparisons.{task}.pairs": own_table(paths.get(task), "pairs.tsv") for task in tasks}

"""The steps of the kind as the workflow calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.config.tasks.context_extension import ContextExtension
from glmflow.files import read_table
from glmflow.genome.reference import Reference
from glmflow.genome.splits import require_disjoint
from glmflow.tasks.tables import Checks, Division, Made, Scored, counts_table, metrics_table, run_keys

from .drawn_windows import draw_examples
from .losses_by_context import cells, comparable_cells, score_losses
from .paired import compare_all


def examples(task: ContextExtension, files: Mapping[str, Any], division: Division) -> Made:
    """Return windows of the test regions, and others with a copy of their last bases hidden in them.

    Parameters
    ----------
    files
        `fasta`, `regions`.
    """
    regions = read_table(files["regions"])
    table = draw_examples(task, regions, Reference(files["fasta"]))
    held_out = regions[regions["split"] == "test"]
    checks = Checks()
    for row in require_disjoint(regions).itertuples():
        bases = int((held_out["end"] - held_out["start"]).sum())
        checks.add(f"bases shared by {row.split_a} and {row.split_b}", row.bases, bases)
    kinds = table["subset"].value_counts()
    counts = {f"sequences for {name}": int(count) for name, count in kinds.sort_index().items()}
    return Made(table, counts_table(counts), checks.table())


def compared(task: ContextExtension, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Return what is compared for copies: the examples, and the regions that models are trained on."""
    regions, columns = read_table(files["regions"]), ["chrom", "start", "end", "split"]
    return pd.concat([table[columns], regions.loc[regions["split"] == "train", columns]], ignore_index=True)


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the losses of a model: loss by context, and what a copy is worth by its distance."""
    rows = score_losses(examples, predictions, settings["task"]["bootstrap"])
    units = comparable_cells(examples, cells(examples, predictions))
    return Scored(metrics_table(rows, **run_keys(settings), split="test"), units=units)


def compare(
    examples: pd.DataFrame, metrics: Sequence[pd.DataFrame], predictions: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Compare every two models of a task, paired by seed, or by window where they share one seed only.

    Parameters
    ----------
    metrics, predictions
        Tables of all runs, in one order.
    """
    windows = {
        (table["model"].iloc[0], table["seed"].iloc[0]): list(cells(examples, predicted))
        for table, predicted in zip(metrics, predictions)
    }
    return compare_all(pd.concat(metrics), windows=windows)

"""Cells that a run has not seen, as the tables that its model reads: their reads on regions of a genome, its motifs and scales."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.binding.binding_data import region_names
from glmflow.binding.motif_matrix import accessibility_of_counts
from glmflow.binding.region_table import STRANDS
from glmflow.config.tasks.region_expression import RegionExpression
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.reference import Reference

from .region_examples import counts_of
from .region_matrix import motif_matrix


def other_cells(
    task: RegionExpression, counts: Path, fasta: Path, fitted: Mapping[str, Any], matrix: Path, tables: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Write what a model of regions reads of other cells (`RegionTable`); return the regions and the cells.

    Parameters
    ----------
    task
        The task of the run.
    counts
        Table of reads: `chrom`, `start`, `end`, and a column a cell.
    fitted
        `clusters` and `scale` of the run's columns, in their order.
    matrix, tables
        Empty folders: sites of motifs in the regions; cells, columns, accessibility.

    Raises
    ------
    InputError
        The run was simulated, its motifs are not where they were, or no region has a read.
    """
    changed = _with_counts(task, counts, fitted, matrix)
    motif_matrix(changed, {"genome": str(fasta)}, matrix)
    return _written_tables(changed, fasta, fitted, matrix, tables)


def _with_counts(task: RegionExpression, counts: Path, fitted: Mapping[str, Any], scratch: Path) -> RegionExpression:
    """Return the task of a run with other reads, and its columns in their order."""
    if task.simulated:
        fix = "Give a run on your own files."
        raise InputError("motifs of a simulation lie in no genome", where="--model", fix=fix)
    columns = scratch / "columns.txt"
    columns.write_text("".join(f"{name}\n" for name in fitted["clusters"]))
    for path in filter(None, (task.motifs, task.clusters, task.hits)):
        if not Path(path).exists():
            fix = "Run the command where the study lies."
            raise InputError("no such file; the run was made with it", where=path, fix=fix)
    changed = {"counts": str(counts), "regions": None, "accessibility": {}, "columns": str(columns)}
    return task.model_copy(update=changed)


def _written_tables(
    task: RegionExpression, fasta: Path, fitted: Mapping[str, Any], matrix: Path, folder: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Write the tables that a model of regions reads (`RegionTable`), scaled as in training; return the regions and cells."""
    regions = pd.read_parquet(matrix / "regions.parquet")
    counts, cells = counts_of(task, regions, Reference(fasta).contigs)
    open_ = np.stack([accessibility_of_counts(own) for own in counts.T], axis=1).astype(np.float32)
    if not (open_ > 0).any():
        raise InputError("no region has a read", where=task.counts, fix="Give reads of accessible regions.")
    nothing = pd.DataFrame(np.zeros(open_.shape, np.float32), columns=cells)
    made = {
        "cells.tsv": pd.DataFrame({"cell": cells, "split": "test"}),
        "columns.tsv": pd.DataFrame({"cluster": fitted["clusters"], "scale": fitted["scale"]}),
        "accessibility.parquet": pd.DataFrame(open_, columns=cells),
        **{f"expression_{strand}.parquet": nothing for strand in STRANDS},
    }
    for name, table in made.items():
        write_table(table, folder / name)
    examples = regions.assign(example=region_names(regions), split="test", row=np.arange(len(regions)))
    return examples.assign(**{f"promoter_{strand}": False for strand in STRANDS}), cells

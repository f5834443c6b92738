"""A tuned model of regions and motifs on cells that its run has not seen: their reads in, expression at their regions out."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.binding.binding_data import region_names
from glmflow.binding.motif_matrix import accessibility_of_counts
from glmflow.binding.region_table import STRANDS, RegionTable, values_of
from glmflow.config.tasks.region_expression import RegionExpression
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.tasks.region_expression import motif_matrix
from glmflow.tasks.region_expression.region_examples import counts_of
from glmflow.training.inputs import region_windows
from glmflow.training.parts import Parts
from glmflow.training.predict import load_predictor
from glmflow.training.record import read_record

log = logging.getLogger(__name__)


def apply_regions(model: Path, arguments: argparse.Namespace, scratch: Path) -> Counter[Reason]:
    """Write the expression of both strands that is predicted in each accessible region of each cell."""
    check_region_arguments(arguments)
    fitted = read_record(model)[1]
    tuned = load_predictor(model, scratch / "states")
    task = task_of(tuned.run.task, arguments.counts, fitted, scratch)
    matrix, tables = scratch / "matrix", scratch / "tables"
    for folder in (matrix, tables):
        folder.mkdir(parents=True)
    motif_matrix(task, {"genome": str(arguments.fasta)}, matrix)
    examples, cells = written_tables(task, arguments.fasta, fitted, matrix, tables)
    files = {"tables": str(tables), "matrix": str(matrix)}
    found = region_windows.predict(tuned, examples, files, Parts(scratch / "parts", {}), scratch)
    table = RegionTable(examples, tables, matrix)
    values = values_of(table, found)
    row, cell = np.nonzero(table.accessibility > 0)
    written = examples[["chrom", "start", "end"]].iloc[row].reset_index(drop=True)
    written = written.assign(cell=np.array(cells, object)[cell], accessibility=table.accessibility[row, cell])
    for side, strand in enumerate(STRANDS):
        written[f"prediction_{strand}"] = values[row, cell, side]
    write_table(written, arguments.output)
    log.info("%s: %d regions of %d cells", arguments.output, len(written), len(cells))
    return Counter()


def task_of(task: RegionExpression, counts: Path, fitted: Mapping[str, Any], scratch: Path) -> RegionExpression:
    """Return the task of a run with other reads, and its columns in their order.

    Raises
    ------
    InputError
        The run was simulated, or its motifs are not where they were.
    """
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


def written_tables(
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


def check_region_arguments(arguments: argparse.Namespace) -> None:
    """Refuse arguments that a model of regions has no use for, or too few."""
    if arguments.counts is None:
        fix = "Give --counts, a table: chrom, start, end, and a column a cell."
        raise InputError("which cells?", where="--counts", fix=fix)
    if not arguments.counts.is_file():
        raise InputError("no such file", where=arguments.counts, fix="Give a table of reads.")
    if arguments.output.suffix != ".parquet":
        raise InputError("expression of regions is a table", where="--output", fix="Give NAME.parquet.")
    given = ("vcf", "sample", "haplotype", "bed", "genes", "records_along", "span")
    lost = [f"--{name.replace('_', '-')}" for name in given if getattr(arguments, name)]
    if lost or arguments.fasta.is_dir():
        fix = "Give --fasta (a genome), --counts and --output."
        raise InputError("are for other kinds of models", where=", ".join(lost) or "--fasta", fix=fix)


APPLIES = {"region_windows": apply_regions}

"""A tuned model of regions and motifs on cells that its run has not seen: their reads in, expression at their regions out."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from pathlib import Path

import numpy as np

from glmflow import tasks
from glmflow.binding.region_table import STRANDS, RegionTable, values_of
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.reasons import Reason
from glmflow.modules import module
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
    matrix, tables = scratch / "matrix", scratch / "tables"
    for folder in (matrix, tables):
        folder.mkdir(parents=True)
    kind = module(tasks.__name__, tuned.run.task.kind)
    examples, cells = kind.other_cells(tuned.run.task, arguments.counts, arguments.fasta, fitted, matrix, tables)
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


def check_region_arguments(arguments: argparse.Namespace) -> None:
    """Refuse arguments that a model of regions has no use for, or too few."""
    if arguments.counts is None:
        fix = "Give --counts, a table: chrom, start, end, and one column per cell."
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

"""Numbers of rows and columns of the tables that a task reads, as far as they are there before anything runs."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Any

from glmflow.text_files import text_lines

from .views import StudyView


def genes_and_samples(study: StudyView, settings: Any, label: str) -> tuple[int, int] | None:
    """Return at most how many genes and samples an expression task predicts; None where nothing says so yet.

    The source is the task's own tables or, before they are there, the settings of the simulation, the hackathon's
    `partitions.csv` or the matrix of expression: genes without a place and samples without genotypes are counted too.
    """
    tables = [Path(f"{study.results}/examples/{label}/{name}.tsv") for name in ("genes", "samples")]
    if all(table.is_file() for table in tables):
        genes, samples = (_shape(table, changed(table))[0] for table in tables)
        return genes, samples
    simulated = study.simulate
    if settings.hackathon:
        partitions = Path(settings.hackathon.folder) / "partitions.csv"
        return _of_partitions(partitions, changed(partitions)) if partitions.is_file() else None
    if simulated and simulated.cohort and not settings.expression:
        cohort = simulated.cohort
        genes = sum(length // cohort.genes.spacing_bp for length in cohort.contigs.values())
        return genes, sum(cohort.population.people.values())
    matrix = Path(settings.matrix(study) or "")
    return _shape(matrix, changed(matrix)) if matrix.is_file() else None


def rows_of(table: str) -> int | None:
    """Return the rows below the header of a table; None where it is not there."""
    path = Path(table)
    return _shape(path, changed(path))[0] if path.is_file() else None


def changed(path: Path) -> int:
    """Return when a file was written: it is counted once, not for every run of a study."""
    return path.stat().st_mtime_ns


@lru_cache
def _shape(table: Path, written: int) -> tuple[int, int]:
    """Return the rows below the header of a table (JSON lines have none), and its columns beside the first."""
    if table.suffix == ".parquet":
        from pyarrow.parquet import read_metadata

        found = read_metadata(table)
        return found.num_rows, found.num_columns - 1
    columns = rows = 0
    for _, line in text_lines(table, errors="replace"):
        if line.startswith("##") or line.startswith("#1."):  # comments, and the version of a GCT
            continue
        columns = max(columns, line.count("\t"), line.count(",") if "\t" not in line else 0)
        rows += 1
    header = table.suffix not in (".json", ".jsonl", ".ndjson")
    return max(0, rows - header), columns


@lru_cache
def _of_partitions(path: Path, written: int) -> tuple[int, int]:
    """Return the distinct genes and samples of the hackathon's table."""
    with path.open(newline="") as handle:
        pairs = {(row.get("gene"), row.get("sample")) for row in csv.DictReader(handle)}
    return len({gene for gene, _ in pairs}), len({sample for _, sample in pairs} - {"ref"})

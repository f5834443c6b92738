"""How many genes and people a task of personal expression has, as far as it is known before it runs. No torch, no pandas."""

from __future__ import annotations

import csv
import gzip
from functools import lru_cache
from pathlib import Path

from glmflow.config import Study, expression_of


def genes_and_people(study: Study, task: str) -> tuple[int, int] | None:
    """Return at most how many genes and people a task predicts; None where nothing tells yet.

    Told by the task's own tables, or before they are there by the settings of the simulation, the hackathon's
    `partitions.csv` or the matrix of expression: genes without a place and people without genotypes are counted too.
    """
    tables = [Path(f"{study.results}/examples/{task}.{name}.tsv") for name in ("genes", "people")]
    if all(table.is_file() for table in tables):
        genes, people = (_shape(table, changed(table))[0] for table in tables)
        return genes, people
    settings, simulated = study.tasks[task], study.simulate
    if settings.hackathon:
        partitions = Path(settings.hackathon.folder) / "partitions.csv"
        return _of_partitions(partitions, changed(partitions)) if partitions.is_file() else None
    if simulated and simulated.cohort and not settings.expression:
        cohort = simulated.cohort
        genes = sum(length // cohort.genes.spacing_bp for length in cohort.contigs.values())
        return genes, sum(cohort.population.people.values())
    matrix = Path(expression_of(study, task) or "")
    return _shape(matrix, changed(matrix)) if matrix.is_file() else None


def changed(path: Path) -> int:
    """Return when a file was written: it is counted once, not for every run of a study."""
    return path.stat().st_mtime_ns


@lru_cache
def _shape(table: Path, written: int) -> tuple[int, int]:
    """Return the rows below the header of a table, and its columns beside the first."""
    with table.open("rb") as handle:
        packed = handle.read(2) == b"\x1f\x8b"
    with (gzip.open if packed else open)(table, "rt", encoding="utf-8", errors="replace") as lines:
        columns = rows = 0
        for line in lines:
            if line.startswith("##") or line.startswith("#1."):  # comments, and the version of a GCT
                continue
            columns = max(columns, line.count("\t"), line.count(",") if "\t" not in line else 0)
            rows += 1
    return max(0, rows - 1), columns


@lru_cache
def _of_partitions(path: Path, written: int) -> tuple[int, int]:
    """Return the distinct genes and people of the hackathon's table."""
    with path.open(newline="") as handle:
        pairs = {(row.get("gene"), row.get("sample")) for row in csv.DictReader(handle)}
    return len({gene for gene, _ in pairs}), len({person for _, person in pairs} - {"ref"})

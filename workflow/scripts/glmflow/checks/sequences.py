"""Checks of kind `sequences`: columns of its tables by their headers; and audits beside its own: relatives of training rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from glmflow.config import Study, is_made
from glmflow.errors import InputError

from .audit import Audit
from .named_samples import Problem, Samples

MOST = 30_000_000
"""Bases of sequences that are compared; of larger sets near copies alone are looked for."""
LOOKED_FOR = ("related copies", "parts of training sequences")
"""What the audit of the data set does not look for itself."""


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield what is wrong with the columns of a task's tables, by their header lines alone."""
    task = study.tasks[label]
    tables = [(key, path) for key, path in task.sources().items() if key[0] == "table" and not is_made(study, path)]
    if not tables or task.fasta is not None:  # a table of labels is joined by ids: its own rules
        return
    from glmflow.labelled.rows import table_columns
    from glmflow.tasks.sequences.labelled_table import read_settings_of

    settings = read_settings_of(task)
    for key, path in tables:
        try:
            found = table_columns(Path(path), settings["columns"], settings["only"])[1]
            if "label" not in found and len(key) == 1:
                raise InputError("no column of labels", where=path, fix="Say which column: columns: {label: NAME}.")
        except InputError as error:
            yield key, str(error)


def audits(task: Any, files: Mapping[str, Any], made: Any, data: Mapping[str, Any]) -> list[Audit]:
    """Return how many held-out sequences are related to training sequences, or put together from parts of them."""
    packed = made.evidence.get("sequences")
    if packed is None or int(packed.offsets[-1]) > MOST:
        return []
    from glmflow.genome.packed import EachRow

    from .copies import compare_splits

    split = made.table["split"].fillna("").to_numpy(str)
    found = compare_splits(EachRow(packed), split, made.table["example"].to_numpy(object), ("train", "validation"))
    return [audit for audit in found.audits if audit.name in LOOKED_FOR]

"""Checks of kind `sequences`: its tables by their headers, small ones whole; and audits beside its own: relatives."""

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
READ_WHOLE = 20_000_000
"""Bytes of a task's files up to which they are read before any job, in a second."""
LOOKED_FOR = ("related copies", "spaced copies", "parts of training sequences")
"""What the audit of the data set does not look for itself."""


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield what is wrong with a task's files: with the header lines of tables, first records, and the rows of small files."""
    task = study.tasks[label]
    wrong = list(_headers(study, task)) or list(_first_records(study, task)) or list(_rows(study, task))
    yield from wrong


def _headers(study: Study, task: Any) -> Iterator[Problem]:
    """Yield what is wrong with the columns of tables, by their header lines alone."""
    from glmflow.labelled.one_hot_file import is_one_hot

    tables = [(key, path) for key, path in task.sources().items() if key[0] == "table" and not is_made(study, path)]
    tables = [(key, path) for key, path in tables if not is_one_hot(Path(path))]
    if not tables or task.fasta is not None:  # a table of labels is joined by ids: its own rules
        return
    from glmflow.labelled.rows import table_columns
    from glmflow.tasks.sequences.labelled_table import read_settings_of

    settings = read_settings_of(task)
    for key, path in tables:
        try:
            found = table_columns(Path(path), settings["columns"], settings["only"])[1]
            if "label" not in found and len(key) == 1 and task.label_file is None:
                raise InputError("no column of labels", where=path, fix="Say which column: columns: {label: NAME}.")
        except InputError as error:
            yield key, str(error)


def _first_records(study: Study, task: Any) -> Iterator[Problem]:
    """Yield what is wrong with tracks in bins and contact maps, by the names of their files and the first record."""
    from glmflow.labelled.binned_targets import read_binned_means
    from glmflow.labelled.contact_maps import read_contact_maps
    from glmflow.labelled.region_gene_pairs import require_genes
    from glmflow.labelled.rows import table_columns
    from glmflow.labelled.sources import binned_targets_of
    from glmflow.tasks.sequences.labelled_table import read_settings_of

    settings = read_settings_of(task)
    maps, targets, pairs = settings["maps"], settings["hdf5"], settings["pairs"]
    given = next((path for path in (task.folder, task.table) if isinstance(path, str)), None)
    if given is None or is_made(study, given) or not (maps or pairs or (targets and targets.bin)):
        return
    try:
        if maps is not None:
            read_contact_maps(Path(given), maps, look=True)
            return
        file, found, _ = table_columns(Path(given), settings["columns"])
        if pairs is not None:
            require_genes(file, pairs)
        else:
            read_binned_means(binned_targets_of(targets, file, found), file, look=True)
    except InputError as error:
        yield ("folder" if maps else "table",), str(error)


def _rows(study: Study, task: Any) -> Iterator[Problem]:
    """Yield the first thing that is wrong with the rows of files that are small: letters, labels, splits, classes."""
    sources = task.sources()
    paths = [Path(path) for path in sources.values()]
    if any(is_made(study, str(path)) or not path.is_file() for path in paths):
        return
    if not paths or sum(path.stat().st_size for path in paths) > READ_WHOLE:
        return
    from glmflow.labelled.classes import classes_table
    from glmflow.labelled.given_splits import require_rows
    from glmflow.tasks.sequences.labelled_table import read

    try:
        data = read(task)
        if task.splits.by == "given" and "split" in data.rows:
            require_rows(data.rows["split"], where=str(paths[0]))
            classes_table(data.labels, data.rows["split"])
    except InputError as error:
        yield next(iter(sources)), str(error)


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

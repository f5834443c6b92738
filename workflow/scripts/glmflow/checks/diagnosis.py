"""Checks of kind `diagnosis`: its tables of questions, small ones whole, of larger ones the first row."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.config import Study, is_made
from glmflow.errors import InputError

from .named_samples import Problem, Samples

READ_WHOLE = 20_000_000
"""Bytes of a task's files up to which they are read before any job, in seconds."""


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield the first thing that is wrong with a task's questions.

    Columns, letters, the column that is held out, answers that are not in the list, and alleles that are the same in what is
    read of them.
    """
    task = study.tasks[label]
    files = {place: Path(path) for place, path in task.named_files().items() if not is_made(study, path)}
    if not files or not all(path.is_file() for path in files.values()):
        return
    if sum(path.stat().st_size for path in files.values()) > READ_WHOLE:
        yield from _first_rows(task, files)
        return
    from glmflow.tasks.diagnosis.question_examples import classes_of, require_changes
    from glmflow.tasks.diagnosis.question_layouts import read_questions

    tables = []
    for place, path in files.items():
        try:
            tables.append(read_questions(task.layout, path))
        except InputError as error:
            yield place, str(error)
            return
    rows = pd.concat(tables, ignore_index=True)
    wanted = task.splits.column
    if task.splits.by == "column" and wanted not in rows:
        known = ", ".join(map(str, rows.columns))
        yield ("splits", "column"), f"no column {wanted!r} in the questions, which have {known}"
        return
    for asked, place in ((require_changes, "crop"), (lambda rows, task: classes_of(rows, task), "classes")):
        try:
            asked(rows, task)
        except InputError as error:
            yield (place,), f"{error.what}. {error.fix}"


def _first_rows(task: Any, files: dict[Any, Path]) -> Iterator[Problem]:
    """Yield what is wrong with the first row of files of JSON lines."""
    from glmflow.tasks.diagnosis.question_layouts import holds_json, json_rows, questions_of

    for place, path in files.items():
        if not holds_json(path):
            continue
        try:
            questions_of(task.layout, itertools.islice(json_rows(path), 1), path)
        except InputError as error:
            yield place, str(error)

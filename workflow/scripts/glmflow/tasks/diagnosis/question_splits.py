"""Which questions are held out, and which of them belong together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks.diagnosis import Diagnosis
from glmflow.errors import InputError
from glmflow.labelled.holdout import by_column, by_group, by_random, carve_validation

from .question_audit import own
from .question_texts import network_key
from .shared_references import groups_by, shared_kmers

MOST = 5000
"""Rows whose references are compared each with each."""


class Divided(NamedTuple):
    """Splits and groups of questions.

    Attributes
    ----------
    split : object[n]
    group : object[n]
        What stands or falls together in an interval: gene or locus, or what is held out by.
    shared : int[n, n] or None
        31-mers that two references share; None where there are too many.
    notes : list[str]
    """

    split: NDArray[np.object_]
    group: NDArray[np.object_]
    shared: NDArray[np.int32] | None
    notes: list[str]


def divide(rows: pd.DataFrame, task: Diagnosis) -> Divided:
    """Return the splits that a task asks for.

    Raises
    ------
    InputError
        The text of the questions does not say what they are to be divided by.
    """
    by, notes = task.splits.by, []
    settings = task.splits.model_dump(exclude_none=True)
    strata = rows["target"].to_numpy(object)
    if task.simulated:
        return Divided(rows["split"].to_numpy(object), row_names(len(rows)), None, ["questions are independent"])
    shared = of_rows(rows["sequence_ref"].tolist())
    if shared is None:
        notes.append(f"more than {MOST:,} rows: loci are rows of the same reference only")
    gene = own(rows["gene"])
    keys = {"locus": [], "pathway": [gene, [network_key(value) for value in own(rows["network"])]]}.get(by, [gene])
    keys = [*keys, rows["sequence_ref"].tolist()]
    if by in ("pathway", "chromosome") and rows["network" if by == "pathway" else "chromosome"].isna().any():
        what = f"some questions do not say their {'network' if by == 'pathway' else by}"
        raise InputError(what, where=f"splits.by: {by}", fix="Say by: gene or by: locus.")
    groups = groups_by(*keys, shared=shared)
    names = np.array([f"{by if by in ('locus', 'pathway') else 'gene'}{number}" for number in groups], object)
    if by == "official":
        split, said = official(rows, task, strata)
        return Divided(split, names, shared, [*notes, *said])
    if by in ("column", "chromosome"):
        column = task.splits.column if by == "column" else "chromosome"
        if column not in rows:
            known = ", ".join(map(str, rows.columns[:12]))
            raise InputError(f"no column {column!r}", where="splits.column", fix=f"The rows have {known}.")
        found = by_column(rows[column].rename(column), settings, task.splits.seed, strata)
        return Divided(found.split, rows[column].astype(str).to_numpy(object), shared, [*notes, *found.notes])
    if by == "random":
        shares = {name: float(settings[name]) for name in ("validation", "test")}
        split = by_random(strata, len(rows), shares, task.splits.seed)
        return Divided(split, names, shared, [*notes, "random rows: those of one gene or locus are parted"])
    what = {"gene": "genes or loci", "locus": "loci", "pathway": "genes, loci or networks"}[by]
    # Not by class: many answers have one group, and the shares of the splits would follow them.
    found = by_group(groups, settings, task.splits.seed, None, what)
    return Divided(found.split, names, shared, [*notes, *found.notes])


def official(rows: pd.DataFrame, task: Diagnosis, strata: NDArray) -> tuple[NDArray[np.object_], list[str]]:
    """Return the splits of the files; merged, validation is taken out of training."""
    split, notes = rows["split"].to_numpy(object).copy(), []
    if task.splits.merge:
        split[split == "validation"] = "test"
        notes.append(
            "validation and test rows are scored as one, as published; the originals chose their weights on these rows too"
        )
    share = task.splits.validation if isinstance(task.splits.validation, float) else 0.1
    if not share:
        return split, notes
    found = carve_validation(split, rows.drop(columns="split"), None, strata, share, task.splits.seed)
    return found.split, [*notes, *found.notes]


def of_rows(references: list[str]) -> NDArray[np.int32] | None:
    """Return the 31-mers that the references of two rows share; None where there are too many rows."""
    if len(references) > MOST:
        return None
    distinct, place = np.unique(np.array(references, object), return_inverse=True)
    return shared_kmers(distinct.tolist())[np.ix_(place, place)]


def row_names(count: int) -> NDArray[np.object_]:
    """Return a group of its own for each row."""
    return np.array([f"row{number}" for number in range(count)], object)

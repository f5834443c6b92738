"""Audits of the labels of a table of sequences: what tells them without the sequence, and what its splits do to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.packed import pack
from glmflow.labelled.data_audit import label_checks
from glmflow.labelled.named_labels import named_label_check
from glmflow.labelled.sources import read_source

from .audit import WARN, Audit


def label_audits(path: Path, columns: Mapping[str, str]) -> list[Audit]:
    """Return what the examples of a task of this table are audited for beside copies; one audit that says why if it cannot be.

    Parameters
    ----------
    columns
        Column by role: `sequence`, `label`, `split`, `name`.
    """
    given = {("example" if role == "name" else role): column for role, column in columns.items()}
    try:
        data = read_source({"table": str(path)}, columns=given)
    except InputError as error:
        return [Audit("labels", WARN, 1, 0, f"labels were not looked at: {error}", str(path))]
    rows, labels = data.rows, data.labels
    target = rows[next(iter(labels.targets))].to_numpy()
    names = None if labels.kind == "values" else labels.classes if labels.kind == "classes" else ["no", "yes"]
    target = target.astype(np.float64 if names is None else np.int64)
    found = label_checks(rows, pack(rows["sequence"]), target, names)
    if named := named_label_check(data):
        found.append(named)
    return [Audit(one.check, one.verdict, one.rows, one.threshold, one.text) for one in found]

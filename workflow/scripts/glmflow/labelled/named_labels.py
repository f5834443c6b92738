"""Labels behind a `|` in the names of sequences (`chr3:100-200|1`, as sets of the Nucleotide Transformer have them)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.labelled.audit_checks import FAIL, Check
from glmflow.labelled.sources import Labelled

BEHIND = r"\|\s*([^|\s]+)\s*$"
"""The label at the end of a name."""
MOST = 0.2
"""Share of the rows above which what stands there, in words other than those of the labels, is no label."""


def contradicted(names: pd.Series, labels: pd.Series) -> NDArray[np.int64]:
    """Return the rows whose name says another label than their own.

    Where names and labels use the same words these have to be equal; else (`1` in names, `promoter` in the column) each
    word of the names is taken for the label that most of its rows have.

    Parameters
    ----------
    names, labels
        Text of each row; labels as the files write them.

    Returns
    -------
    rows
        None if a name ends without a label, or if what stands there is no label.
    """
    none = np.zeros(0, np.int64)
    said = names.astype(str).str.extract(BEHIND)[0].reset_index(drop=True)
    if not len(said) or said.isna().any():
        return none
    said, own = _as_whole(said), _as_whole(labels.astype(str).str.strip().reset_index(drop=True))
    if not 2 <= said.nunique() <= own.nunique():
        return none
    if set(said) <= set(own):
        return np.flatnonzero((said != own).to_numpy())
    taken = pd.crosstab(said, own).idxmax(axis=1)
    off = np.flatnonzero((said.map(taken) != own).to_numpy())
    return none if taken.duplicated().any() or len(off) > MOST * len(own) else off


def named_label_check(data: Labelled) -> Check | None:
    """Return the finding of labels that the names of their rows contradict; None where none does, or labels are no classes."""
    if data.labels.kind != "classes":
        return None
    names = data.rows["named" if "named" in data.rows else "example"]
    labels = pd.Series(np.array(data.labels.found, object)[data.rows["target"].to_numpy(np.int64)])
    rows = contradicted(names, labels)
    if not len(rows):
        return None
    first, total = int(rows[0]), len(names)
    text = (
        f"the label of {len(rows):,} of {total:,} rows is not the one behind | in their name, such as "
        f"{names.iloc[first]!r}, whose label is {labels.iloc[first]!r}"
    )
    return Check("labels in names", len(rows), total, "FAIL" if len(rows) > FAIL * total else "WARN", text)


def _as_whole(words: pd.Series) -> pd.Series:
    """Return words, whole numbers without their decimals: 1.0 and 1 are one label."""
    return words.str.replace(r"^([+-]?\d+)\.0*$", r"\1", regex=True)

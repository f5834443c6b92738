"""Test rows that have nothing like them among the rows a model has seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.labelled.audit_checks import leaking_rows
from glmflow.labelled.near_pairs import NearPairs
from glmflow.labelled.overlap import best_overlaps

FEWEST = 100
"""Rows below which a subset is not scored."""
MOST = 20
"""Subsets that a column of a table may name."""
SEEN = ("train", "validation")
TAKEN = ("all", "no_near_copy", "no_overlap")
"""Names that subsets of a table cannot have."""


class Subset(NamedTuple):
    """A part of the held-out rows.

    Attributes
    ----------
    rows : bool[n]
        Which rows belong to it.
    refused : str
        Why it is not scored; empty if it is.
    """

    rows: NDArray[np.bool_]
    refused: str = ""


def leak_free(
    rows: pd.DataFrame, split: NDArray, near: NearPairs | None, target: NDArray | None, margin: int = 0
) -> dict[str, Subset]:
    """Return the leak-free parts of the test split by name.

    Parameters
    ----------
    rows
        `chrom`, `start`, `end` where known.
    split
        Split of each row.
    near
        Near copies; None where sequences were not compared.
    target
        Class indices; None for numbers.
    margin
        Bases between two intervals that still count as an overlap.

    Returns
    -------
    dict
        `no_near_copy`: no training or validation row shares half of its k-mers on either strand. `no_overlap`: none
        shares a base with it. Each with fewer than 100 rows, or one class alone, is refused with the reason.
    """
    test = split == "test"
    found: dict[str, Subset] = {}
    if near is not None and not near.crowded:
        clean = test.copy()
        clean[leaking_rows(near.table, split, "test", SEEN)] = False
        found["no_near_copy"] = judged(clean, target)
    if "chrom" in rows:
        seen = np.isin(split, SEEN)
        clean = test.copy()
        clean[test] = best_overlaps(rows[test], rows[seen], margin) < 0
        found["no_overlap"] = judged(clean, target)
    return found


def of_column(column: pd.Series, split: NDArray, target: NDArray | None) -> dict[str, Subset]:
    """Return the parts of the test split that a column of a table names, a value a part; rows without one are in none.

    Raises
    ------
    InputError
        A value cannot be a name, or no test row has one.
    """
    test = split == "test"
    values = column.fillna("").astype(str).str.strip().to_numpy(object)
    names = sorted(set(values[test]) - {""})
    odd = [name for name in names if name in TAKEN or ";" in name]
    if odd:
        what = f"{odd[0]!r} cannot be the name of a subset"
        raise InputError(
            what, where="columns.subset", fix=f"Write other words, without `;` ({', '.join(TAKEN)} are ours)."
        )
    if not names or len(names) > MOST:
        what = f"{len(names)} subsets among the test rows" if names else "no test row is in a subset"
        raise InputError(what, where="columns.subset", fix=f"Name a column with up to {MOST} values.")
    return {name: judged(test & (values == name), target) for name in names}


def judged(rows: NDArray[np.bool_], target: NDArray | None) -> Subset:
    """Return a subset, refused if it is too small or holds one class alone."""
    count = int(rows.sum())
    if count < FEWEST:
        return Subset(rows, f"{count} rows; {FEWEST} are needed")
    if target is not None and len(np.unique(target[rows])) < 2:
        return Subset(rows, f"its {count:,} rows are of one class")
    return Subset(rows)


def column_of(subsets: dict[str, Subset], count: int) -> NDArray[np.object_]:
    """Return the names of the subsets that each row belongs to, joined by `;`, as the examples table keeps them."""
    names = np.full(count, "", object)
    for name, subset in subsets.items():
        joined = np.where(names[subset.rows] == "", name, names[subset.rows] + f";{name}")
        names[subset.rows] = joined
    return names

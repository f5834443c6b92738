"""Test rows that have nothing like them among the rows a model has seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.labelled.audit_checks import leaking_rows
from glmflow.labelled.near_pairs import NearPairs
from glmflow.labelled.overlap import best_overlaps

FEWEST = 100
"""Rows below which a subset is not scored."""
SEEN = ("train", "validation")


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

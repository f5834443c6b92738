"""Which genes of a matrix have the values of another one: rows written twice, under several ids, or scaled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glmflow.statistics.influence import standardised

from .audit import Audit, graded, named

DISTINCT = 8
"""Values in a row at least that are not equal by chance."""
DIGITS = 4
"""Digits of standardised values that are compared; those of text are more."""


def copied_rows(values: ArrayLike, genes: Sequence[str] | None = None, where: str = "") -> Audit:
    """Return how many genes have the values of another one, as they are or but for a factor and a number added.

    Parameters
    ----------
    values
        `[genes, samples]`.
    genes
        Names; numbers of rows where None.
    """
    table = np.asarray(values, dtype=np.float64)
    names = [f"row {row + 1}" for row in range(len(table))] if genes is None else list(genes)
    first: dict[bytes, int] = {}
    found = []
    for row, key in enumerate(_keys(table)):
        if key and (of := first.setdefault(key, row)) != row:
            found.append(f"{names[row]} and {names[of]}")
    text = f"{len(found):,} of {len(table):,} genes have the values of another one, but for a factor: {named(found)}"
    return graded("copied genes", len(found), text if found else "no gene has the values of another one", where, warn=0)


def _keys(table: NDArray[np.float64]) -> list[bytes]:
    """Return what is the same for rows that are one but for a factor and a number added; empty where too few values differ."""
    if table.shape[1] < DISTINCT:
        return [b""] * len(table)
    scaled = np.round(standardised(table.T).T, DIGITS) + 0.0  # no -0
    ordered = np.sort(table, axis=1)
    distinct = (np.diff(ordered, axis=1) > 0).sum(axis=1) + 1
    rows = np.ascontiguousarray(np.where(np.isfinite(scaled), scaled, np.inf))
    return [row.tobytes() if many >= DISTINCT else b"" for row, many in zip(rows, distinct)]

"""Which columns of a matrix of measurements are copies of each other, scaled, rounded, negated, with noise, or in part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .audit import Audit, graded, named
from .column_bands import nearly_same_ratios
from .column_correlations import APART, FEW_GENES, correlations, stand_out
from .column_ratios import same_ratios
from .profiles import upright

MANY_GENES = 200
"""Genes from which on a pair that stands out from all others is told from chance."""


def copied_columns(
    values: ArrayLike, samples: Sequence[str], split: ArrayLike | None = None, where: str = ""
) -> tuple[pd.DataFrame, Audit]:
    """Return the pairs of samples of which one is a copy of the other: as it is, scaled, with little noise, or in part.

    Each gene is ranked and standardised over samples, so that scale and logarithm do not matter and what all samples
    have in common counts for nothing; then samples are correlated over genes. Where a tenth of the genes or more have one
    ratio between two samples, those genes were copied, whatever the others are. A mirror image (values taken off a number,
    or off twice the gene's mean) is a copy too.

    Parameters
    ----------
    values
        `[genes, samples]`; NaN counts as the gene's mean.
    samples
        Names.
    split
        Split of each sample: pairs that two splits share are leaks, others warnings.

    Returns
    -------
    pairs, audit
        `one`, `other`, `correlation`, `exact` (equal values), `mirrored`, `between_splits`; and what it means.
    """
    table = np.asarray(values, dtype=np.float64)
    varies = np.nanmax(table, axis=1, initial=-np.inf) > np.nanmin(table, axis=1, initial=np.inf)
    table = table[varies]
    turned = upright(table)
    r, lowest, least = correlations(turned)
    alike = (r >= least) | same_ratios(turned) | _equal(table)
    if len(table) >= MANY_GENES:
        alike |= stand_out(r) | nearly_same_ratios(turned)
    # Samples of two kinds are opposite too: a mirror image is so of one other sample alone.
    opposite = stand_out(-lowest) & (-lowest >= (APART if len(table) >= MANY_GENES else least)) & ~alike
    r = np.where(opposite, lowest, r)
    negated = (turned != table).any(axis=0)
    parts = np.asarray(split, dtype=object) if split is not None else np.full(len(samples), "", dtype=object)
    rows = []
    for a, b in np.argwhere(np.triu(alike | opposite, 1)):
        exact = bool(np.array_equal(table[:, a], table[:, b], equal_nan=True))
        mirrored = bool(opposite[a, b] or negated[a] != negated[b])
        rows.append((samples[a], samples[b], float(r[a, b]), exact, mirrored, bool(parts[a] != parts[b])))
    pairs = pd.DataFrame(rows, columns=["one", "other", "correlation", "exact", "mirrored", "between_splits"])
    between = pairs[pairs["between_splits"]]
    shown = pairs.sort_values("between_splits", ascending=False, kind="stable")
    text = f"{len(pairs):,} pairs of {len(samples):,} columns are copies of each other, {len(between):,} between splits"
    names = [f"{row.one} and {row.other}{' (mirrored)' * row.mirrored}" for row in shown.itertuples()]
    text += f": {named(names)}" if names else ""
    if len(table) < FEW_GENES and len(samples) > 2:
        seen = f"only from a correlation of {least:.3f} on" if np.isfinite(least) else "not at all"
        text += f"; of {len(table)} genes a copy with noise is distinguished from chance {seen}"
    limits = {"fail": 0} if len(between) else {"warn": 0}
    return pairs, graded("copied columns", len(between) or len(pairs), text, where, **limits)


def _equal(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which columns have the same values."""
    found = np.zeros((table.shape[1],) * 2, bool)
    first: dict[bytes, int] = {}
    for column in range(table.shape[1] if len(table) else 0):
        key = np.ascontiguousarray(table[:, column]).tobytes()
        found[first.setdefault(key, column), column] = True
    return found

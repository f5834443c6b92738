"""What is wrong with the second and later labels, or values, of rows that have several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.packed import Packed
from glmflow.genome.similarity import exact_copies
from glmflow.labelled.audit_checks import Check, conflict_checks, property_checks, scored_rows
from glmflow.labelled.audit_facts import conflict_facts
from glmflow.labelled.composition import composition
from glmflow.labelled.separability import FITTED, separability
from glmflow.labelled.simple_predictors import sampled
from glmflow.labelled.split_checks import split_checks

MOST, READ = 50, 8
"""Columns that are looked at, and up to which k-mers and positions are fitted to each as well."""
SAME, ROWS = 1 - 1e-9, 50_000
"""Correlation from which on two columns are one; rows by which they are looked for, all rows of those that are found."""
SHOWN = 3
"""Columns that a finding names."""
NO_ROWS = np.zeros(0, np.int64)


def further_checks(
    rows: pd.DataFrame, packed: Packed | None, truth: pd.DataFrame, names: Sequence[str], classes: Sequence[str] | None
) -> list[Check]:
    """Return what is found of all columns but the first, which the audit is of: a finding a line, with the columns it is of.

    Parameters
    ----------
    rows
        `split`; `chrom`, `start`, `end`, `strand` where known.
    packed
        Their sequences; None where intervals alone are known.
    truth, names
        `[n, columns]`, and what they are called.
    classes
        Names of 0 and 1; None for numbers.
    """
    split = rows["split"].to_numpy(object)
    describe = composition(packed) if packed is not None else pd.DataFrame({"length": rows["end"] - rows["start"]})
    copy = exact_copies(packed.each())["copy"].to_numpy() if packed is not None else np.arange(len(rows))
    generator = np.random.default_rng(0)
    train, test = (sampled(own, FITTED, generator) for own in scored_rows(split, NO_ROWS, len(rows)))
    places = rows if "chrom" in rows else None
    found: dict[str, list[tuple[str, Check]]] = {}
    for column, name in list(enumerate(names))[1:MOST]:
        target = truth.iloc[:, column].to_numpy()
        read = packed if len(names) <= READ else None
        alone = separability(read, describe, target, classes and len(classes), train, test, places=places)
        of_splits = split_checks(rows[["split"]], split, target, classes, alone, NO_ROWS, pd.DataFrame())
        conflicts = conflict_facts(copy, target, classes is not None)
        of_copies = conflict_checks(conflicts, len(rows), float(np.std(target, ddof=1)))
        for check in (*of_copies, *of_splits, *property_checks(alone)):
            if check.verdict != "PASS":
                found.setdefault(check.check, []).append((name, check))
    return [*(_together(name, checks) for name, checks in found.items()), *_repeated(truth, names)]


def _repeated(truth: pd.DataFrame, names: Sequence[str]) -> list[Check]:
    """Return the columns that hold what an earlier one holds, or its opposite: scored together they count one thing twice."""
    part = truth.iloc[:: max(1, len(truth) // ROWS), :MOST].to_numpy(np.float64)
    told = np.abs(_correlations(part))
    pairs = [
        (names[one], names[other])
        for one, other in zip(*np.nonzero(np.triu(told > SAME, 1)))
        if abs(_correlations(truth.iloc[:, [one, other]].to_numpy(np.float64))[0, 1]) > SAME
    ]
    if not pairs:
        return []
    shown = ", ".join(f"{other} by {one}" for one, other in pairs[:SHOWN])
    more = f" and {len(pairs) - SHOWN} more pairs" if len(pairs) > SHOWN else ""
    text = f"columns are told by one another ({shown}{more}): the same, or the opposite, in other units"
    return [Check("columns that say the same", len({other for _, other in pairs}), part.shape[1], "WARN", text)]


def _correlations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlations of columns, `[columns, columns]`; 0 of those that are constant."""
    values = values - values.mean(axis=0)
    size = np.sqrt((values**2).sum(axis=0))
    values = values / np.where(size > 0, size, 1)
    return values.T @ values


def _together(check: str, found: Sequence[tuple[str, Check]]) -> Check:
    """Return one finding for all columns that have it."""
    worst = max((one for _, one in found), key=lambda one: (one.verdict == "FAIL", one.rows))
    text = "; ".join(f"{name}: {one.text}" for name, one in found[:SHOWN])
    text += f"; and {len(found) - SHOWN} more columns" if len(found) > SHOWN else ""
    return worst._replace(check=f"{check}, further columns", text=text)

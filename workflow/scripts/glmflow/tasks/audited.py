"""Labelled examples with their audit: groups that are resampled together, leak-free subsets, checks and tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.packed import Packed
from glmflow.labelled.data_audit import Audit, audit, interval_audit
from glmflow.labelled.near_pairs import NearPairs
from glmflow.labelled.subsets import column_of, leak_free, of_column
from glmflow.tasks.tables import FAIL, Checks


class Audited(NamedTuple):
    """What an audit adds to labelled rows.

    Attributes
    ----------
    rows : DataFrame
        The rows with `subset` (names of leak-free parts joined by `;`) and `group`.
    counts
        Sequences of each subset.
    checks
        The findings as checks of the examples.
    facts
        `audit.tsv`, `audit_pairs.tsv`, `audit_facts.tsv`, `properties.tsv`.
    near
        Near copies; None where sequences were not compared.
    copies
        Held-out rows that are copies of rows a model has seen; None where that is not known.
    """

    rows: pd.DataFrame
    counts: dict[str, int]
    checks: Checks
    facts: dict[str, pd.DataFrame]
    near: NearPairs | None
    copies: pd.DataFrame | None


def audited(
    rows: pd.DataFrame,
    packed: Packed | None,
    target: NDArray,
    names: list[str] | None,
    k: int | None = None,
    share: float = 0.5,
    strata: NDArray | None = None,
    margin: int = 0,
) -> Audited:
    """Audit labelled rows (see `glmflow.labelled.data_audit.audit`).

    Parameters
    ----------
    rows
        `example`, `split`, and what is known of `chrom`, `start`, `end`, `group`, `subset` (parts that a table names).
    packed
        Their sequences; None where they are too many to be held.
    target, names
        Class index or number of each row, and the names of the classes (None: numbers).
    strata
        Class of each row, one of which alone is not scored; None for numbers.
    margin
        Bases between two intervals that still count as an overlap.
    """
    found = audit(rows, packed, target, names, k, share) if packed is not None else None
    by_place = interval_audit(rows, target, names) if packed is None and "chrom" in rows else None
    split = rows["split"].to_numpy(object)
    subsets = leak_free(rows, split, found.near if found else None, strata, margin)
    if "subset" in rows:
        subsets |= of_column(rows["subset"], split, strata)
    counts = {f"{name} sequences": int((split == name).sum()) for name in ("train", "validation", "test")}
    for name, subset in subsets.items():
        refused = f" (not scored: {subset.refused})" if subset.refused else ""
        counts[f"test sequences of the subset {name}{refused}"] = int(subset.rows.sum())
    # A subset that is the whole test split would only repeat its scores.
    whole = (split == "test").sum()
    scored = {name: one for name, one in subsets.items() if not one.refused and one.rows.sum() < whole}
    rows = rows.assign(subset=column_of(scored, len(rows)), group=groups_of(rows, found))
    tables = audit_tables(found) if by_place is None else {"audit.tsv": by_place[0], "properties.tsv": by_place[1]}
    near, copies = (found.near, found.copies) if found else (None, None)
    return Audited(rows, counts, checks_of(tables.get("audit.tsv")), tables, near, copies)


def groups_of(rows: pd.DataFrame, found: Audit | None) -> NDArray[np.object_]:
    """Return what is resampled together: the group that is given, else the component of near copies, else the row."""
    if "group" in rows and rows["group"].notna().all():
        return rows["group"].astype(str).to_numpy(object)
    if found is not None:
        return np.char.add("copies", found.near.component.astype(str)).astype(object)
    return rows["example"].to_numpy(object)


def audit_tables(found: Audit | None) -> dict[str, pd.DataFrame]:
    """Return the tables of an audit by file name."""
    if found is None:
        return {}
    flat = pd.json_normalize(found.facts, sep=".").T.reset_index().set_axis(["fact", "value"], axis=1)
    tables = {"audit.tsv": found.checks, "audit_pairs.tsv": found.examples, "properties.tsv": found.properties}
    return {**tables, "audit_facts.tsv": flat.astype(str)}


def checks_of(found: pd.DataFrame | None) -> Checks:
    """Return the findings of an audit as the report's checks; what is warned about within a split is no leak, a copy is."""
    checks = Checks()
    for row in found.itertuples(index=False) if found is not None else ():
        between = ": test" in row.check or ": validation" in row.check
        leak = between and row.verdict != "PASS"
        status = FAIL if leak and row.check.startswith(("exact", "near")) else row.verdict
        checks.add(row.check, row.rows, row.of, row.text, leak, status, row.threshold)
    return checks

"""Counts of an audit, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.labelled.near_pairs import NearPairs
from glmflow.labelled.separability import direction


def copy_facts(copies: pd.DataFrame, target: NDArray, classes: bool) -> dict[str, Any]:
    """Return counts of exact copies, reverse complements and labels that contradict each other.

    Parameters
    ----------
    copies
        As `exact_copies` returns it.
    target
        Label of each row.
    classes
        Whether labels are classes; numbers have a spread instead of a conflict.
    """
    strand = np.where(copies["strand"] == "-", 1, 0)
    same = pd.Series(copies["copy"].to_numpy() * 2 + strand)
    sizes = same.map(same.value_counts()).to_numpy()
    strands = pd.Series(strand).groupby(copies["copy"].to_numpy()).transform("nunique").to_numpy()
    return {
        "exact": {
            "distinct_sequences": int(same.nunique()),
            "groups_of_copies": int(same[sizes > 1].nunique()),
            "rows_in_groups": int((sizes > 1).sum()),
            "superfluous_rows": int(len(same) - same.nunique()),
        },
        "reverse_complement": {
            "groups_with_both_strands": int(copies.loc[strands > 1, "copy"].nunique()),
            "rows_in_groups": int((strands > 1).sum()),
            "own_reverse_complement": int(copies["palindrome"].sum()),
        },
        **conflict_facts(copies["copy"].to_numpy(), target, classes),
    }


def conflict_facts(copy: NDArray, target: NDArray, classes: bool) -> dict[str, Any]:
    """Return how far labels, or values, of copies of a sequence contradict each other.

    Parameters
    ----------
    copy, target
        Which sequence each row has, either strand (`exact_copies`), and its label or value.
    classes
        Whether labels are classes; numbers have a spread instead of a conflict.
    """
    table = pd.DataFrame({"copy": copy, "target": target})
    if classes:
        labels = table.groupby("copy")["target"].transform("nunique")
        conflicting = table[labels > 1]
        most = conflicting.groupby("copy")["target"].agg(lambda values: values.value_counts().iloc[0]).sum()
        return {
            "label_conflicts": {
                "groups_same_sequence_two_labels": int(conflicting["copy"].nunique()),
                "rows": len(conflicting),
                "least_errors": int(len(conflicting) - most),
            }
        }
    repeated = table[table.duplicated("copy", keep=False)]
    spread = repeated.groupby("copy")["target"].std(ddof=1)
    apart = _short(float(spread.mean()), 3) if len(spread) else None
    return {"once": len(table) - len(repeated), "copies_target_sd": apart}


def near_facts(near: NearPairs, target: NDArray | None) -> dict[str, Any]:
    """Return the counts of near copies."""
    facts: dict[str, Any] = {
        "k": near.k,
        "share_of_smaller_kmer_set": near.share,
        "pairs": near.pairs,
        "rows_with_a_neighbour": near.rows,
        "components": len(near.sizes),
        "largest_component": int(near.sizes.max(initial=0)),
        "rows_without_any_kmer": near.without,
        "kmers_not_looked_up_everywhere": near.capped,
        "estimated": near.crowded,
    }
    if target is not None:
        first, second = near.table["first"], near.table["second"]
        facts["pairs_with_different_labels"] = int((target[first] != target[second]).sum())
    return facts


def length_facts(lengths: NDArray) -> dict[str, Any]:
    """Return the range of the lengths in bases."""
    if not len(lengths):
        return {"min": 0, "median": 0.0, "max": 0, "distinct": 0}
    return {
        "min": int(lengths.min()),
        "median": float(np.median(lengths)),
        "max": int(lengths.max()),
        "distinct": len(np.unique(lengths)),
    }


def class_facts(rows: pd.DataFrame, describe: pd.DataFrame, target: NDArray, classes: Sequence[str]) -> dict[str, Any]:
    """Return the rows of each class, and what its sequences are like."""
    by = describe.groupby(np.asarray(target))
    gc, length = by["gc"].mean(), by["length"].median()
    facts: dict[str, Any] = {
        "classes": {name: int((target == i).sum()) for i, name in enumerate(classes)},
        "gc_mean_by_class": {name: round(float(gc.get(i, np.nan)), 4) for i, name in enumerate(classes)},
        "length_median_by_class": {name: float(length.get(i, np.nan)) for i, name in enumerate(classes)},
        "n_share_by_class": {
            name: round(float(by["n_share"].mean().get(i, np.nan)), 5) for i, name in enumerate(classes)
        },
    }
    if "lower" in rows:
        soft = pd.Series(rows["lower"].to_numpy() / np.maximum(describe["length"].to_numpy(), 1)).groupby(target).mean()
        facts["soft_masked_by_class"] = {name: round(float(soft.get(i, np.nan)), 4) for i, name in enumerate(classes)}
    if len(classes) == 2:
        facts["auroc_of_gc"] = round(direction(describe, target, "gc"), 4)
        facts["auroc_of_length"] = round(direction(describe, target, "length"), 4)
    return facts


def target_facts(target: NDArray) -> dict[str, float]:
    """Return count, mean, standard deviation and quartiles of a target."""
    return {name: _short(float(value), 4) for name, value in pd.Series(target).describe().items()}


def _short(value: float, digits: int) -> float:
    """Return a value rounded to so many decimals, or, if that would leave next to nothing of it, to three digits."""
    return round(value, digits) if abs(value) >= 10.0 ** (1 - digits) else float(f"{value:.3g}")

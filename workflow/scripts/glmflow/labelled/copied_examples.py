"""Held-out rows that are copies of rows a model has seen, each beside the one that it is most like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.labelled.near_pairs import NearPairs

COLUMNS = ["example", "split", "nearest_training", "share", "strand", "relation", "identity_estimate"]
SEEN = {"test": ("train", "validation"), "validation": ("train",)}
"""Splits that a model has seen before it is asked about another."""


def copied_examples(
    examples: Sequence[str], split: NDArray, near: NearPairs, copies: pd.DataFrame | None = None
) -> pd.DataFrame | None:
    """Return the held-out rows of which a row that was seen is an exact or near copy; None where pairs are not listed.

    Parameters
    ----------
    examples, split
        Name and split of each row.
    near
        Near copies of all rows.
    copies
        `copy`, `strand` of each row (`similarity.exact_copies`): also finds equal rows that are too short for a k-mer.

    Returns
    -------
    DataFrame
        `example`, `split`, `nearest_training`, `share` of k-mers, `strand`, `relation` (`exact`, `near`),
        `identity_estimate`; the most alike first.
    """
    if near.crowded:
        return None
    names, parts = np.asarray(examples, object), []
    pairs = near.table
    first, second = pairs["first"].to_numpy(np.int64), pairs["second"].to_numpy(np.int64)
    for held, seen in SEEN.items():
        learned = np.isin(split, seen)
        if copies is not None:
            parts.append(_equal(copies, split == held, learned).assign(split=held, share=1.0, relation="exact"))
        for own, other in ((first, second), (second, first)):
            hit = (split[own] == held) & learned[other]
            found = {"row": own[hit], "other": other[hit], "share": pairs["share"].to_numpy()[hit]}
            parts.append(
                pd.DataFrame(found | {"strand": pairs["strand"].to_numpy(object)[hit]}).assign(
                    split=held, relation="near"
                )
            )
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table = table.sort_values(["relation", "share", "row", "other"], ascending=[True, False, True, True], kind="stable")
    table = table.drop_duplicates("row")
    rows, others = table["row"].to_numpy(np.int64), table["other"].to_numpy(np.int64)
    table = table.assign(
        example=names[rows], nearest_training=names[others], identity_estimate=table["share"] ** (1 / near.k)
    )
    return table[COLUMNS].reset_index(drop=True)


def _equal(copies: pd.DataFrame, held: NDArray[np.bool_], learned: NDArray[np.bool_]) -> pd.DataFrame:
    """Return each held-out row that equals a row that was learned from, with the first such row: `row`, `other`, `strand`."""
    table = copies[["copy", "strand"]].reset_index(drop=True).reset_index(names="row")
    source = table[learned].drop_duplicates("copy").rename(columns={"row": "other", "strand": "theirs"})
    found = table[held].merge(source, on="copy")
    return found.assign(strand=np.where(found["strand"] == found["theirs"], "+", "-"))[["row", "other", "strand"]]

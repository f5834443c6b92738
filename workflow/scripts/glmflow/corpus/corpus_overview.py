"""What a corpus holds, to be looked at: by split, division and species."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glmflow.dna.low_complexity import WINDOW, low_windows

from .corpus_store import Corpus

LOOKED_AT = 64 * WINDOW
"""Bases of each sequence whose complexity is measured, in pieces spread over it."""
PIECES = 16
NAMES = ("split", "division", "species")


def overview(corpus: Corpus) -> pd.DataFrame:
    """Return a row a split, division and species, the largest first.

    A sequence of no known species goes by its cluster. Columns: `split`, `division`, `species`, `sequences`, `clusters`,
    `bases`, `shortest`, `longest`, `gc`, `lower_case`, `unknown`, `low_complexity` (share of windows of 64 bases, of up to 4,096
    bases of each sequence) and `shared` (of held-out bases the share in matches of 32 and more to training).
    """
    table = corpus.table
    known = table["species"].fillna("").astype(str)
    table = table.assign(species=known.where(known != "", "cluster " + table["cluster"].astype(str)))
    low = np.array([low_share(corpus, row) for row in table.index]).reshape(-1, 2)
    table = table.assign(low=low[:, 0], windows=low[:, 1])
    rows = []
    for names, part in table.groupby(list(NAMES), sort=True):
        bases = int(part["length"].sum())
        shared = float((part["shared"] * part["length"]).sum() / bases) if part["shared"].notna().all() else np.nan
        rows.append(
            {
                **dict(zip(NAMES, names)),
                "sequences": len(part),
                "clusters": part["cluster"].nunique(),
                "bases": bases,
                "shortest": int(part["length"].min()),
                "longest": int(part["length"].max()),
                "gc": float((part["gc"] * part["length"]).sum() / bases),
                "lower_case": float(part["softmask"].sum() / bases),
                "unknown": float(part["n"].sum() / bases),
                "low_complexity": float(part["low"].sum() / part["windows"].sum()) if part["windows"].sum() else np.nan,
                "shared": shared,
            }
        )
    return pd.DataFrame(rows).sort_values(["split", "bases"], ascending=[True, False], ignore_index=True)


def low_share(corpus: Corpus, row: int) -> tuple[int, int]:
    """Return how many windows of 64 bases of a sequence are of low complexity, and how many were looked at."""
    length = int(corpus.table.loc[row, "length"])
    size = min(length, LOOKED_AT // PIECES)
    starts = np.unique(
        np.linspace(0, length - size, PIECES if length > LOOKED_AT else max(1, length // size)).astype(int)
    )
    found = [low_windows(corpus.fetch(row, int(start), int(start) + size)) for start in starts]
    return sum(low for low, _ in found), sum(count for _, count in found)

"""Real pieces and controls as tables, so that they are measured once and compared with many models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from .compared_groups import Group, Pictures, Real, background_of
from .sequence_facts import Facts

FACTS, REFERENCE, GAMES, WALKS = "facts.parquet", "reference.parquet", "games.tsv", "walks.tsv"
POOLED = ""
"""Group of the one row that holds the pooled facts of the reference."""


def real_tables(real: Real) -> dict[str, pd.DataFrame]:
    """Return the tables that `read_real` reads, by file name: a row of facts a piece, reference pieces, pictures."""
    rows = [{"group": POOLED, "size": real.size, "longest": 0, **real.background.real}]
    for name, group in real.groups.items():
        rows += [
            {"group": name, "size": real.size, "longest": longest, **facts}
            for facts, longest in zip(group.facts, group.longest)
        ]
    pieces = pd.DataFrame({"sequence": real.reference})
    return {FACTS: pd.DataFrame(rows), REFERENCE: pieces, GAMES: real.pictures.games, WALKS: real.pictures.walks}


def read_real(folder: Path, training: Sequence[str]) -> Real:
    """Return real pieces and controls as they were measured; chains and matches are of the training sequences."""
    rows = pd.read_parquet(folder / FACTS)
    reference = pd.read_parquet(folder / REFERENCE)["sequence"].tolist()
    facts = [_facts(row) for row in rows.to_dict("records")]
    groups = {
        name: Group([facts[place] for place in own.index], own["longest"].tolist())
        for name, own in rows.groupby("group", sort=False)
        if name != POOLED
    }
    known = facts[rows.index[rows["group"] == POOLED][0]]
    pictures = Pictures(*(pd.read_csv(folder / name, sep="\t") for name in (GAMES, WALKS)))
    return Real(background_of(known, reference, training), groups, pictures, int(rows["size"].iloc[0]), reference)


def _facts(row: dict) -> Facts:
    """Return the facts of a row: what it does not know is left out."""
    keys = {"group", "size", "longest"}
    return {name: np.asarray(own, float) for name, own in row.items() if name not in keys and own is not None}

"""Real pieces and controls as tables, so that they are measured once and compared with many models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from .compared_groups import Group, Pictures, Real, background_of
from .further_measures import measure_of
from .group_values import pooled
from .sequence_facts import Facts
from .told_tables import ToldTables, name_of

FACTS, REFERENCE, GAMES, WALKS = "facts.parquet", "reference.parquet", "games.tsv", "walks.tsv"
POOLED = ""
"""Group of the one row that holds the pooled facts of the reference."""


def real_tables(real: Real) -> dict[str, pd.DataFrame]:
    """Return the tables that `read_real` reads, by file name: a row of facts a piece, reference pieces, pictures."""
    rows = [{"group": POOLED, "size": real.size, "longest": 0, "piece": "", **real.background.real}]
    for name, group in real.groups.items():
        rows += [
            {"group": name, "size": real.size, "longest": longest, "piece": piece, **facts}
            for facts, longest, piece in zip(*group)
        ]
    pieces = pd.DataFrame({"sequence": real.reference})
    return {FACTS: pd.DataFrame(rows), REFERENCE: pieces, GAMES: real.pictures.games, WALKS: real.pictures.walks}


def read_real(folder: Path, training: Sequence[str], told: ToldTables | None = None) -> Real:
    """Return real pieces and controls as they were measured; chains and matches are of the training sequences.

    Parameters
    ----------
    told
        What models, motifs and profiles have told of these pieces, and of those that are compared with them; nothing where None.
    """
    rows = pd.read_parquet(folder / FACTS)
    reference = pd.read_parquet(folder / REFERENCE)["sequence"].tolist()
    facts = [_facts(row) for row in rows.to_dict("records")]
    known = facts[rows.index[rows["group"] == POOLED][0]]
    further = {}
    if told is not None:
        of_reference = told.of_reference(reference)
        measure = measure_of(of_reference)
        known |= pooled([measure(one) for one in of_reference])
        facts = [own | (measure(told[name]) if name else {}) for own, name in zip(facts, rows["piece"])]
        further = {"further": lambda piece: measure(told[name_of(piece)])}
    groups = {
        name: Group([facts[place] for place in own.index], own["longest"].tolist(), own["piece"].tolist())
        for name, own in rows.groupby("group", sort=False)
        if name != POOLED
    }
    pictures = Pictures(*(pd.read_csv(folder / name, sep="\t") for name in (GAMES, WALKS)))
    background = background_of(known, reference, training, **further)
    return Real(background, groups, pictures, int(rows["size"].iloc[0]), reference)


def _facts(row: dict) -> Facts:
    """Return the facts of a row: what it does not know is left out."""
    keys = {"group", "size", "longest", "piece"}
    return {name: np.asarray(own, float) for name, own in row.items() if name not in keys and own is not None}

"""How often a pretraining sees its corpus: beyond a few times, more of the same is worth little. Needs no torch."""

from __future__ import annotations

import pandas as pd

from glmflow.config.models import Pretrain

MOST_EPOCHS = 4
"""How often data may be seen until more of the same is worth less than new data (Muennighoff et al. 2023)."""
COLUMNS = ("split", "length", "weight", "species", "cluster")
"""What is read of the table of a corpus."""


def times_seen(block: Pretrain, table: pd.DataFrame) -> dict[str, float]:
    """Return how often the training part of a corpus is seen and, of several species, the one that is seen most often.

    Species are drawn more evenly than they are large: a small one is seen more often than the whole.

    Parameters
    ----------
    table
        Sequences of the corpus (`COLUMNS`).
    """
    windows, train = block.steps * block.batch, table[table["split"] == "train"]
    seen = {"the training part of the corpus": windows * block.length / max(1, int(train["length"].sum()))}
    long_enough = train[train["length"] >= min(block.short or block.length, block.length)]
    sizes = long_enough["length"].clip(upper=block.length)
    read = long_enough["weight"] * sizes
    # A row that is filled up with nothing has fewer bases than one that is packed.
    read = read / read.sum() * windows * block.length if block.pack else read / long_enough["weight"].sum() * windows
    named = long_enough["species"].where(long_enough["species"] != "", "cluster " + long_enough["cluster"].astype(str))
    own = long_enough.assign(read=read).groupby(named)[["read", "length"]].sum()
    of_species = own["read"] / own["length"]
    if len(own) > 1:
        most = of_species.idxmax()
        seen[f"{most} of {own.loc[most, 'length']:,} bases, most often of all"] = of_species[most]
    return seen


def too_often(seen: dict[str, float], verb: str) -> list[str]:
    """Return a sentence on each part that is seen more often than new data would be worth; `verb` is `is` or `was`."""
    return [
        f"{what} {verb} seen {times:.1f} times: beyond {MOST_EPOCHS}, more of the same is worth little"
        for what, times in seen.items()
        if times > MOST_EPOCHS
    ]

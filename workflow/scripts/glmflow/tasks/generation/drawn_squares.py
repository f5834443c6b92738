"""Windows as squares with a base a pixel: what was drawn behind its prompt, real sequence, and chains of training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from glmflow.dna.markov import Chain
from glmflow.likeness.control_groups import MARKOV_5
from glmflow.likeness.group_values import GENERATED, REAL
from glmflow.likeness.pieces import sampled

SHOWN = 3
"""Windows of a group."""
SIDES = (16, 256)
"""Smallest and largest side: below there is nothing to see, above a page gets heavy."""
COLUMNS = ["way", "group", "order", "side", "bases"]


def squares(
    way: str, windows: Sequence[str], real: Sequence[str], chain: Chain, generator: np.random.Generator
) -> pd.DataFrame:
    """Return a row a square: `way`, `group`, `order`, `side` and `bases`, its ``side ** 2`` bases row by row from the top left.

    As `layout: grid` of family `dit` lays them: a whole window of its context is the picture that it drew.

    Parameters
    ----------
    windows
        Prompts with what was drawn behind them; the first base of each is the first pixel.
    real
        Held-out sequences that squares of as many bases are cut from, where one is long enough.
    chain
        Counted on training, drawn from as often.
    """
    side = min(math.isqrt(min(map(len, windows), default=0)), SIDES[1])
    if side < SIDES[0]:
        return pd.DataFrame(columns=COLUMNS)
    size, shown = side * side, windows[:SHOWN]
    groups = {GENERATED: [text[:size] for text in shown]}
    if any(len(text) >= size for text in real):
        groups[REAL] = sampled(real, [size] * len(shown), generator)
    groups[MARKOV_5] = [chain.draw(size, generator) for _ in shown]
    rows = [(way, group, order, side, text) for group, own in groups.items() for order, text in enumerate(own)]
    return pd.DataFrame(rows, columns=COLUMNS)

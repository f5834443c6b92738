"""How much of what really follows a prompt is drawn behind it, beside what chains of training would say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.dna.markov import Chain
from glmflow.likeness.group_values import GENERATED
from glmflow.statistics.bootstrap import Interval, interval_of_mean

BASES = 30
"""Bases behind a prompt that are compared, as in GENERator's test of recovery."""
FEWEST = 3
"""Prompts without which nothing is told."""
ORDERS = (5, 8)
"""Orders of the chains, which take the likeliest base each time; higher ones were rarely counted."""
COLUMNS = ["way", "group", "recovered", "low", "high", "beyond", "beyond_low", "beyond_high", "n", "bases"]


class Chains(dict[int, Chain]):
    """Chains of training by their order, each counted when it is asked for first."""

    def __init__(self, training: Sequence[str]) -> None:
        super().__init__()
        self._training = training

    def __missing__(self, order: int) -> Chain:
        self[order] = Chain(self._training, order)
        return self[order]


def recovery_rows(way: str, own: pd.DataFrame, draws: int, seed: int, chains: Chains) -> Iterator[dict[str, Any]]:
    """Yield a row a group: the share of the bases behind prompts that stand where they really do, position by position.

    `recovered` of what was drawn, of chains that were counted on training and take the likeliest base each time, and of the most
    frequent base of training alone; of these `beyond` is what was drawn above them, paired by prompt. Prompts are units: copies
    of one are averaged. Rows of fewer than three prompts are left out.

    Parameters
    ----------
    own
        Released sequences of a way: `group` (prompt), `sequence` (prompt), `following` (what really follows; empty where that is
        not known) and `prediction`.
    chains
        Of training, by order.
    """
    known = own[(own["following"].str.len() > 0) & (own["prediction"].str.len() > 0)]
    if known["group"].nunique() < FEWEST:
        return
    size = min(known["following"].str.len().min(), known["prediction"].str.len().min(), BASES)
    shares = known.assign(
        share=[alike(drawn, truth, size) for drawn, truth in zip(known["prediction"], known["following"])]
    )
    mine = shares.groupby("group", sort=True)["share"].mean().to_numpy()
    yield _row(way, GENERATED, interval_of_mean(mine, draws, seed), size)
    prompts = known.drop_duplicates("group").sort_values("group")
    for group, said in _floors(prompts["sequence"].tolist(), size, chains):
        floor = np.array([alike(text, truth, size) for text, truth in zip(said, prompts["following"])])
        beyond = interval_of_mean(mine - floor, draws, seed)
        yield _row(way, group, interval_of_mean(floor, draws, seed), size) | {
            "beyond": beyond.value,
            "beyond_low": beyond.low,
            "beyond_high": beyond.high,
        }


def alike(one: str, other: str, size: int) -> float:
    """Return the share of the first `size` bases of two sequences that are the same, place by place."""
    return float((_letters(one, size) == _letters(other, size)).mean())


def recovery_finding(rows: pd.DataFrame) -> str:
    """Return what was recovered in one way, in a sentence."""
    own = rows[rows["group"] == GENERATED].iloc[0]
    floors = rows[rows["group"] != GENERATED]
    best = floors.loc[floors["recovered"].idxmax()]
    said = "more than" if best["beyond_low"] > 0 else "less than" if best["beyond_high"] < 0 else "not clearly unlike"
    return (
        f"Of the {own['bases']} bases that really follow a prompt {own['recovered']:.0%} [{own['low']:.0%}, {own['high']:.0%}] "
        f"were drawn in their places ({own['n']} prompts), {said} the {best['recovered']:.0%} of {best['group']}."
    )


def recovery_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of `recovery_rows` as a table."""
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(way: str, group: str, found: Interval, size: int) -> dict[str, Any]:
    value, low, high, n = found
    return {"way": way, "group": group, "recovered": value, "low": low, "high": high, "n": n, "bases": int(size)}


def _floors(prompts: Sequence[str], size: int, chains: Chains) -> Iterator[tuple[str, list[str]]]:
    """Yield name and continuations of what needs no network."""
    for order in (0, *ORDERS):
        name = f"Markov-{order}, the likeliest" if order else "the most frequent base"
        yield name, [chains[order].likeliest(size, prompt) for prompt in prompts]


def _letters(text: str, size: int) -> NDArray[np.uint8]:
    return np.frombuffer(text[:size].upper().encode(), np.uint8)

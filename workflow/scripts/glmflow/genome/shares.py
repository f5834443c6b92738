"""The shares of splits that came out where groups stay together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from glmflow.errors import InputError

HALF = 0.5
"""Part of its share that a split has to have."""


class Shares(NamedTuple):
    """What came out.

    Attributes
    ----------
    missing
        Part of its share that the worst split lacks, 0 to 1.
    text
        The shares of all splits, and the largest group.
    """

    missing: float
    text: str


def came_out(
    split: ArrayLike, asked: Mapping[str, float], groups: ArrayLike, what: str, weights: ArrayLike | None = None
) -> Shares:
    """Return the shares that came out beside those that were asked for.

    Parameters
    ----------
    split
        Split of each unit.
    asked
        Share of each split that was asked for (`train`, `validation`, `test`).
    groups
        Group of each unit, whose members stay together.
    what
        What the units are, as it stands in a sentence (`samples`).
    weights
        What each counts (bases); 1 where None.
    """
    split = np.asarray(split, dtype=object)
    counted = np.ones(len(split)) if weights is None else np.asarray(weights, np.float64)
    total = max(1.0, float(counted.sum()))
    here = {name: split == name for name in asked}
    part = {name: float(counted[rows].sum()) / total for name, rows in here.items()}
    shares = ", ".join(
        f"{int(here[name].sum()):,} for {name} ({part[name]:.0%} for {asked[name]:.0%})" for name in asked
    )
    largest = int(np.unique(np.asarray(groups), return_counts=True)[1].max(initial=0))
    worst = min((part[name] / asked[name] for name in asked if asked[name] > 0), default=1.0)
    text = f"groups that stay together leave {shares}; the largest group has {largest:,} of {len(split):,} {what}"
    return Shares(1 - min(1.0, worst), text)


def require_half(outcome: Shares, where: str, fix: str) -> None:
    """Stop where groups swallowed a split: where one has less than half of its share.

    Raises
    ------
    InputError
        With the shares that came out and the largest group.
    """
    if outcome.missing > HALF:
        raise InputError(outcome.text, where=where, fix=fix)

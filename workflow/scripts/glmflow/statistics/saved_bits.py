"""Bits of DNA that are saved by its text: what the same bases cost behind texts, what is saved beside none and beyond controls.

What is saved is a difference of the same bases, so that it is paired; intervals are over clusters of alike features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .bootstrap import interval_of_mean, interval_of_sums

NATS = np.log(2)
BITS, SAVED, BEYOND = "bits per base", "saved", "saved beyond"
COLUMNS = ["what", "text", "value", "low", "high", "n"]

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Of pooled sums ``[..., texts + 1]``: nats behind each text, and bases last."""


def quantities(texts: Sequence[str]) -> Iterator[tuple[str, str, Statistic]]:
    """Yield what is told of nats behind texts, of which the first is none and the second the own one.

    Of each text bits per base; of each but none what it saves beside none; of each control what the own text saves beyond it.
    """
    for place, name in enumerate(texts):
        yield BITS, name, lambda sums, at=place: sums[..., at] / sums[..., -1] / NATS
        if place > 0:
            yield SAVED, name, lambda sums, at=place: (sums[..., 0] - sums[..., at]) / sums[..., -1] / NATS
        if place > 1:
            yield BEYOND, name, lambda sums, at=place: (sums[..., at] - sums[..., 1]) / sums[..., -1] / NATS


def saved_bits(
    texts: Sequence[str], nats: ArrayLike, bases: ArrayLike, clusters: ArrayLike, draws: int = 1000, seed: int = 1
) -> pd.DataFrame:
    """Return bits per base without text and with each, what each saves, and what the own text saves beyond each, with intervals.

    A model that was rarely shown sequences without text predicts them worse for that reason too: what the own text saves beyond
    that of another feature is free of it.

    Parameters
    ----------
    texts
        Names: none, the own one, then controls.
    nats, bases, clusters
        ``[n, texts]``, ``[n]`` and ``[n]``: of each feature.

    Returns
    -------
    DataFrame
        `what` (``bits per base``, ``saved`` or ``saved beyond``, both paired), `text`, `value`, `low`, `high` (95 %, bootstrap
        over clusters), `n` (clusters).
    """
    unit = np.unique(np.asarray(clusters), return_inverse=True)[1]
    sums = np.zeros((unit.max() + 1, len(texts) + 1))
    np.add.at(sums, unit, np.column_stack([nats, bases]).astype(float))
    rows = [(what, name, *interval_of_sums(sums, value, draws, seed)) for what, name, value in quantities(texts)]
    return pd.DataFrame(rows, columns=COLUMNS)


def rank_of_first(nats: ArrayLike) -> tuple[float, float]:
    """Return the rank of the first of some costs, from 1 (the cheapest), and the chance that it is the cheapest.

    Ties share their ranks, and are as if broken by lot.
    """
    nats = np.asarray(nats, float)
    less, equal = int((nats[1:] < nats[0]).sum()), int((nats[1:] == nats[0]).sum())
    return 1 + less + 0.5 * equal, 0.0 if less else 1 / (1 + equal)


def retrieval(ranks: ArrayLike, first: ArrayLike, candidates: int, draws: int = 1000) -> pd.DataFrame:
    """Return the mean rank of the true text, and how often it is the first, with intervals and what chance would be."""
    rows = [
        ("mean rank of the true text", f"of {candidates}; chance {(candidates + 1) / 2:g}", ranks),
        ("true text first", f"of {candidates}; chance {1 / candidates:.3g}", first),
    ]
    table = [(what, text, *interval_of_mean(np.asarray(values, float), draws)) for what, text, values in rows]
    return pd.DataFrame(table, columns=COLUMNS)

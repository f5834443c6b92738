"""Rows of two classes that belong together in pairs, such as an element and its own shuffled control."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.tasks.held_out import groups_of

NAME = "paired_accuracy"


def all_matched(rows: pd.DataFrame, truth: NDArray[np.int64], classes: int) -> bool:
    """Return whether the groups of a split are pairs, each of one row of the first and one of the second of two classes."""
    if classes != 2 or "group" not in rows or not len(rows):
        return False
    by = pd.Series(truth).groupby(groups_of(rows))
    return bool((by.size() == 2).all() and (by.sum() == 1).all())


def matched_rows(rows: pd.DataFrame, truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the pairs that are whole, `[pairs, 2]`: the row of the first class, that of the second."""
    places = pd.DataFrame({"group": groups_of(rows), "class": truth, "place": np.arange(len(rows))})
    wide = places.pivot(index="group", columns="class", values="place").reindex(columns=[0, 1]).dropna()
    return wide.to_numpy(np.int64)


def paired_scores(pairs: NDArray[np.int64]) -> Callable[[NDArray, NDArray, NDArray], Mapping[str, NDArray]]:
    """Return a function that scores pairs of rows: `(truth, probabilities, weights [draws, rows]) -> {name: [draws]}`.

    Both rows of a pair have one weight. See `glmflow.metrics.paired_accuracy`.
    """

    def of(truth: NDArray, scores: NDArray, weights: NDArray) -> dict[str, NDArray]:
        first, second = log_odds(scores)[pairs].T
        own = weights[:, pairs[:, 1]]
        with np.errstate(invalid="ignore", divide="ignore"):
            return {NAME: own @ (second > first) / own.sum(axis=1)}

    return of


def log_odds(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log odds of the second of two classes, `[rows]`, which tell apart what is near 1 and what is nearer."""
    with np.errstate(divide="ignore"):
        return np.log(scores[:, 1]) - np.log(scores[:, 0])

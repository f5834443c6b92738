"""Curves behind the scores of classes, with intervals: ROC, precision and recall, reliability; on grids, as pages are small."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.statistics.group_draws import weight_blocks

GRID = np.linspace(0, 1, 21)
"""False-positive rates, and recalls, at which curves are read."""
BINS = 10
"""Equal-width bins of the predicted probability (reliability)."""
MOST_CLASSES = 10
"""Classes that are drawn of more than two, the most frequent first."""


DRAWS = 200
"""Bootstrap draws of groups behind the interval of a curve, at most."""


def curves_table(
    tables: Sequence[tuple[str, NDArray, NDArray, NDArray]], classes: Sequence[str], draws: int = DRAWS
) -> pd.DataFrame:
    """Return `split`, `class`, `curve`, `x`, `y`, `low`, `high`, `n`: curves of each class against the others (of two the second).

    `curve` is `roc` (x: false-positive rate, y: recall), `precision-recall` (x: recall, y: precision) or `reliability`
    (x: mean predicted probability, y: share that is of the class, n: examples of the bin). `low` and `high` are the 95 %
    interval of y over draws of groups, point by point.

    Parameters
    ----------
    tables
        Split, class index `[n]`, probabilities `[n, classes]` and groups `[n]`.
    draws
        Bootstrap draws; at most `DRAWS` are made.
    """
    rows = []
    for split, truth, scores, groups in tables:
        frequent = np.argsort(-np.bincount(truth, minlength=len(classes)), kind="stable")[:MOST_CLASSES]
        for place in [1] if len(classes) == 2 else sorted(frequent):
            own = truth == place
            if own.all() or not own.any():
                continue
            curves = curves_of(own, scores[:, place], np.ones((1, len(own))))
            blocks = [curves_of(own, scores[:, place], some) for some in weight_blocks(groups, min(draws, DRAWS))]
            for name, curve in curves.items():
                drawn = np.concatenate([block[name].y for block in blocks])
                with warnings.catch_warnings():  # a point that no draw has
                    warnings.simplefilter("ignore", RuntimeWarning)
                    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
                for x, y, under, over, n in zip(curve.x, curve.y[0], low, high, curve.n):
                    if np.isfinite(y):
                        rows.append((split, classes[place], name, *np.round([x, y, under, over], 4).tolist(), int(n)))
    return pd.DataFrame(rows, columns=["split", "class", "curve", "x", "y", "low", "high", "n"])


class Curve(NamedTuple):
    """A curve read at some points.

    Attributes
    ----------
    x
        `[points]`.
    y
        `[draws, points]`; NaN where a draw has nothing there.
    n
        Examples behind each point, `[points]`.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    n: NDArray[np.int64]


def curves_of(own: NDArray[np.bool_], scores: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, Curve]:
    """Return the curves of one class, for many weightings of the rows at once.

    Parameters
    ----------
    own
        Whether each row is of the class, `[n]`.
    scores
        Its probability, `[n]`.
    weights
        How often each row counts, `[draws, n]`.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # equal scores are one threshold
    hits = np.cumsum(weights[:, order] * own[order], axis=1)[:, last]
    taken = np.cumsum(weights[:, order], axis=1)[:, last]
    count = np.full(len(GRID), len(own))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, false = hits / hits[:, -1:], (taken - hits) / (taken - hits)[:, -1:]
        precision = hits / taken
    rates, precisions = np.full((len(weights), len(GRID)), np.nan), np.full((len(weights), len(GRID) - 1), np.nan)
    for draw in np.flatnonzero(np.isfinite(recall[:, -1]) & np.isfinite(false[:, -1])):
        rates[draw] = np.interp(GRID, np.append(0.0, false[draw]), np.append(0.0, recall[draw]))
        precisions[draw] = precision[draw, np.searchsorted(recall[draw], GRID[1:] - 1e-12)]
    place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    inside = (place[:, None] == np.arange(BINS)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        observed = (weights * own) @ inside / (weights @ inside)
        said = scores @ inside / inside.sum(axis=0)
    return {
        "roc": Curve(GRID, rates, count),
        "precision-recall": Curve(GRID[1:], precisions, count[1:]),
        "reliability": Curve(said, observed, inside.sum(axis=0).astype(np.int64)),
    }

"""Curves behind the scores of classes: ROC, precision and recall, reliability; on grids, so that a page stays small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

GRID = np.linspace(0, 1, 21)
"""False-positive rates, and recalls, at which curves are read."""
BINS = 10
"""Equal-width bins of the predicted probability (reliability)."""
MOST_CLASSES = 10
"""Classes that are drawn of more than two, the most frequent first."""


def curves_table(tables: Sequence[tuple[str, NDArray, NDArray]], classes: Sequence[str]) -> pd.DataFrame:
    """Return `split`, `class`, `curve`, `x`, `y`, `n`: curves of each class against the others (of two classes the second).

    `curve` is `roc` (x: false-positive rate, y: recall), `precision-recall` (x: recall, y: precision) or `reliability`
    (x: mean predicted probability, y: share that is of the class, n: examples of the bin).

    Parameters
    ----------
    tables
        Split, class index `[n]` and probabilities `[n, classes]`.
    """
    rows = []
    for split, truth, scores in tables:
        frequent = np.argsort(-np.bincount(truth, minlength=len(classes)), kind="stable")[:MOST_CLASSES]
        for place in [1] if len(classes) == 2 else sorted(frequent):
            own = truth == place
            if own.all() or not own.any():
                continue
            for curve, x, y, n in points(own, scores[:, place]):
                rows.append((split, classes[place], curve, round(x, 4), round(y, 4), n))
    return pd.DataFrame(rows, columns=["split", "class", "curve", "x", "y", "n"])


def points(own: NDArray[np.bool_], scores: NDArray[np.float64]) -> Iterator[tuple[str, float, float, int]]:
    """Yield the points of the curves of one class: curve, x, y, n."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # equal scores are one threshold
    hits = np.cumsum(own[order])[last]
    taken = last + 1
    recall = np.concatenate([[0.0], hits / own.sum()])
    false = np.concatenate([[0.0], (taken - hits) / (~own).sum()])
    for x, y in zip(GRID, np.interp(GRID, false, recall)):
        yield "roc", float(x), float(y), len(own)
    precision = hits / taken
    for x in GRID[1:]:
        at = int(np.searchsorted(recall[1:], x - 1e-12))
        yield "precision-recall", float(x), float(precision[at]), len(own)
    place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    for number in range(BINS):
        inside = place == number
        if inside.any():
            yield "reliability", float(scores[inside].mean()), float(own[inside].mean()), int(inside.sum())

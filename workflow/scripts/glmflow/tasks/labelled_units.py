"""What runs on labelled sequences are compared by: groups of near copies are the units, left out one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.metrics import bounds
from glmflow.statistics.influence import numbered, several_of_weights
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.held_out import groups_of

COMPARED = ("mcc", "auroc", "accuracy", "pearson")
"""Metrics that runs are compared by, the first that a task has before the others."""
CHANCE: Mapping[str, float] = {"mcc": 0.0, "auroc": 0.5, "pearson": 0.0}
"""Scores of a model that knows nothing."""


def comparable_scores(
    part: pd.DataFrame,
    truth: NDArray,
    scores: NDArray[np.float64],
    of: Callable[[NDArray, NDArray, NDArray], Mapping[str, NDArray]],
) -> dict[str, Stored]:
    """Return the scores of one part by metric, with what a comparison needs.

    Parameters
    ----------
    part
        `example`, and where known `group`.
    truth, scores
        What was observed and predicted, `[rows, ...]`.
    of
        Metrics of weighted rows: `(truth, scores, weights [draws, rows]) -> {name: [draws]}`.
    """
    groups = groups_of(part)
    units = digest(part["example"], groups, np.round(truth, 6).ravel())
    plays = not _constant(scores)
    found = several_of_weights(
        lambda weights: {name: value for name, value in of(truth, scores, weights).items() if name in COMPARED},
        len(part),
        groups,
    )
    return {
        name: Stored(
            found[name]._replace(plays=plays),
            units,
            chance=float(np.bincount(numbered(truth)).max() / len(truth)) if name == "accuracy" else CHANCE[name],
            bounds=bounds(name),
        )
        for name in COMPARED
        if name in found and np.isfinite(found[name].value)
    }


def _constant(scores: NDArray[np.float64]) -> bool:
    """Return whether the same is predicted for every sequence."""
    return len(scores) == 0 or bool((np.abs(scores - scores[0]) < 1e-12).all())

"""Squared error of predicted probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "brier"
LABEL = "Brier score"
DIRECTION = "lower"
BOUNDS = (0, 2)
EXPLANATION = (
    "Mean over examples (n) of the squared error of the predicted probability of the second class; with more than two classes, of "
    "the squared errors of all classes together. 0 is best."
)
TARGETS = ("class_label", "label_set")


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the Brier score as `sklearn.metrics.brier_score_loss` (1.7 and later) defines it.

    With two classes the mean of `(p - y)²` of the second class, from 0 to 1; with more the mean of the sum over classes, from 0
    to 2.
    """
    error = (scores - np.eye(scores.shape[1])[truth]) ** 2
    return float(error[:, 1].mean() if scores.shape[1] == 2 else error.sum(axis=1).mean())

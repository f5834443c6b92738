"""Expected calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "ece"
LABEL = "ECE"
DIRECTION = "lower"
BOUNDS = (0, 1)
EXPLANATION = (
    "Expected calibration error: examples (n) are put into 15 equal bins by the probability of their most probable class; in each "
    "bin the mean probability is compared with the share that is right, and the differences are averaged by the bins' "
    "sizes. 0 is best: a probability of 0.8 is right in 80 % of the cases."
)
TARGETS = ("class_label",)
BINS = 15
"""Number of bins of equal width, as in Guo et al. 2017 (On calibration of modern neural networks)."""


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the error, from 0 to 1: mean over bins of |accuracy - confidence|, weighted by examples (Guo et al. 2017)."""
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)  # bins are open at the left
    gap = np.bincount(place, weights=right - confidence, minlength=BINS)
    return float(np.abs(gap).sum() / len(truth))

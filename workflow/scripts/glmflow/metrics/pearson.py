"""Pearson correlation of measured and predicted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "pearson"
LABEL = "Pearson's r"
DIRECTION = "higher"
BOUNDS = (-1, 1)
EXPLANATION = (
    "Pearson correlation of measured and predicted values (n sequences); with several values the mean over them. 1 is "
    "best, and what a constant prediction gives is 0."
)
TARGETS = ("measured_values",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the correlation; 0 of a constant (`scipy.stats.pearsonr`)."""
    from scipy.stats import pearsonr

    return float(pearsonr(truth, scores).statistic) if np.ptp(truth) > 0 and np.ptp(scores) > 0 else 0.0

"""Rank correlation of measured and predicted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "spearman"
LABEL = "Spearman's rho"
DIRECTION = "higher"
BOUNDS = (-1, 1)
EXPLANATION = (
    "Spearman's rank correlation of measured and predicted values (n sequences); with several values the mean over them. "
    "1 is best, and what a constant prediction gives is 0."
)
TARGETS = ("measured_values",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the correlation; 0 of a constant (`scipy.stats.spearmanr`)."""
    from scipy.stats import spearmanr

    return float(spearmanr(truth, scores).statistic) if np.ptp(truth) > 0 and np.ptp(scores) > 0 else 0.0

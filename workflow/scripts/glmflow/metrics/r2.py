"""Share of the variance of measured values that predictions explain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "r2"
LABEL = "R²"
DIRECTION = "higher"
BOUNDS = (None, 1)
EXPLANATION = (
    "Share of the variance of the measured values (n sequences) that is explained: 1 less the squared error over the "
    "squared deviation from their mean. 1 is best, 0 is their mean, and below 0 is worse than it."
)
TARGETS = ("measured_values",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the share, at most 1; 0 where all measured values are one (`sklearn.metrics.r2_score`)."""
    from sklearn.metrics import r2_score

    return float(r2_score(truth, scores)) if np.ptp(truth) > 0 else 0.0

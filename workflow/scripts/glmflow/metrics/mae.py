"""Mean absolute error of predicted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "mae"
LABEL = "MAE"
DIRECTION = "lower"
BOUNDS = (0, None)
EXPLANATION = "Mean absolute error of the predicted values (n sequences), in units of the values. 0 is best."
TARGETS = ("measured_values",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the mean absolute error."""
    return float(np.mean(np.abs(truth - scores)))

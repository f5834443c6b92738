"""Mean squared error of predicted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "mse"
LABEL = "MSE"
DIRECTION = "lower"
BOUNDS = (0, None)
EXPLANATION = "Mean squared error of the predicted values (n sequences), in squared units of the values. 0 is best."
TARGETS = ("measured_values",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the mean squared error."""
    return float(np.mean((truth - scores) ** 2))

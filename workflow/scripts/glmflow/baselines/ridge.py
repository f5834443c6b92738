"""Ridge regression from sums over rows, so that no table of all rows is ever held."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Ridge:
    """Linear least squares with an L2 penalty, fitted batch by batch.

    Minimises `sum (y - x w - b)^2 + alpha n |w|^2` over all rows added; the intercept is not penalised. The penalty
    grows with the number of rows `n`, so that one `alpha` serves data of any size.
    """

    def __init__(self, features: int, targets: int, alpha: float):
        self.alpha = alpha
        self.rows = 0
        self.x, self.y = np.zeros(features), np.zeros(targets)
        self.xx, self.xy = np.zeros((features, features)), np.zeros((features, targets))

    def add(self, x: NDArray, y: NDArray) -> None:
        """Add rows: features `[n, F]`, targets `[n, T]`."""
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        self.rows += len(x)
        self.x += x.sum(axis=0)
        self.y += y.sum(axis=0)
        self.xx += x.T @ x
        self.xy += x.T @ y

    def solve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights `[F, T]` and intercepts `[T]`."""
        mean_x, mean_y = self.x / self.rows, self.y / self.rows
        covariance = self.xx / self.rows - np.outer(mean_x, mean_x)
        covariance[np.diag_indices_from(covariance)] += self.alpha
        weights = np.linalg.solve(covariance, self.xy / self.rows - np.outer(mean_x, mean_y))
        return weights, mean_y - mean_x @ weights

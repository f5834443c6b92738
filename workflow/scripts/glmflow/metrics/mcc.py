"""Matthews correlation coefficient of true and predicted classes."""

from __future__ import annotations

import warnings

from numpy.typing import NDArray

NAME = "mcc"
LABEL = "MCC"
DIRECTION = "higher"
BOUNDS = (-1, 1)
EXPLANATION = (
    "Matthews correlation coefficient of true and predicted classes (n examples). 1 is best; 0 is chance, and what a single "
    "predicted class gives; −1 is wrong throughout."
)
TARGETS = ("class_label",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the coefficient, from -1 to 1; 0 if one class only is true or predicted (`sklearn.metrics.matthews_corrcoef`)."""
    from sklearn.metrics import matthews_corrcoef

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of a single class, for which it returns 0
        return float(matthews_corrcoef(truth, scores.argmax(axis=1)))

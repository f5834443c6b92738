"""F1 of the second of two classes."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "f1"
LABEL = "F1"
DIRECTION = "higher"
BOUNDS = (0, 1)
EXPLANATION = (
    "Harmonic mean of precision and recall of the second of two classes, or of a label (n examples). 1 is best; what calls "
    "everything positive reaches 2 s / (1 + s) at a share s of positives."
)
TARGETS = ("class_label", "label_set")
CLASSES = 2
"""Classes that it is of; of another number of them it is left out."""


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the F1 of class 1 (`sklearn.metrics.f1_score`); 0 where it is neither true nor predicted, NaN of other numbers."""
    from sklearn.metrics import f1_score

    if scores.shape[1] != CLASSES:
        return float("nan")
    return float(f1_score(truth, scores.argmax(axis=1), zero_division=0))

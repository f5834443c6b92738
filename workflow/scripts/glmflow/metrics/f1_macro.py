"""F1 of each class, averaged over classes."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "f1_macro"
LABEL = "F1, macro"
DIRECTION = "higher"
BOUNDS = (0, 1)
EXPLANATION = (
    "Harmonic mean of precision and recall, computed for each class that is true or predicted and averaged over classes "
    "(n examples). 1 is best."
)
TARGETS = ("class_label",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the mean F1 of the classes that are true or predicted (`sklearn.metrics.f1_score`, average `macro`)."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, scores.argmax(axis=1), average="macro", zero_division=0))

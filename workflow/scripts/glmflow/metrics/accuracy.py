"""Share of examples whose most probable class is the true one."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "accuracy"
LABEL = "accuracy"
DIRECTION = "higher"
BOUNDS = (0, 1)
EXPLANATION = (
    "Share of examples (n) whose most probable class is the true one. 1 is best; compare with the share of the "
    "largest class, which the majority baseline reaches."
)
TARGETS = ("class_label",)
SIGNED = False  # chance is the most frequent answer: a weak model is below it with no label swapped; MCC tells of those


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the accuracy, from 0 to 1 (`sklearn.metrics.accuracy_score`)."""
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(truth, scores.argmax(axis=1)))

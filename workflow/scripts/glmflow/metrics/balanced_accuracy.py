"""Mean over classes of the share of their examples that are found."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "balanced_accuracy"
LABEL = "balanced accuracy"
DIRECTION = "higher"
BOUNDS = (0, 1)
EXPLANATION = (
    "Share of examples that are found, computed for each class and averaged over classes (n examples): a rare class counts as "
    "much as a common one. 1 is best; 1 / number of classes is chance."
)
TARGETS = ("class_label", "label_set")


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the mean recall of the classes that occur in `truth` (`sklearn.metrics.balanced_accuracy_score`)."""
    from sklearn.metrics import recall_score

    return float(
        recall_score(truth, scores.argmax(axis=1), labels=sorted(set(truth)), average="macro", zero_division=0)
    )

"""Area under the precision-recall curve."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "auprc"
LABEL = "AUPRC"
DIRECTION = "higher"
BOUNDS = (0, 1)
EXPLANATION = (
    "Area under the precision-recall curve as average precision (n examples). With more than two classes, the mean over classes, "
    "each against all others. 1 is best; chance is about the share of the class."
)
TARGETS = ("class_label", "label_set")


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the average precision, from 0 to 1 (`sklearn.metrics.average_precision_score`).

    With two classes, that of the second (NaN if it does not occur in `truth`). With more, the mean over the classes that occur,
    each against all others.
    """
    from sklearn.metrics import average_precision_score

    classes = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    areas = [average_precision_score(truth == one, scores[:, one]) for one in classes if (truth == one).any()]
    return float(sum(areas) / len(areas)) if areas else float("nan")

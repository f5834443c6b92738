"""Area under the receiver operating characteristic curve."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "auroc"
LABEL = "AUROC"
DIRECTION = "higher"
BOUNDS = (0, 1)
EXPLANATION = (
    "Area under the ROC curve (n examples): the probability that an example of a class gets a higher score for it than an "
    "example of another class. With more than two classes, the mean over classes, each against all others. 1 is best, 0.5 is "
    "chance."
)
TARGETS = ("class_label", "label_set")


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the area, from 0 to 1 (`sklearn.metrics.roc_auc_score`); NaN if only one class occurs in `truth`.

    With two classes, that of the second. With more, the mean over the classes that occur, each against all others.
    """
    from sklearn.metrics import roc_auc_score

    classes = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    areas = [roc_auc_score(truth == one, scores[:, one]) for one in classes if 0 < (truth == one).sum() < len(truth)]
    return float(sum(areas) / len(areas)) if areas else float("nan")

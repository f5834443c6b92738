"""Cross-entropy of predicted probabilities."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "cross_entropy"
LABEL = "cross-entropy"
DIRECTION = "lower"
BOUNDS = (0, None)
EXPLANATION = (
    "Mean over examples (n) of −log of the probability that was given to the true class, in nats. 0 is best; log of the number of "
    "classes is what equal probabilities give."
)
TARGETS = ("class_label",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the cross-entropy in nats an example (`sklearn.metrics.log_loss`, which keeps probabilities off 0)."""
    from sklearn.metrics import log_loss

    return float(log_loss(truth, scores, labels=range(scores.shape[1])))

"""Losses on the class or the labels of a sequence: `prediction` are logits `[S, outputs]`.

`target` are the numbers of the classes `[S]`; of several labels 0 or 1, `[S, labels]`.
"""

from __future__ import annotations

from functools import partial

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy


def of_labels(prediction, target, weight):
    """Return the mean cross-entropy of labels; sequences that have one count `weight` times."""
    return binary_cross_entropy_with_logits(prediction, target, pos_weight=prediction.new_tensor(weight))


def of_classes(fitted, smoothing, balanced=False, positive_weight=1.0):
    """Return the cross-entropy of logits `[n, classes]` against classes `[n]`.

    With `balanced` a class has the weight of the mean count over its own in training (`fitted["counts"]`). All classes but
    the first count `positive_weight` times: of two classes, what `of_labels` is of the difference of their logits.
    """
    if positive_weight != 1:

        def weighted(prediction, target):
            each = cross_entropy(prediction, target, reduction="none", label_smoothing=smoothing)
            return (torch.where(target > 0, positive_weight, 1.0).to(each) * each).mean()

        return weighted
    if not balanced:
        return partial(cross_entropy, label_smoothing=smoothing)
    counts = torch.tensor(fitted["counts"], dtype=torch.float32).clamp_min(1)
    weights = counts.mean() / counts

    def loss(prediction, target):
        return cross_entropy(prediction, target, weights.to(prediction), label_smoothing=smoothing)

    return loss


LOSSES = {
    "cross_entropy": of_classes,
    "binary_cross_entropy": lambda fitted, positive_weight: partial(of_labels, weight=positive_weight),
}

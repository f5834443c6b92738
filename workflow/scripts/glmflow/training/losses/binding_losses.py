"""Losses on the binding of keys: `prediction` and `target` are logits and labels, `[S, keys]`; NaN labels are not learned."""

from __future__ import annotations

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

LEAST = -1e9
"""Logit of a key that has no part in a contrast; finite, so that a region without any known label has a gradient of 0."""


def cross_entropy(prediction, target):
    """Return the mean cross-entropy of the labels that are known."""
    known = ~target.isnan()
    if bool(known.all()):
        return binary_cross_entropy_with_logits(prediction, target)
    return binary_cross_entropy_with_logits(prediction[known], target[known])


def contrast(prediction, target, temperature):
    """Return the mean negative log share of each bound key among the keys of its region; 0 where nothing is bound."""
    known = ~target.isnan()
    share = (prediction / temperature).masked_fill(~known, LEAST).log_softmax(dim=1)
    bound = torch.where(known, target, 0) > 0
    return -share[bound].sum() / bound.sum().clamp(min=1)


def with_contrast(prediction, target, weight, temperature):
    """Return the cross-entropy with the contrast added."""
    return cross_entropy(prediction, target) + weight * contrast(prediction, target, temperature)


LOSSES = {
    "key_cross_entropy": lambda fitted: cross_entropy,
    "key_contrast": lambda fitted, weight, temperature: (
        lambda prediction, target: with_contrast(prediction, target, weight, temperature)
    ),
}

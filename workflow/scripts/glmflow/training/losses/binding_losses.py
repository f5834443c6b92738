"""Losses on the binding of keys: `prediction` and `target` are logits and labels, `[S, keys]`."""

from __future__ import annotations

from torch.nn.functional import binary_cross_entropy_with_logits


def contrast(prediction, target, temperature):
    """Return the mean negative log share of each bound key among the keys of its region; 0 where nothing is bound."""
    share = (prediction / temperature).log_softmax(dim=1)
    return -(share * target).sum() / target.sum().clamp(min=1)


def with_contrast(prediction, target, weight, temperature):
    """Return the cross-entropy with the contrast added."""
    return binary_cross_entropy_with_logits(prediction, target) + weight * contrast(prediction, target, temperature)


LOSSES = {
    "key_cross_entropy": lambda fitted: binary_cross_entropy_with_logits,
    "key_contrast": lambda fitted, weight, temperature: (
        lambda prediction, target: with_contrast(prediction, target, weight, temperature)
    ),
}

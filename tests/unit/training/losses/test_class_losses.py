"""Weights of classes in their losses."""

import torch
from glmflow.training.losses import new_loss
from torch.nn.functional import binary_cross_entropy_with_logits


def test_two_classes_weighted_are_a_label_with_a_positive_weight():
    """Oracle: torch's binary cross-entropy of the difference of the logits, which is what BEND trains with."""
    logits = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    classes = torch.arange(40) % 2
    loss = new_loss({"kind": "cross_entropy", "smoothing": 0.0, "balanced": False, "positive_weight": 82.9}, {})
    wanted = binary_cross_entropy_with_logits(
        logits[:, 1] - logits[:, 0], classes.float(), pos_weight=torch.tensor(82.9)
    )
    torch.testing.assert_close(loss(logits, classes), wanted)

"""What the validation split says of a model while it is trained, by what is predicted: one of these chooses."""

from __future__ import annotations

LOSS = "loss"
REPORTED: dict[str, tuple[str, ...]] = {
    "class_label": ("accuracy", "mcc", "auroc"),
    "label_set": ("auroc",),
    "measured_values": ("pearson",),
    "base_class": ("accuracy", "mcc"),
}
"""Metrics beside the loss that a target reports on the validation split; of all of them more is better."""


def better(name: str, value: float, than: float | None) -> bool:
    """Whether a value of a validation metric is better than another (None: than nothing); NaN is better than none."""
    if value != value:
        return False
    return than is None or (value < than if name == LOSS else value > than)


def worst(name: str) -> float:
    """Return a value that no other is worse than."""
    return float("inf") if name == LOSS else float("-inf")

"""Ways of training that several kinds of task propose alike."""

from __future__ import annotations

from typing import Any

from glmflow.config.published import published

SHOWN = 3
"""Published models that are proposed at most."""


def low_rank(**train: Any) -> dict[str, Any]:
    """Return the settings of LoRA on a GPU."""
    gpu = {"micro_batch": 1, "bf16": True, "gradient_checkpointing": True}
    return {
        "kind": "lora",
        "rank": 16,
        "alpha": 32,
        "train": {"optimizer": "adamw", "learning_rate": 5.0e-4, "warmup": 0.1, **train, **gpu},
    }


def listed(*names: str) -> dict[str, dict[str, str]]:
    """Return models by label for those names that `config/models.yaml` has."""
    known = published()
    return {name.replace(".", "_"): {"checkpoint": name} for name in names if name in known}


def baselines(*kinds: str, **settings: Any) -> dict[str, dict[str, Any]]:
    """Return baselines by label, those with settings as `label={...}`."""
    return {kind: {"baseline": {"kind": kind}} for kind in kinds} | {
        label: {"baseline": block} for label, block in settings.items()
    }


def small_network(batch: int, **train: Any) -> dict[str, Any]:
    """Return how a small network is trained from random weights."""
    of_batch = {"steps": 600, "batch": batch, "micro_batch": batch, "evaluations": 6, "keep": "best"}
    return {
        "kind": "full",
        "train": {"optimizer": "adamw", "learning_rate": 3.0e-3, "warmup": 0.1, **of_batch, **train},
    }

"""What a run cost, in time and memory. Imports nothing that trains: jobs that only ask a model are not to wait for that."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from glmflow.files import atomic_path
from glmflow.models import lora

from .described import describe_model


class Fitted(NamedTuple):
    """What a training run cost, and what is to be told about it."""

    updates: int
    seconds: float
    peak_memory_mb: float
    resumed_from: int
    warnings: tuple[str, ...] = ()


def peak_memory_mb() -> float:
    """Return the peak memory in MB: of the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_cost(
    path: Path,
    model: torch.nn.Module,
    fitted: Fitted,
    warnings: list[str],
    described: Any | None = None,
    chance: float | None = None,
) -> None:
    """Write what the run cost, for the leaderboard; `chance` is what a language model loses that has learned nothing."""
    parameters = list(model.parameters())
    cost = {
        "parameters": sum(p.numel() for p in parameters),
        "trainable_parameters": sum(p.numel() for p in parameters if p.requires_grad),
        "updates": fitted.updates,
        "train_seconds": round(fitted.seconds, 1),
        "peak_memory_mb": round(fitted.peak_memory_mb, 1),
        "resumed_from": fitted.resumed_from,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
        "threads": torch.get_num_threads(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "warnings": warnings,
        "model": described,
    }
    if chance is not None:
        cost["chance_loss"] = chance
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(cost, indent=2) + "\n")


def conclude(
    folder: Path,
    model: torch.nn.Module,
    fitted: Fitted,
    warnings: Sequence[str],
    window_bp: int,
    coverage: lora.Coverage | None,
) -> None:
    """Write what a run's model is and what it cost (`cost.json`), then fold LoRA's matrices into the weights."""
    described = describe_model(model.adapter, window_bp, coverage)
    write_cost(folder / "cost.json", model, fitted, [*warnings, *fitted.warnings], described)
    if coverage is not None:
        lora.merge(model.adapter)

"""What a run cost, in time and memory. Imports nothing that trains: jobs that only ask a model are not to wait for that."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from glmflow.files import atomic_path
from glmflow.models.adapted_layers import Coverage, merge

from .described import describe_model


class Fitted(NamedTuple):
    """What a training run cost, over all its attempts, and what is to be said about it."""

    updates: int
    seconds: float
    peak_memory_mb: float
    resumed_from: int
    warnings: tuple[str, ...] = ()
    attempts: int = 1
    kept_update: int | None = None


class TimeSpent:
    """Counts the seconds of a run over all its attempts, in `time_spent.json` beside its checkpoints.

    What an attempt did after its last checkpoint, and lost, counts as well: it was spent. A run that is killed without
    warning loses the time since the file was written last.

    Parameters
    ----------
    from_the_start
        Whether no checkpoint is there: a run that had ended well is then another one.

    Attributes
    ----------
    seconds
        Of this attempt and of all before it.
    attempts
        Their number.
    """

    BETWEEN = 10.0
    """Seconds between two records while a run goes on."""

    def __init__(self, folder: Path, from_the_start: bool = False, clock: Callable[[], float] = time.monotonic):
        self.path, self._clock = folder / "time_spent.json", clock
        self._before, self.attempts = 0.0, 1
        try:
            before = json.loads(self.path.read_text())
            if not (before["done"] and from_the_start):
                self._before, self.attempts = float(before["seconds"]), int(before["attempts"]) + 1
        except (OSError, ValueError, KeyError, TypeError):
            pass  # the first attempt
        self._started = self._written = clock()

    @property
    def seconds(self) -> float:
        """Seconds of all attempts so far."""
        return self._before + self._clock() - self._started

    def write(self, done: bool = False) -> None:
        """Record the time so far, and whether the run has come to its end."""
        self._written = self._clock()
        content = {"seconds": round(self.seconds, 3), "attempts": self.attempts, "done": done}
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(content) + "\n")

    def write_now_and_then(self) -> None:
        """Record it, where the last record is some seconds old or there is none of this attempt."""
        if self._written == self._started or self._clock() - self._written >= self.BETWEEN:
            self.write()


def write_cost(
    path: Path,
    model: torch.nn.Module,
    fitted: Fitted,
    warnings: list[str],
    described: Any | None = None,
    chance: float | None = None,
    vocabulary: Mapping[str, Any] | None = None,
) -> None:
    """Write what the run cost, for the leaderboard.

    Parameters
    ----------
    chance
        What a language model loses that has learned nothing.
    vocabulary
        What is known of a vocabulary that was learned with the model.
    """
    parameters = list(model.parameters())
    cost = {
        "parameters": sum(p.numel() for p in parameters),
        "trainable_parameters": sum(p.numel() for p in parameters if p.requires_grad),
        "updates": fitted.updates,
        "kept_update": fitted.updates if fitted.kept_update is None else fitted.kept_update,
        "train_seconds": round(fitted.seconds, 1),
        "attempts": fitted.attempts,
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
    if vocabulary is not None:
        cost["vocabulary"] = dict(vocabulary)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(cost, indent=2) + "\n")


def conclude(
    folder: Path,
    model: torch.nn.Module,
    fitted: Fitted,
    warnings: Sequence[str],
    window_bp: int,
    coverage: Coverage | None,
) -> None:
    """Write what a run's model is and what it cost (`cost.json`), then fold adapted layers into the weights."""
    described = describe_model(model.adapter, window_bp, coverage)
    write_cost(folder / "cost.json", model, fitted, [*warnings, *fitted.warnings], described)
    if coverage is not None:
        merge(model.adapter)

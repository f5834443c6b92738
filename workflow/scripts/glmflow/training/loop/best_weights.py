"""The weights of the evaluation that is best on validation, beside the checkpoints of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from glmflow.config.validation_metrics import LOSS, better
from glmflow.files import atomic_path

NAME = "best.safetensors"


class Best(NamedTuple):
    """The best value of a run's validation metric so far (its loss, unless another is named), and after which update."""

    value: float
    update: int
    metric: str = LOSS


def best_so_far(folder: Path) -> Best | None:
    """Return the best evaluation of a run, by the folder of its checkpoints; None before the first evaluation."""
    try:
        with safe_open(folder / NAME, "pt") as file:
            found = file.metadata()
        return Best(float(found["loss"]), int(found["update"]), found.get("metric", LOSS))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def keep_if_best(folder: Path, best: Best, state: Mapping[str, Tensor]) -> None:
    """Write the weights of an evaluation if it is the best of the run; of equal ones the first is kept."""
    known = best_so_far(folder)
    if math.isfinite(best.value) and better(best.metric, best.value, known and known.value):
        with atomic_path(folder / NAME) as temporary:
            content = {"loss": repr(best.value), "update": str(best.update), "metric": best.metric}
            save_file(dict(state), temporary, content)


def best_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights that were kept."""
    return load_file(folder / NAME)

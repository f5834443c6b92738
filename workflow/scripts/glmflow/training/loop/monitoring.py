"""Where a run's curves go beside `metrics.jsonl`: chosen for a study by one word, and no part of what a run is."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from glmflow.errors import InputError

MONITOR = "GLMFLOW_MONITOR"
"""Environment variable with the word."""


def monitoring_arguments(folder: Path) -> dict[str, Any]:
    """Return the Trainer's arguments for the monitor of this process.

    Weights & Biases writes into `folder` and sends nothing (`wandb sync` does, later), unless WANDB_MODE says otherwise.

    Raises
    ------
    InputError
        The monitor is not installed.
    """
    monitor = os.environ.get(MONITOR, "tensorboard")
    if monitor == "none":
        return {"report_to": []}
    if importlib.util.find_spec(monitor) is None:
        raise InputError(
            f"{monitor} is not installed", where="monitor", fix=f"pip install {monitor}, or another monitor"
        )
    os.environ.setdefault("WANDB_MODE", "offline")
    os.environ.setdefault("WANDB_DIR", str(folder))
    os.environ.setdefault("WANDB_PROJECT", "glmflow")
    name = "/".join(part for part in folder.parts[-6:] if part != "checkpoints")
    return {"report_to": [monitor], "run_name": name, "project": "glmflow", "trackio_space_id": None}

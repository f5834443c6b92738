"""Fit a baseline to a task and write its predictions as any model's are written."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from glmflow import baselines
from glmflow.config.baselines import Baseline
from glmflow.config.blocks import kind_of
from glmflow.config.tasks import KINDS
from glmflow.files import atomic_path, write_table
from glmflow.modules import entry, module_names
from glmflow.tasks.redraw import redrawn
from glmflow.training.peak_memory import peak_memory_mb

from .fitting_data import Fit, FittingData


def fit_of(kind: str, baseline: str) -> Fit:
    """Return the fit of a baseline: of the module of the task's kind, else of a module that declares it in `FITS`.

    Modules of kinds with another target are not asked: theirs may be of the same name and read other files.
    """
    targets = {kind_of(block): block.target for block in KINDS}

    def is_asked(name: str) -> bool:
        both = targets.get(name), targets[kind]  # a property where settings decide
        return not all(isinstance(target, str) for target in both) or both[0] == both[1]

    names = filter(is_asked, module_names(baselines))
    return entry(baselines, "FITS", baseline, sorted(names, key=lambda name: name != kind))


def run_baseline(
    settings: Mapping[str, Any], examples: pd.DataFrame, files: Mapping[str, Any], folder: Path, cores: int = 1
) -> None:
    """Fit a baseline and write `predictions.parquet`, `predicted/` and `cost.json` into a run's folder."""
    block = TypeAdapter(Baseline).validate_python(settings["model"]["baseline"])
    started = time.monotonic()
    notes: list[str] = []
    data = FittingData(block, settings, redrawn(settings, examples), files, cores, notes)
    apply = fit_of(settings["task"]["kind"], block.kind)(data)
    fitted = time.monotonic()
    with atomic_path(folder / "predicted") as temporary:
        temporary.mkdir()
        predictions = apply(temporary)
    write_table(predictions, folder / "predictions.parquet")
    cost = {
        "train_seconds": round(fitted - started, 1),
        "predict_seconds": round(time.monotonic() - fitted, 1),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "device": "CPU",
        "warnings": [],
        "notes": notes,
    }
    with atomic_path(folder / "cost.json") as temporary:
        temporary.write_text(json.dumps(cost, indent=2) + "\n")

"""Apply the model of a run to what was held out: one path for every kind of task, and for models as they are."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from glmflow.files import atomic_path, write_table
from glmflow.models import load_model
from glmflow.models.loading import with_random_weights
from glmflow.modules import module
from glmflow.tasks.redraw import redrawn

from .frozen_states import open_states
from .loop.checkpoints import fingerprint, table_digest
from .parts import Parts
from .peak_memory import peak_memory_mb
from .ready import Predictor
from .tuned import RunBlocks, load_tuned


def predict(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    files: Mapping[str, Any],
    model_folder: Path,
    folder: Path,
    states: Path | None = None,
) -> None:
    """Write the predictions of all held-out examples: `predictions.parquet`, `predicted/` and `prediction.json`.

    Predictions are kept in parts below `folder` until all are done: a prediction that was killed goes on after the last
    part.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    examples
        Examples table of the task.
    files
        Input files by name, as the kind of task says (step `predict`).
    model_folder
        The tuned model, or the published one of a run that trains nothing.
    folder
        Run folder.
    states
        Folder in which runs share the features of frozen backbones; one in the run folder where None.
    """
    started, examples = time.monotonic(), redrawn(settings, examples)
    trained = (model_folder / "task.json").exists()
    predictor = (
        load_predictor(model_folder, states or folder / "states") if trained else as_it_is(settings, model_folder)
    )
    run = predictor.run
    identity = {
        "model": fingerprint([model_folder]),
        "examples": table_digest(examples),
        "files": fingerprint([path for path in files.values() if isinstance(path, str) and Path(path).exists()]),
        "batch": run.adaptation.train.micro_batch,
        # A model as it is has no copy of its run beside its weights.
        **({} if trained else {"asked": as_asked(run)}),
    }
    parts = Parts(folder / ".parts", identity)
    with atomic_path(folder / "predicted") as temporary:
        temporary.mkdir()
        rows = module("glmflow.training.inputs", run.task.input).predict(predictor, examples, files, parts, temporary)
    if predictor.kept is not None:
        predictor.kept.flush()
    write_table(rows, folder / "predictions.parquet")
    cost = {
        "parameters": sum(parameter.numel() for parameter in predictor.model.parameters()),
        "predict_seconds": round(time.monotonic() - started, 1),
        "predict_peak_memory_mb": round(peak_memory_mb(), 1),
        "predicted": len(rows),
    }
    with atomic_path(folder / "prediction.json") as temporary:
        temporary.write_text(json.dumps(cost) + "\n")
    parts.remove()


def as_asked(run: RunBlocks) -> dict[str, Any]:
    """Return what a model as it is is asked, and whether its weights are random."""
    task = run.task.model_dump(mode="json", include=set(run.task.asking))
    return {"task": task, "weights": run.adaptation.weights, "seed": run.seed}


def load_predictor(model_folder: Path, states: Path) -> Predictor:
    """Load the tuned model of a run; features of a frozen backbone are read where `states` has them, and kept there."""
    model, run = load_tuned(model_folder)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    kept = model.target.caches and run.adaptation.kind == "probe"
    return Predictor(model, run, open_states(states, model) if kept else None)


def as_it_is(settings: Mapping[str, Any], model_folder: Path) -> Predictor:
    """Load a model that nothing was trained on, or the same network with random weights where the run says so."""
    run = RunBlocks.of(settings)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = "bfloat16" if device == "cuda" else None
    model = load_model(model_folder, dtype=dtype)
    if run.adaptation.weights == "random":
        model = with_random_weights(model, run.seed)
    return Predictor(model.to(device), run, folder=model_folder)

"""The model that a run starts from."""

from __future__ import annotations

from pathlib import Path

from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.adapter import Adapter
from glmflow.models.loading import with_random_weights

from .tuned import RunBlocks


def starting_model(run: RunBlocks, checkpoint: Path | str | None) -> Adapter:
    """Return the adapter a run starts from, in float32: a checkpoint, or random weights of a family.

    With `weights: random` it is the same network as the checkpoint's with random weights from the run's seed.

    Raises
    ------
    InputError
        There is nothing to start from, or the model lacks a capability that the task needs.
    """
    # The type of training under autocast, which flash-attention 2 goes by.
    compute_dtype = run.adaptation.train.compute_dtype
    if checkpoint is not None:
        adapter = load_model(checkpoint, compute_dtype=compute_dtype)
    elif new := run.settings["model"].get("new"):
        adapter = new_model(new["family"], new.get("config", {}), seed=run.seed, compute_dtype=compute_dtype)
    else:
        raise InputError("the model has no checkpoint to start from", where="models")
    if run.adaptation.weights == "random":
        adapter = with_random_weights(adapter, run.seed)
    for need in run.task.needs:
        if not adapter.card.can(need):
            raise InputError(f"{adapter.card.family}: {adapter.card.cannot[need]}", where="models")
    return adapter

"""Fit a model to a task, from a run's settings to its model folder: one path for every kind of task and adaptation."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.utils.data import DataLoader

from glmflow.config.adaptations import Adaptation
from glmflow.config.efficient import EFFICIENT
from glmflow.models import efficient
from glmflow.models.adapted_layers import Coverage
from glmflow.models.adapter import Adapter
from glmflow.modules import module
from glmflow.tasks.redraw import redrawn

from .cost import conclude
from .exact_heads import solve
from .frozen_states import StateStore, fill, open_states
from .loop.checkpoints import fingerprint, table_digest
from .loop.distributed import is_first, processes, rank
from .loop.fit import checkpoints_of, fit, refuse_known_failure
from .ready import Ready
from .starting import starting_model
from .stream import ExampleList, ExampleStream
from .tuned import RunBlocks, Tuned, new_tuned, save_tuned

log = logging.getLogger(__name__)


def finetune(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    files: Mapping[str, Any],
    checkpoint: Path | str | None,
    folder: Path,
    states: Path | None = None,
) -> None:
    """Train a model on the training examples of a task and save it in `folder/model`.

    Parameters
    ----------
    settings
        Resolved settings of the run (`glmflow.config.run_settings`).
    examples
        Examples table of the task.
    files
        Input files by name, as the kind of task says (step `train`).
    checkpoint
        Model folder to start from; None for a model from random weights.
    folder
        Run folder; gets `model/`, `metrics.jsonl`, `cost.json` and, while training, `checkpoints/`.
    states
        Folder in which runs share the features of frozen backbones; one in the run folder where None.

    Raises
    ------
    InputError
        Nothing to learn from, or the model has no states of single bases.
    """
    run, examples = RunBlocks.of(settings), redrawn(settings, examples)
    ready = module("glmflow.training.inputs", run.task.input).ready(run, examples, files)
    train_ready(run, ready, table_digest(examples), checkpoint, folder, states)


def train_ready(
    run: RunBlocks, ready: Ready, digest: str, checkpoint: Path | str | None, folder: Path, states: Path | None = None
) -> None:
    """Train a model on what an input has ready (see `finetune`); `digest` identifies the examples table."""
    adaptation, seed = run.adaptation, run.seed
    training = adaptation.train
    updates = training.updates(len(ready.train))
    identity = {
        "settings": dict(run.settings),
        "examples": digest,
        "fitted": dict(ready.fitted),
        "files": fingerprint([*ready.files, *([checkpoint] if checkpoint else [])]),
        **ready.identity,
    }
    refuse_known_failure(checkpoints_of(folder, training, updates, seed, identity))  # before a model is loaded
    torch.manual_seed(seed)
    adapter = starting_model(run, checkpoint)
    coverage = adapt(adapter, adaptation)
    model = new_tuned(run, adapter, ready.fitted)
    if training.gradient_checkpointing:
        model.target.checkpoint()
    warnings = [*context_warning(adapter, ready.length), *model.target.notes()]
    kept = kept_features(model, ready, states or folder / "states")
    if kept is not None and adaptation.head is not None and adaptation.head.exact:
        fitted = solve(model, ready, kept, folder)
        if is_first():
            conclude(folder, model, fitted, warnings, ready.length, coverage)
            save_tuned(model, run.settings, ready.fitted, folder / "model")
        return
    batches = partial(ready.collate, tokenize=model.tokenize, kept=kept, **model.target.collating())
    evaluate = None
    if ready.validation is not None:
        items = ExampleList(ready.validation, len(ready.validation))
        loader = DataLoader(items, batch_size=training.micro_batch, collate_fn=batches)
        evaluate = partial(model.target.metrics, loader=loader)
    draws = ExampleStream(ready.train, len(ready.train), updates * training.batch, seed)
    model.target.prepare(model, draws, batches, training, seed)
    fitted = fit(model, draws, batches, training, updates, folder, seed, evaluate, identity)
    if summary := getattr(ready.train, "summary", lambda: None)():
        log.info(summary)
    if not is_first():
        return
    conclude(folder, model, fitted, warnings, ready.length, coverage)
    save_tuned(model, run.settings, ready.fitted, folder / "model")


def kept_features(model: Tuned, ready: Ready, states: Path) -> StateStore | None:
    """Return the features of all sequences of a frozen backbone, computed once; None where they are not kept."""
    if not (model.frozen and model.target.caches and ready.distinct):
        return None
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    kept = open_states(states, model)
    fill(kept, model, ready.distinct(), ready.at_once, rank(), processes())
    return kept


def adapt(adapter: Adapter, adaptation: Adaptation) -> Coverage | None:
    """Make a model ready to be trained as an adaptation says; return what is trained of few parameters, None of others."""
    coverage = None
    if adaptation.kind in EFFICIENT:
        coverage = efficient.apply(adaptation.kind, adapter, adaptation.efficient)
        log.info("%s: %s", adaptation.kind, coverage)
    if adaptation.train.gradient_checkpointing:
        adapter.gradient_checkpointing_enable()
    return coverage


def context_warning(adapter: Adapter, length: int) -> list[str]:
    """Say where a model has to read windows in overlapping chunks."""
    if adapter.card.context_bp is None or length <= adapter.card.context_bp:
        return []
    line = (
        f"windows of {length} bp are read in overlapping chunks of {adapter.card.context_bp} bp, "
        f"the context of {adapter.card.family}"
    )
    log.warning(line)
    return [line]

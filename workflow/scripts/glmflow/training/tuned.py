"""A model on a task: the backbone and what is read off its states, for every kind of task; saved and loaded here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from glmflow.config.adaptations import Adaptation, Training
from glmflow.config.task_block import TaskBlock
from glmflow.config.tasks import task_block
from glmflow.files import atomic_path
from glmflow.models import load_model
from glmflow.models.adapter import Adapter
from glmflow.models.interface import Tokens
from glmflow.models.layers import require_layer
from glmflow.models.left_padding import padded_on_the_left, require_left_padding
from glmflow.models.loading import of_checkpoint
from glmflow.models.weights import load_head
from glmflow.modules import module

from .record import read_record


class RunBlocks(NamedTuple):
    """The resolved settings of a run as typed blocks.

    Attributes
    ----------
    settings
        As `glmflow.config.run_settings` gives them, and as `run.yaml` holds them.
    task, adaptation, seed
        The same, typed.
    """

    settings: Mapping[str, Any]
    task: TaskBlock
    adaptation: Adaptation
    seed: int

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> RunBlocks:
        """Return the blocks of resolved settings."""
        task = task_block(settings["task"])
        return cls(settings, task, Adaptation.model_validate(settings["adaptation"]), int(settings["seed"]))


class Target(nn.Module):
    """What a task reads off the states of a backbone: head, loss and validation metrics.

    A target is a module of `glmflow.training.targets` whose `TARGET` is a subclass.

    Parameters
    ----------
    run
        Blocks of the run.
    hidden
        Width of the states.
    fitted
        What the task has fitted to its training targets (JSON data): means, classes ...; and `reads`, how the model reads
        bases (`reading_of`).
    """

    caches = False
    """Whether features are small enough to be kept on disk for a frozen backbone."""
    reads_token_before = False
    """Whether features are made of the state of the special token before a sequence, in place of those of its bases."""

    kept_columns: slice | None = None
    """Columns of what is kept (`kept_of`) that are its features; None: all of them."""

    head: nn.Module

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__()

    def features(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return what does not depend on trained weights of the head, `[S, ...]`, from states `[S, L, D]`.

        `inside`, bool `[S, L]`, tells the bases of a sequence from the padding behind it.
        """
        return states

    def features_of(self, model: Tuned, sequences: Sequence[NDArray[np.uint8] | str]) -> Tensor:
        """Return the features of sequences."""
        return model.features(model.tokenize(sequences).to(model.adapter.device))

    def kept_of(self, model: Tuned, sequences: Sequence[NDArray[np.uint8] | str]) -> Tensor:
        """Return what is kept of sequences for a frozen backbone: their features, and what other heads read beside them."""
        return self.features_of(model, sequences)

    def describe_features(self) -> Any:
        """Return all settings that what is kept depends on, as JSON data."""
        return None

    def collating(self) -> dict[str, Any]:
        """Return what the `collate` of its input has to be told by it."""
        return {}

    def notes(self) -> list[str]:
        """Return what has to be known of how it reads the model, a sentence each."""
        return []

    def checkpoint(self) -> None:
        """Recompute in the backward pass what it has beside the model (`train.gradient_checkpointing`); heads are kept."""

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the predictions of a batch from the features of its sequences."""
        raise NotImplementedError

    def finished(self, predictions: Tensor) -> Tensor:
        """Return what is written of predictions (probabilities, where they are logits)."""
        return predictions

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the training loss of a batch."""
        raise NotImplementedError

    def computed(self, model: Tuned, train: Any, validation: Any, kept: Any) -> dict[str, float]:
        """Compute the head from items (`ready.Maker`) and kept states (`frozen_states.StateStore`); return what is known of it.

        Asked of those targets alone whose head has a `solver` (`exact_heads.solve`).
        """
        raise NotImplementedError

    def prepare(self, model: Tuned, draws: Any, collate: Any, training: Training, seed: int) -> None:
        """Do what comes before training: the same each time, as a run that goes on does it again."""

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return validation metrics, `loss` among them."""
        raise NotImplementedError


class Tuned(nn.Module):
    """`sequences -> states -> features -> predictions`.

    Parameters
    ----------
    adapter
        The language model.
    target
        What is read off its states.
    frozen
        Keep the backbone as it is (a probe): its states are computed without gradients and in evaluation mode.
    layer
        Layer whose states are read (from 1; -1 is the last one); None: the model's own last states.
    padded_to
        Tokens that shorter sequences are padded to on the left, without a mask (see `models.left_padding`).

    Raises
    ------
    InputError
        The model has no such layer, no special token that the head reads, or cannot be padded on the left.
    """

    accepts_loss_kwargs = False  # the Trainer divides the loss by the number of accumulated batches

    def __init__(
        self,
        adapter: Adapter,
        target: Target,
        frozen: bool = False,
        layer: int | None = None,
        padded_to: int | None = None,
    ):
        super().__init__()
        self.adapter, self.target, self.frozen, self.layer = adapter, target, frozen, layer
        self.padded_to = padded_to
        if layer is not None:
            require_layer(adapter.network, layer)
        if target.reads_token_before:
            adapter.require_token_before()
        if padded_to is not None:
            require_left_padding(adapter)
        if adapter.has_head:
            adapter.drop_head()
        if frozen:
            adapter.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Tuned:
        """Set the mode of the parts that are trained."""
        super().train(mode)
        if self.frozen:
            self.adapter.eval()
        return self

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

    def tokenize(self, sequences: Sequence[NDArray[np.uint8] | str]) -> Tokens:
        """Return a batch of sequences; those beyond the context are cut into overlapping chunks."""
        if self.padded_to is not None:
            return padded_on_the_left(self.adapter, sequences, self.padded_to)
        return self.adapter.tokenize(list(sequences), chunk=True)

    def features(self, tokens: Tokens, read: Callable[[Tensor, Tensor], Tensor] | None = None) -> Tensor:
        """Return the features of sequences, or what `read` makes of states and of which bases are inside."""
        read = read or self.target.features
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            if self.target.reads_token_before:
                before = self.adapter.states_before(tokens, self.layer)[:, None]
                return read(before, torch.ones(before.shape[:2], dtype=torch.bool, device=before.device))
            return read(self.adapter.states_per_base(tokens, self.layer), tokens.token_of_base >= 0)

    def features_of(self, sequences: Sequence[NDArray[np.uint8] | str]) -> Tensor:
        """Return the features of sequences, without gradients."""
        with torch.no_grad():
            return self.target.features_of(self, sequences)

    def kept_of(self, sequences: Sequence[NDArray[np.uint8] | str]) -> Tensor:
        """Return what is kept of sequences for a frozen backbone, without gradients."""
        with torch.no_grad():
            return self.target.kept_of(self, sequences)

    def forward(self, **batch: Any) -> dict[str, Any]:
        """Return `predictions` and, where targets are given, the `loss` of a batch (see the `collate` of its input).

        `features` take the place of tokens where they are kept.
        """
        features = batch.get("features")
        if features is None:
            tokens = Tokens(*(batch.get(name) for name in Tokens._fields))
            features = self.features(tokens)
        predictions = self.target.read(features, batch)
        if batch.get("targets") is None:
            return {"predictions": predictions}
        return {"loss": self.target.loss(predictions, batch), "predictions": predictions}


def reading_of(adapter: Adapter) -> dict[str, Any]:
    """Return how a model reads bases: `causal` (left to right alone), `frame` (bases of a token, 1 where they differ)."""
    bases = getattr(adapter.tokenizer, "bases", None)
    return {"causal": adapter.card.objective == "causal", "frame": 1 if bases is None else int(bases.shape[1])}


def new_tuned(run: RunBlocks, adapter: Adapter, fitted: Mapping[str, Any]) -> Tuned:
    """Return a model with an untrained head, as a run says."""
    target = module("glmflow.training.targets", run.task.target).TARGET
    own = target(run, adapter.card.hidden_size, {**fitted, "reads": reading_of(adapter)})
    padded_to = run.task.window_bp if run.adaptation.train.padding == "left" else None
    return Tuned(adapter, own, run.adaptation.kind == "probe", run.adaptation.layer, padded_to)


def save_tuned(model: Tuned, settings: Mapping[str, Any], fitted: Mapping[str, Any], folder: Path) -> None:
    """Write the tuned backbone, the head and what is needed to predict with them again."""
    with atomic_path(folder) as temporary:
        model.adapter.save(temporary)
        head = {name: value.detach().cpu().contiguous() for name, value in model.target.head.state_dict().items()}
        save_file(head, temporary / "head.safetensors")
        content = {"settings": settings, "fitted": fitted}
        (temporary / "task.json").write_text(json.dumps(content, indent=2) + "\n")


def load_tuned(folder: Path) -> tuple[Tuned, RunBlocks]:
    """Load what `save_tuned` wrote, in evaluation mode, with the blocks of its run.

    Raises
    ------
    InputError
        The folder is not the model of a run.
    """
    settings, fitted = read_record(folder)
    with of_checkpoint(folder):
        run = RunBlocks.of(settings)
        target = module("glmflow.training.targets", run.task.target).TARGET
        # Features that a head was trained on are computed in the same type.
        caches = target.caches and run.adaptation.kind == "probe"
        adapter = load_model(folder, compute_dtype=run.adaptation.train.compute_dtype if caches else None)
        model = new_tuned(run, adapter, fitted)
        load_head(model.target.head, folder)
    model.requires_grad_(False)
    model.frozen = True
    return model.eval(), run

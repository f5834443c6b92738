"""What targets have in common that are read off the pooled states of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.models.heads import new_head

from .exact_heads import on_pooled_states
from .losses import new_loss
from .ready import Maker
from .stream import to_device
from .tuned import RunBlocks, Target, Tuned


class PooledStates(Target):
    """Outputs of a head on the pooled states of a sequence.

    Parameters
    ----------
    target
        Name of the target.
    names
        Names of the outputs.
    """

    caches = True

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any], target: str, names: Sequence[str]):
        super().__init__(run, hidden, fitted)
        self.names = list(names)
        self.head = new_head(run.adaptation.head_for(target).model_dump(), hidden, len(self.names))
        self.caches, self.reads_token_before = self.head.caches, self.head.reads_token_before
        self.kept_columns = self.head.columns(hidden)
        self.of_outputs = new_loss(run.adaptation.loss.model_dump(), fitted)

    def features(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return the pooled states, `[S, D]`."""
        return self.head.pool(states, inside)

    def kept_of(self, model: Tuned, sequences: Sequence[NDArray[np.uint8] | str]) -> Tensor:
        """Return what is kept of sequences: of most ways of pooling the results, `[S, 3 D]`, so that heads share them."""
        return model.features(model.tokenize(sequences).to(model.adapter.device), self.head.kept)

    def describe_features(self) -> Any:
        """Return how states are pooled that are kept."""
        return self.head.describe()

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the outputs of the head, `[S, names]`, from pooled states `[S, D]`."""
        return self.head(features)

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss for `targets`."""
        return self.of_outputs(predictions, batch["targets"])

    def computed(self, model: Tuned, train: Maker, validation: Maker | None, kept: Any) -> dict[str, float]:
        """Compute the head: a regression, or trees."""
        return on_pooled_states(model, train, validation, kept)

    def learned(self, truth: NDArray) -> NDArray:
        """Return targets as the head learns them: classes and labels, whole numbers."""
        return truth.astype(np.int64)


def over_batches(model: Tuned, loader: Any) -> tuple[float, NDArray, NDArray]:
    """Return the mean loss over sequences, all outputs `[n, names]`, and their targets."""
    total, outputs, targets = 0.0, [], []
    for batch in loader:
        output = model(**to_device(batch, model.device))
        total += output["loss"].item() * len(batch["targets"])
        outputs.append(output["predictions"].float().cpu())
        targets.append(batch["targets"])
    found, truth = torch.cat(outputs).numpy().astype(np.float64), torch.cat(targets).numpy()
    return total / len(truth), found, truth

"""Target `measured_values`: one or several numbers of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.statistics.regression import value_scores

from ..pooled_states import PooledStates, over_batches
from ..tuned import RunBlocks, Tuned


class MeasuredValues(PooledStates):
    """Numbers in the units of the table; the loss is taken on standardised ones, so that one learning rate serves any unit.

    `fitted` holds, by value, its `names`, and the `mean` and standard deviation (`scale`) over training sequences.
    """

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted, "measured_values", fitted["names"])
        for name in ("mean", "scale"):
            self.register_buffer(name, torch.tensor(fitted[name], dtype=torch.float32), persistent=False)

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the numbers, `[S, names]`, from pooled states."""
        return self.mean + self.scale * self.head(features)

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss for `targets` `[S, names]`."""
        return self.of_outputs((predictions - self.mean) / self.scale, (batch["targets"] - self.mean) / self.scale)

    def learned(self, truth: NDArray) -> NDArray[np.float64]:
        """Return targets as the head learns them, `[n, names]`: in units of their training spread."""
        mean, scale = self.mean.cpu().numpy(), self.scale.cpu().numpy()
        return ((truth - mean) / scale).reshape(len(truth), -1).astype(np.float64)

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean `loss` over sequences, and the mean `pearson` over values."""
        loss, predicted, truth = over_batches(model, loader)
        found = [value_scores(*columns)["pearson"][0] for columns in zip(truth.T, predicted.T)]
        return {"loss": loss, "pearson": float(np.mean(found))}


TARGET = MeasuredValues

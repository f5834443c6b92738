"""Target `region_values`: values of each of the regions that are read together, by strand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glmflow.models.heads import new_head
from glmflow.statistics.regression import value_scores

from ..losses import new_loss
from ..stream import to_device
from ..tuned import RunBlocks, Target, Tuned

STRANDS = 2


class RegionValues(Target):
    """Values of both strands from the state of each region."""

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted)
        self.head = new_head(run.adaptation.head_for("region_values").model_dump(), hidden, STRANDS)
        self.of_outputs = new_loss(run.adaptation.loss.model_dump(), fitted)

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return values, `[B, R, 2]`, from states `[B, R, D]`."""
        return self.head(features)

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss over the regions that are there."""
        return self.of_outputs(predictions, batch["targets"], batch["promoters"], batch["attention_mask"] > 0)

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean `loss` over windows, and `pearson` over all promoters."""
        total, count, said, truth = 0.0, 0, [], []
        for batch in loader:
            with torch.no_grad():
                output = model(**to_device(batch, model.device))
            total, count = total + output["loss"].item() * len(batch["targets"]), count + len(batch["targets"])
            own = batch["promoters"] & (batch["attention_mask"] > 0)[..., None]
            said.append(output["predictions"].float().cpu()[own])
            truth.append(batch["targets"][own])
        observed, predicted = (torch.cat(values).numpy().astype(np.float64) for values in (truth, said))
        found = {"loss": total / count}
        return found | ({"pearson": float(value_scores(observed, predicted)["pearson"][0])} if len(observed) else {})


TARGET = RegionValues

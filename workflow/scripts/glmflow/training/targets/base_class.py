"""Target `base_class`: the class of every base, or of every bin of bases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from glmflow.models.heads import new_head
from glmflow.statistics.classification import confusion_scores

from ..losses import new_loss
from ..stream import to_device
from ..tuned import RunBlocks, Target, Tuned

UNSCORED = -1


class BaseClass(Target):
    """Scores of the classes (logits) of every bin, from the states of its bases; `fitted` holds the names of the `classes`."""

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted)
        self.names = list(fitted["classes"])
        settings = run.adaptation.head_for("base_class").model_dump()
        self.head = new_head({**settings, "bin": run.task.bin}, hidden, len(self.names))
        self.of_bases = new_loss(run.adaptation.loss.model_dump(), fitted)

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return logits `[S, bins, classes]` from states `[S, L, D]`."""
        return self.head(features)

    def finished(self, predictions: Tensor) -> Tensor:
        """Return the probabilities of the classes."""
        return predictions.softmax(-1)

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss over all bins that have a class, for `targets` `[S, bins]` (-1: none)."""
        targets = batch["targets"]
        known = targets != UNSCORED
        if not known.any():
            return predictions.sum() * 0.0
        return self.of_bases(predictions[known], targets[known])

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean `loss` over bins, and `accuracy` and `mcc` over all of them."""
        total, bins, size = 0.0, 0, len(self.names)
        table = torch.zeros(size * size, dtype=torch.float64)
        for batch in loader:
            output = model(**to_device(batch, model.device))
            known = batch["targets"] != UNSCORED
            count = int(known.sum())
            total, bins = total + output["loss"].item() * count, bins + count
            chosen = output["predictions"].argmax(-1).cpu()[known]
            table += torch.bincount(batch["targets"][known] * size + chosen, minlength=size * size)
        found = confusion_scores(table.reshape(1, size, size).numpy())
        return {"loss": total / max(bins, 1), **{name: float(found[name][0]) for name in ("accuracy", "mcc")}}


TARGET = BaseClass

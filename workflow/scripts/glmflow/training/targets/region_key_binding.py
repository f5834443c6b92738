"""Target `region_key_binding`: which keys (cell, TF) bind a region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.models.heads import new_head
from glmflow.statistics.classification import average_precision

from ..frozen_states import StateStore
from ..losses import new_loss
from ..pooled_states import over_batches
from ..ready import Maker
from ..tuned import RunBlocks, Target, Tuned

AT_ONCE = 1024
"""Regions whose kept states are read at a time."""


class RegionKeyBinding(Target):
    """Logits of keys from the states of a region; `fitted` is what the head is given of keys (`models.heads.binding_heads`)."""

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted)
        self.head = new_head(run.adaptation.head_for("region_key_binding").model_dump(), hidden, fitted)
        self.caches = self.head.caches
        self.of_outputs = new_loss(run.adaptation.loss.model_dump(), fitted)

    def features(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return pooled states."""
        return self.head.pool(states, inside)

    def describe_features(self) -> Any:
        """Return how states are pooled."""
        return self.head.describe()

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the logits of the batch's keys, `[S, keys]`."""
        return self.head(features, batch["keys"], batch["occupancy"], batch["accessibility"])

    def finished(self, predictions: Tensor) -> Tensor:
        """Return probabilities of binding."""
        return predictions.sigmoid()

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss for the labels of the batch's keys."""
        return self.of_outputs(predictions, batch["targets"])

    def computed(self, model: Tuned, train: Maker, validation: Maker | None, kept: StateStore) -> dict[str, float]:
        """Grow the trees of a head that is not trained by gradients; return the loss on validation, where there is one."""
        self.head.grow(**gathered(train, kept))
        if validation is None:
            return {}
        own = {
            name: torch.from_numpy(values).to(self.head.of_prior.device)
            for name, values in gathered(validation, kept).items()
        }
        with torch.no_grad():
            logits = self.head(*(own[name] for name in ("features", "keys", "occupancy", "accessibility")))
            return {"eval_loss": float(self.of_outputs(logits, own["labels"]))}

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean `loss`, and the mean `auprc` over the keys that bind some regions."""
        loss, logits, truth = over_batches(model, loader)
        areas = []
        for label, logit in zip(truth.T, logits.T):
            known = ~np.isnan(label)
            if 0 < label[known].sum() < known.sum():
                areas.append(float(average_precision(label[known] > 0, logit[known])[0]))
        return {"loss": loss, **({"auprc": float(np.mean(areas))} if areas else {})}


def gathered(items: Maker, kept: StateStore) -> dict[str, NDArray]:
    """Return kept states, keys, occupancies, accessibility and labels of all regions."""
    own = [items(index, None) for index in range(len(items))]
    found = {name: np.stack([item[name] for item in own]) for name in ("occupancy", "accessibility", "targets")}
    states = [
        kept([item["sequence"] for item in own[at : at + AT_ONCE]]).float().numpy()
        for at in range(0, len(own), AT_ONCE)
    ]
    labels = found.pop("targets")
    return {"features": np.concatenate(states), "keys": own[0]["keys"], **found, "labels": labels}


TARGET = RegionKeyBinding

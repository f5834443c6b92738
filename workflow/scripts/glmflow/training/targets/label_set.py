"""Target `label_set`: which of several labels a sequence has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from glmflow.statistics.classification import auroc

from ..pooled_states import PooledStates, over_batches
from ..tuned import RunBlocks, Tuned


class LabelSet(PooledStates):
    """Scores of the labels (logits), each by itself; `fitted` holds their `names`."""

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted, "label_set", fitted["names"])

    def finished(self, predictions: Tensor) -> Tensor:
        """Return the probability of each label."""
        return predictions.sigmoid()

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean `loss` over sequences, and the mean `auroc` over the labels that some have and some have not."""
        loss, logits, truth = over_batches(model, loader)
        both = [place for place in range(truth.shape[1]) if 0 < truth[:, place].sum() < len(truth)]
        areas = [float(auroc(truth[:, place] > 0, logits[:, place])[0]) for place in both]
        return {"loss": loss, **({"auroc": float(np.mean(areas))} if areas else {})}


TARGET = LabelSet

"""Target `class_label`: the class of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import softmax
from torch import Tensor

from glmflow.statistics.classification import class_scores

from ..pooled_states import PooledStates, over_batches
from ..tuned import RunBlocks, Tuned


class ClassLabel(PooledStates):
    """Scores of the classes (logits) from the pooled states of a sequence; `fitted` holds the names of the `classes`."""

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted, "class_label", fitted["classes"])

    def finished(self, predictions: Tensor) -> Tensor:
        """Return the probabilities of the classes."""
        return predictions.softmax(1)

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean `loss` over sequences, and `accuracy`, `mcc` and `auroc` (of several classes the mean)."""
        loss, logits, truth = over_batches(model, loader)
        found = class_scores(truth.astype(np.int64), softmax(logits, axis=1))
        values = {name: float(found[name][0]) for name in ("accuracy", "mcc", "auroc")}
        return {"loss": loss, **{name: value for name, value in values.items() if np.isfinite(value)}}


TARGET = ClassLabel

"""Target `answer_text`: an answer in words to a question about a pair of alleles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glmflow.models.heads import new_head
from glmflow.models.interface import Tokens

from ..losses import new_loss
from ..stream import to_device
from ..tuned import RunBlocks, Target, Tuned


class AnswerText(Target):
    """Log probabilities of answers from the states of both alleles and the words of a question.

    `fitted` holds the `classes`, the `flank`, and the `tokenizer` of a text model that is made here.
    """

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted)
        self.names = list(fitted["classes"])
        self.head = new_head(run.adaptation.head_for("answer_text").model_dump(), hidden, fitted)
        self.of_outputs = new_loss(run.adaptation.loss.model_dump(), fitted)

    def features(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return the states of alleles with a column that says which are bases, `[rows, L, D + 1]`."""
        return torch.cat([states, inside[..., None].to(states.dtype)], dim=-1)

    def vectors(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor | None:
        """Return what the head reads of each pair of alleles."""
        return self.head.vectors(features[..., :-1], features[..., -1] > 0, batch["change"])

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the log probabilities of the tokens of the true answers, `[S, T]`."""
        return self.head.token_scores(self.vectors(features, batch), batch)

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss of a batch."""
        weight = batch["answer_weight"][:, : predictions.shape[1]].to(predictions.dtype)
        return self.of_outputs(predictions, weight)

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return the mean negative log probability of the true answer over questions as `loss`, and the `accuracy`."""
        total, right, seen = 0.0, 0, 0
        for batch in loader:
            scores, truth = ranked(model, batch), batch["targets"].numpy()
            chosen = scores.argmax(axis=1)
            exact = np.exp(scores - scores.max(axis=1, keepdims=True))
            own = exact[np.arange(len(truth)), truth] / exact.sum(axis=1)
            total -= float(np.log(np.clip(own, 1e-30, None)).sum())
            right, seen = right + int((chosen == truth).sum()), seen + len(truth)
        return {"loss": total / seen, "accuracy": right / seen}


def ranked(model: Tuned, batch: Mapping[str, Any], vectors: Tensor | str | None = "own") -> np.ndarray:
    """Return the log probability of every answer of a batch, float64 `[S, classes]`.

    Parameters
    ----------
    vectors
        In place of those of the batch's own alleles; None: no DNA at all.
    """
    moved = to_device(dict(batch), model.device)
    with torch.no_grad():
        if isinstance(vectors, str):
            tokens = Tokens(*(moved.get(name) for name in Tokens._fields))
            vectors = model.target.vectors(model.features(tokens), moved)
        return model.target.head.ranked(vectors, moved["prompt_ids"]).double().cpu().numpy()


TARGET = AnswerText

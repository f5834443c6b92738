"""Target `answer_text`: an answer in words to a question about a pair of alleles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.bases import other_strand
from glmflow.config.adaptations import Training
from glmflow.models.heads import new_head
from glmflow.models.heads.answer_heads import side_by_side
from glmflow.models.interface import Tokens

from ..bridge_alignment import align
from ..losses import new_loss
from ..placed_alleles import alleles_of
from ..stream import to_device
from ..tuned import RunBlocks, Target, Tuned


class AnswerText(Target):
    """Log probabilities of answers from the states of both alleles and the words of a question.

    `fitted` holds the `classes`, the `flank`, and the `tokenizer` of a text model that is made here.
    """

    caches = True

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted)
        self.names = list(fitted["classes"])
        self.block = block = run.adaptation.head_for("answer_text")
        own = {"text": text} if (text := getattr(block, "text_folder", None)) else {}
        self.head = new_head({**block.model_dump(), **own}, hidden, fitted)
        self.how = fitted.get("reads", {})
        self.caches, self.align = self.head.caches, getattr(block, "align", 0)
        self.of_outputs = new_loss(run.adaptation.loss.model_dump(), fitted)

    def checkpoint(self) -> None:
        """Recompute the activations of the text model in the backward pass."""
        self.head.checkpoint()

    def features(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return the states of alleles with a column that says which are bases, `[rows, L, D + 1]`."""
        return torch.cat([states, inside[..., None].to(states.dtype)], dim=-1)

    def features_of(self, model: Tuned, sequences: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Return what is kept of alleles that carry the place of their change (`placed_alleles`), `[S, cells, D + 1]`."""
        alleles, change = alleles_of(sequences)
        both = [other_strand(own) for own in alleles] if self.head.both_strands else []
        tokens = model.adapter.tokenize([*alleles, *both], chunk=True).to(model.adapter.device)
        features = model.features(tokens)
        states, inside = features[: len(alleles), :, :-1], features[: len(alleles), :, -1] > 0
        if both:
            states = side_by_side(states, features[len(alleles) :, :, :-1], inside)
        return self.head.bridge.cells(states, inside, change.to(states.device))

    def collating(self) -> dict[str, Any]:
        """Return whether both strands of the alleles are read, and whether they are read at all."""
        return {"both_strands": self.head.both_strands, "reads_dna": self.head.reads_dna}

    def notes(self) -> list[str]:
        """Return what a model that reads one direction, or tokens of several bases, does not see of a pair of alleles."""
        if not self.head.reads_dna:
            return []
        found = []
        if self.how.get("causal"):
            found.append(
                "the DNA model reads left to right: both strands of the alleles are read, their states side by side"
                if self.head.both_strands
                else "the DNA model reads left to right and one strand is read: left of the change the states of both "
                "alleles are the same"
            )
        if (frame := self.how.get("frame", 1)) > 1 and not self.head.both_strands:
            found.append(
                f"the DNA model reads tokens of {frame} bases: right of an insertion or deletion whose length is no multiple of "
                "them both alleles are cut into other tokens, and no difference is read there (head.both_strands reads it from "
                "the other strand)"
            )
        bridge = getattr(self.head, "bridge", None)
        if bridge is not None and bridge.how in ("strided", "focus") and bridge.stride != self.block.stride:
            found.append(
                f"head.stride: means are of {bridge.stride} bases in place of {self.block.stride}, whole tokens of {frame} bases"
            )
        return found

    def describe_features(self) -> Any:
        """Return how much of the states is read."""
        return self.head.describe()

    def cells(self, model: Tuned, batch: Mapping[str, Any]) -> Tensor:
        """Return what the bridge reads of the pairs of alleles of a batch (`AlleleBridge.cells`)."""
        if batch.get("features") is not None:
            return batch["features"]
        features = model.features(Tokens(*(batch.get(name) for name in Tokens._fields)))
        return self.head.cells(features[..., :-1], features[..., -1] > 0, batch["change"])

    def prepare(self, model: Tuned, draws: Sequence[Any], collate: Callable, training: Training, seed: int) -> None:
        """Train the bridge alone first, where the head says so."""
        if self.align and self.head.reads_dna:
            align(model, draws, collate, self.align, training.batch, training.learning_rate, seed)

    def vectors(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor | None:
        """Return what the head reads of each pair of alleles, from states or from what was kept of them."""
        if batch.get("features") is not None:
            return self.head.of_cells(features)
        return self.head.vectors(features[..., :-1], features[..., -1] > 0, batch["change"])

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the log probabilities of the tokens of the true answers, `[S, T]`; without targets those of all answers."""
        vectors = self.vectors(features, batch)
        if batch.get("targets") is None:
            return self.head.ranked(vectors, batch["prompt_ids"])
        return self.head.token_scores(vectors, batch)

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


def vectors_of(model: Tuned, batch: Mapping[str, Any]) -> Tensor | None:
    """Return what the head reads of the pairs of alleles of a batch; None of a text model without DNA."""
    features = batch.get("features")
    if features is None:
        features = model.features(Tokens(*(batch.get(name) for name in Tokens._fields)))
    return model.target.vectors(features, batch)


def ranked(model: Tuned, batch: Mapping[str, Any], vectors: Tensor | str | None = "own") -> np.ndarray:
    """Return the log probability of every answer of a batch, float64 `[S, classes]`.

    Parameters
    ----------
    vectors
        In place of those of the batch's own alleles; None: no DNA at all.
    """
    moved = to_device(dict(batch), model.device)
    with torch.no_grad():
        if isinstance(vectors, str):  # through the model itself: its weights may lie in pieces on several processes
            return model(**moved | {"targets": None})["predictions"].double().cpu().numpy()
        return model.target.head.ranked(vectors, moved["prompt_ids"]).double().cpu().numpy()


TARGET = AnswerText

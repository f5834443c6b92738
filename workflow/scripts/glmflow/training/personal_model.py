"""A backbone with a head that reads one number off each haplotype, and the expression of people from both of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glmflow.models.adapter import Adapter, Tokens
from glmflow.models.heads import ExpressionHead
from glmflow.models.tokenizers import reverse_complement
from glmflow.statistics.correlation import pearson

from .personal_losses import PersonalLoss
from .track_model import to_device


class PersonalModel(nn.Module):
    """`haplotype -> states -> pooled state -> value`; a person is the mean over both haplotypes.

    Each distinct haplotype of a batch is computed once, whoever carries it: people of equal sequence have equal
    predictions, to the last bit.

    Parameters
    ----------
    adapter
        The language model.
    head
        Pools states by their place and reads a value off them.
    offset, scale
        Mean and standard deviation of the training targets: the head works in their units.
    combine
        `predictions`: the mean of both haplotypes' values; `states`: the value of the mean pooled state.
    loss
        Loss on targets; None for prediction alone.
    frozen
        Keep the backbone as it is (a probe).
    """

    def __init__(
        self,
        adapter: Adapter,
        head: ExpressionHead,
        offset: float,
        scale: float,
        combine: str,
        loss: PersonalLoss | None = None,
        frozen: bool = False,
    ):
        super().__init__()
        self.adapter, self.head, self.loss, self.frozen = adapter, head, loss, frozen
        self.offset, self.scale, self.combine = offset, scale, combine
        if adapter.has_head:
            adapter.drop_head()
        if frozen:
            adapter.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> PersonalModel:
        """Set the mode of the parts that are trained."""
        super().train(mode)
        if self.frozen:
            self.adapter.eval()
        return self

    def binned_states(self, tokens: Tokens) -> Tensor:
        """Return the mean states of the head's bins, `[S, bins, D]`."""
        return self.head.bin(self.adapter.states_per_base(tokens))

    def people(self, binned: Tensor, of_person: Tensor) -> Tensor:
        """Return the predictions of people `[N]` from states `[S, bins, D]` and their two haplotypes `[N, 2]`."""
        pooled = self.head.pool(binned)
        if self.combine == "states":
            # Equal rows of a matrix product differ in the last bit by where they stand: each pair is computed once.
            pairs, pair_of_person = of_person.sort(dim=1).values.unique(dim=0, return_inverse=True)
            value = self.head.read(pooled[pairs].mean(1))[pair_of_person]
        else:
            value = self.head.read(pooled)[of_person].mean(1)
        return self.offset + self.scale * value

    def forward(
        self,
        of_person: Tensor,
        gene: Tensor,
        targets: Tensor,
        within: Tensor,
        binned: Tensor | None = None,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_of_base: Tensor | None = None,
        rows: tuple[int, ...] | None = None,
    ) -> dict[str, Any]:
        """Return `predictions` `[N]` and the `loss` of a batch (see `personal_data.collate`).

        `binned` states take the place of tokens where they are kept.
        """
        if binned is None:
            binned = self.binned_states(Tokens(input_ids, attention_mask, token_of_base, rows))
        predictions = self.people(binned, of_person)
        return {"loss": self.loss(predictions, targets, gene, within), "predictions": predictions}


def predict_haplotypes(
    model: PersonalModel, sequences: Sequence[NDArray[np.uint8]], batch: int, both_strands: bool
) -> Tensor:
    """Return binned states of sequences, or those of both strands side by side: `[S, 1 or 2, bins, D]`."""
    strands = [list(sequences)]
    if both_strands:
        strands.append([reverse_complement(sequence) for sequence in sequences])
    parts = []
    with torch.no_grad():
        for read in strands:
            states = []
            for start in range(0, len(read), batch):
                tokens = model.adapter.tokenize(read[start : start + batch], chunk=True).to(model.adapter.device)
                states.append(model.binned_states(tokens))
            parts.append(torch.cat(states))
    return torch.stack(parts, dim=1)


class PersonalEvaluation:
    """Validation metrics of a personal model: its loss, and the mean correlation across the people of each gene."""

    def __init__(self, batches: Any, names: Sequence[str]):
        self.batches, self.names = batches, list(names)

    def __call__(self, model: PersonalModel) -> dict[str, float]:
        """Return `loss`, and by class of genes (`seen`, `unseen`) `{class}_pearson`."""
        device = next(model.parameters()).device
        losses, correlations = [], []
        for batch in self.batches:
            output = model(**to_device(batch, device))
            losses.append(output["loss"].item())
            gene, observed = batch["gene"].numpy(), batch["targets"].numpy()
            predicted = output["predictions"].float().cpu().numpy()
            correlations += [pearson(observed[gene == g], predicted[gene == g]) for g in range(gene.max() + 1)]
        found = {"loss": sum(losses) / len(losses)}
        for name in sorted(set(self.names)):
            own = [r for r, other in zip(correlations, self.names) if other == name]
            found[f"{name}_pearson"] = sum(own) / len(own)
        return found

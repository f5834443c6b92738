"""Target `expression`: one value of a sample in a gene, read off both of its haplotypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from glmflow.models.heads import new_head
from glmflow.statistics.correlation import pearson

from ..losses import new_loss
from ..stream import to_device
from ..tuned import RunBlocks, Target, Tuned


class Expression(Target):
    """`haplotype -> binned states -> pooled state -> value`; the value of a sample is the mean over both haplotypes.

    Each distinct haplotype of a batch is computed once, whoever carries it: samples of equal sequence have equal
    predictions, to the last bit. The head works in units of the training targets: `fitted` holds their `mean`, and the
    variances `between` the means of genes and in `total`.
    """

    caches = True

    def __init__(self, run: RunBlocks, hidden: int, fitted: Mapping[str, Any]):
        super().__init__(run, hidden, fitted)
        self.head = new_head(run.adaptation.head_for("expression").model_dump(), hidden, 1)
        self.of_values = new_loss(run.adaptation.loss.model_dump(), fitted)
        self.offset, self.scale = fitted["mean"], fitted["total"] ** 0.5
        self.combine = run.task.combine

    def features(self, states: Tensor, inside: Tensor) -> Tensor:
        """Return the mean states of the head's bins, `[S, bins, D]`."""
        return self.head.bin(states)

    def describe_features(self) -> Any:
        """Return the number of bins."""
        return len(self.head.place)

    def read(self, features: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the predictions of samples `[N]` from `features` `[S, bins, D]` and their two haplotypes.

        `batch["haplotypes"]` `[N, 2]` are rows of the features.
        """
        pooled, haplotypes = self.head.pool(features), batch["haplotypes"]
        if self.combine == "states":
            # Equal rows of a matrix product differ in the last bit by where they stand: each pair is computed once.
            pairs, pair_of_sample = haplotypes.sort(dim=1).values.unique(dim=0, return_inverse=True)
            value = self.head.read(pooled[pairs].mean(1))[pair_of_sample]
        else:
            value = self.head.read(pooled)[haplotypes].mean(1)
        return self.offset + self.scale * value

    def loss(self, predictions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss for `targets` `[N]` of samples in the genes `gene` `[N]`, whose variances are `within` `[G]`."""
        return self.of_values(predictions, batch["targets"], batch["gene"], batch["within"])

    def metrics(self, model: Tuned, loader: Any) -> dict[str, float]:
        """Return `loss`, and by class of genes (`seen`, `unseen`) the mean correlation between samples, `{class}_pearson`."""
        losses, correlations, classes = [], [], []
        for batch in loader:
            output = model(**to_device(batch, model.device))
            losses.append(output["loss"].item())
            gene, observed = batch["gene"].numpy(), batch["targets"].numpy()
            predicted = output["predictions"].float().cpu().numpy()
            correlations += [pearson(observed[gene == g], predicted[gene == g]) for g in range(gene.max() + 1)]
            classes += batch["classes"]
        found = {"loss": sum(losses) / len(losses)}
        for name in sorted(set(classes)):
            own = [r for r, other in zip(correlations, classes) if other == name]
            found[f"{name}_pearson"] = sum(own) / len(own)
        return found


TARGET = Expression

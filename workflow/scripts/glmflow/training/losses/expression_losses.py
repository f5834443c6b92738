"""Losses on the expression of many samples in a few genes: `prediction` and `target` are `[N]`, `gene` says whose they are.

Differences between samples within a gene are a small part of all variance (about a twentieth), and the part that
personal sequence explains. A loss on single values learns the gene means instead (Rastogi et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

ExpressionLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""`(prediction [N], target [N], gene [N], variance between samples of each gene [G]) -> loss`."""


def of_genes(residual: Tensor, gene: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance (divided by n) of the residuals of each gene, `[G]` each.

    `gene`, `int64[N]`, numbers the genes of a batch from 0.
    """
    genes = int(gene.max()) + 1
    n = torch.zeros(genes, dtype=residual.dtype, device=residual.device).index_add(0, gene, torch.ones_like(residual))
    mean = torch.zeros_like(n).index_add(0, gene, residual) / n
    variance = torch.zeros_like(n).index_add(0, gene, (residual - mean[gene]) ** 2) / n
    return mean, variance


def single(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared error, of each sample."""
    return ((prediction - target) ** 2).mean()


def pairwise(prediction: Tensor, target: Tensor, gene: Tensor) -> Tensor:
    """Mean over genes of the squared error of signed differences, over all pairs of a gene's samples.

    The mean over all ordered pairs (a sample with itself included) of `((p_i - p_j) - (t_i - t_j))^2` is twice the
    variance of `p - t`, so that no pair is ever drawn.
    """
    return 2 * of_genes(prediction - target, gene)[1].mean()


def mixed(prediction: Tensor, target: Tensor, gene: Tensor, within: Tensor, between: float, weight: float) -> Tensor:
    """Weigh differences between samples against the means of genes, each in units of its own variance.

    `weight * mean_g(var_g(p - t) / within_g) + (1 - weight) * mean_g(mean_g(p - t)^2) / between`: 1 for a model that
    predicts one value for all.

    Parameters
    ----------
    within
        Variance between training samples of each gene of the batch, `[G]`. A gene's noise grows with it where
        heritabilities are alike, so that this is the weight of least squares.
    between
        Variance of the gene means over training genes.
    weight
        Share of the differences between samples.
    """
    mean, variance = of_genes(prediction - target, gene)
    return weight * (variance / within).mean() + (1 - weight) * (mean**2).mean() / between


# One learning rate serves any unit of expression: losses are in units of the variance that they explain. `fitted` holds
# the variances of training targets: `between` the means of genes, and in `total`.


def scaled_single(fitted: Mapping[str, float]) -> ExpressionLoss:
    """Return the loss `single` in units of the total variance."""
    return lambda prediction, target, gene, within: single(prediction, target) / fitted["total"]


def scaled_pairwise(fitted: Mapping[str, float]) -> ExpressionLoss:
    """Return the loss `pairwise` in units of each gene's variance between samples."""

    def loss(prediction: Tensor, target: Tensor, gene: Tensor, within: Tensor) -> Tensor:
        scale = torch.sqrt(within)[gene]
        return pairwise(prediction / scale, target / scale, gene) / 2

    return loss


def scaled_mixed(fitted: Mapping[str, float], weight: float) -> ExpressionLoss:
    """Return the loss `mixed` with a share `weight` of the differences between samples."""
    return lambda prediction, target, gene, within: mixed(prediction, target, gene, within, fitted["between"], weight)


LOSSES = {"single": scaled_single, "pairwise": scaled_pairwise, "mixed": scaled_mixed}

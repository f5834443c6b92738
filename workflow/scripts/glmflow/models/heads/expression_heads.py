"""Heads that read one number off the states of a haplotype."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool1d, softplus


class ExpressionHead(nn.Module):
    """One number a sequence, from states pooled with weights that depend on the place alone.

    The window is cut into `bins` of equal length, each with its mean state; a positive weight a bin, learned, says how
    much the place counts (a promoter acts near the TSS, wherever its motifs lie). A linear read-out and a small
    perceptron are added. With one bin it is the plain mean.

    Parameters
    ----------
    dim
        Width `D` of the states.
    bins
        Number of places that are distinguished.
    hidden
        Width of the perceptron's hidden layer.
    """

    def __init__(self, dim: int, bins: int = 1, hidden: int = 64):
        super().__init__()
        self.place = nn.Parameter(torch.full((bins,), 0.5413))  # softplus of it is 1
        self.linear = nn.Linear(dim, 1)
        self.perceptron = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, 1))

    def bin(self, states: Tensor) -> Tensor:
        """Return mean states of the bins, `[S, bins, D]`, of states `[S, L, D]`; this part has no weights."""
        return adaptive_avg_pool1d(states.transpose(1, 2), len(self.place)).transpose(1, 2)

    def pool(self, binned: Tensor) -> Tensor:
        """Return the pooled state of each sequence, `[S, D]`, of binned ones `[S, bins, D]`."""
        return torch.einsum("sbd,b->sd", binned, softplus(self.place).to(binned.dtype)) / len(self.place)

    def read(self, pooled: Tensor) -> Tensor:
        """Return the value of each pooled state: `[..., D]` to `[...]`."""
        return (self.linear(pooled) + self.perceptron(pooled)).squeeze(-1).float()

    def forward(self, states: Tensor) -> Tensor:
        """Return the value of each sequence, `[S]`, from states `[S, L, D]`."""
        return self.read(self.pool(self.bin(states)))


def binned(dim: int, outputs: int, bins: int, hidden: int) -> ExpressionHead:
    """Return the head for one value a haplotype."""
    return ExpressionHead(dim, bins, hidden)


HEADS = {"binned": binned}

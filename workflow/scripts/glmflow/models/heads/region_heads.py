"""Heads that predict values of regions from their states."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import softplus


class EachRegion(nn.Module):
    """Values above 0 of each region, `[B, R, outputs]`, from its state alone: softplus(W state + b)."""

    def __init__(self, dim: int, outputs: int, dropout: float = 0.0):
        super().__init__()
        self.dropout, self.linear = nn.Dropout(dropout), nn.Linear(dim, outputs)

    def forward(self, states: Tensor) -> Tensor:
        """`[B, R, D]` to `[B, R, outputs]`."""
        return softplus(self.linear(self.dropout(states)).float())


def each_region(dim: int, outputs: int, dropout: float) -> EachRegion:
    """Return the head for some values a region."""
    return EachRegion(dim, outputs, dropout)


HEADS = {"each_region": each_region}

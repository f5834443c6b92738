"""Heads that predict one value for each haplotype."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..base import Positive
from ..blocks import HeadBlock


class BinnedHead(HeadBlock):
    """A perceptron on states that are pooled by their distance to the middle of the window."""

    kind: Literal["binned"]
    target = "expression"
    default = True

    bins: Positive = Field(
        16, description="Parts of the window that have weights of their own in the pooled state; 1 is the plain mean."
    )
    hidden: Positive = Field(64, description="Width of the perceptron on the pooled states.")

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters: weights of the bins, a linear read-out and a perceptron."""
        return self.bins + (hidden + 1) + (hidden + 1) * self.hidden + (self.hidden + 1)

"""Heads that predict values of regions from their states."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..base import Fraction
from ..blocks import HeadBlock


class RegionHead(HeadBlock):
    """One linear layer on the state of each region; softplus keeps values above 0."""

    kind: Literal["each_region"]
    target = "region_values"
    default = True

    dropout: Fraction = Field(0.0, description="Dropout before the layer.")

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters: a weight for each state and a bias, of each output."""
        return (hidden + 1) * outputs

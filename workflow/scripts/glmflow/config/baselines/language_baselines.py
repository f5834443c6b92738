"""Baselines of the next base: what a compressor and counts of single lengths of context make of a sequence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import BaselineBlock

SOURCE = {"truth": "the source is known of a simulated genome alone (`simulate.repeats`)"}


class ContextMixture(BaselineBlock):
    """A compressor: models of several context lengths, weighted by how well each predicted the bases before."""

    kind: Literal["context_mixture"]
    target = ("next_bases", "described_bases")

    orders: Annotated[list[Annotated[int, Field(ge=1, le=31)]], Field(min_length=1)] = Field(
        default_factory=lambda: [1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 14, 16, 18, 20], description="Bases looked back."
    )
    reverse_complement: bool = Field(True, description="Learn from both strands.")
    forgetting: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.9, description="How much of an order's record is kept from base to base."
    )


class FixedOrder(BaselineBlock):
    """Counts of what follows the last `order` bases, each plus one; order 0 is the composition: chance."""

    kind: Literal["fixed_order"]
    target = ("next_bases", "described_bases")

    order: Annotated[int, Field(ge=0, le=16)] = Field(6, description="Bases looked back.")
    reverse_complement: bool = Field(True, description="Learn from both strands.")


class TrueSource(BaselineBlock):
    """The source of a simulated genome of repeats, given where copies lie: what no model goes below but by chance."""

    kind: Literal["true_source"]
    target = "next_bases"
    needs = SOURCE
    told = "the source of the simulation, and where its copies lie"

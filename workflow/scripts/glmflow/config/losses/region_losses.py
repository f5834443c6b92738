"""Losses on values of regions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import LossBlock

TARGET = "region_values"


class RegionPoisson(LossBlock):
    """Poisson negative log likelihood of each region and strand, promoters or not."""

    kind: Literal["region_poisson"]
    target = TARGET
    default = True

    promoters: Annotated[float, Field(gt=0)] = Field(1.0, description="Weight of promoters; other regions have 1.")


class RegionSquared(LossBlock):
    """Squared error of each region and strand."""

    kind: Literal["region_squared"]
    target = TARGET

    promoters: Annotated[float, Field(gt=0)] = Field(1.0, description="Weight of promoters; other regions have 1.")

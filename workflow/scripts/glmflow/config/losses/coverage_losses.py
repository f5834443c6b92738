"""Losses on scaled coverage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import LossBlock


class SquaredError(LossBlock):
    """Mean squared error."""

    kind: Literal["mse"]
    target = ("coverage", "measured_values")
    default = True


class Poisson(LossBlock):
    """Poisson negative log-likelihood."""

    kind: Literal["poisson"]
    target = "coverage"


class Tweedie(LossBlock):
    """Tweedie deviance."""

    kind: Literal["tweedie"]
    target = "coverage"

    power: Annotated[float, Field(gt=1, lt=2)] = Field(1.2, description="The variance grows as the mean to this power.")


class PoissonMultinomial(LossBlock):
    """Poisson loss of the total and multinomial loss of the shape of each window."""

    kind: Literal["poisson_multinomial"]
    target = "coverage"

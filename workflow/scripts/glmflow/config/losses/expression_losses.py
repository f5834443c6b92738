"""Losses on the expression of many samples in a gene."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..base import Fraction
from ..blocks import LossBlock


class Single(LossBlock):
    """Squared error of each sample."""

    kind: Literal["single"]
    target = "expression"


class Pairwise(LossBlock):
    """Squared error of the signed differences between all pairs of samples in a gene."""

    kind: Literal["pairwise"]
    target = "expression"


class Mixed(LossBlock):
    """Differences between samples, and means of genes, each in units of its own variance."""

    kind: Literal["mixed"]
    target = "expression"
    default = True

    weight: Fraction = Field(0.5, description="Share of the differences between samples.")

"""Baselines of the class of every base."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Positive
from ..blocks import BaselineBlock


class BaseKmers(BaselineBlock):
    """Logistic regression on which k-mer stands at each place around a base."""

    kind: Literal["base_kmers"]
    target = "base_class"

    k: Annotated[int, Field(ge=1, le=5)] = Field(3, description="Length of a k-mer.")
    around: Positive = Field(12, description="Bases on either side that are seen.")
    c: Annotated[float, Field(gt=0)] = Field(1.0, description="Inverse of the L2 penalty.")


class CodonPeriod(BaselineBlock):
    """The shares of the classes among training bases around which bases repeat about as strongly every three places."""

    kind: Literal["codon_period"]
    target = "base_class"

    around: Positive = Field(90, description="Bases on either side that are seen.")

"""Baselines of expression at promoters from regions of cells."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Positive
from ..blocks import BaselineBlock

TARGET = "region_values"
TRUTH = {"truth": "the truth is known of simulated data alone"}


class PromoterMean(BaselineBlock):
    """The mean over training promoters, for every promoter."""

    kind: Literal["promoter_mean"]
    target = TARGET


class TrainingCellMean(BaselineBlock):
    """The mean of training cells at the same promoter; genes differ more than cells do, which makes it hard to beat."""

    kind: Literal["training_cell_mean"]
    target = TARGET
    told = "the expression of training cells at the test promoters"


class PromoterAccessibility(BaselineBlock):
    """Linear regression on the accessibility of the promoter in the cell."""

    kind: Literal["promoter_accessibility"]
    target = TARGET


class RegionRidge(BaselineBlock):
    """Ridge regression on the columns that a model reads of the promoter: motif clusters and accessibility."""

    kind: Literal["region_ridge"]
    target = TARGET

    alpha: Annotated[float, Field(gt=0)] = Field(10.0, description="L2 penalty.")
    neighbours: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Accessible regions on either side whose columns, times their accessibility, are summed up beside.",
    )


class RegionPerceptron(BaselineBlock):
    """A perceptron of one hidden layer on the same columns."""

    kind: Literal["region_perceptron"]
    target = TARGET

    hidden: Positive = Field(64, description="Width of the hidden layer.")
    rows: Positive = Field(200_000, description="Promoters of cells that are learned from, drawn where there are more.")


class ExpressionTruth(BaselineBlock):
    """The simulated expression before its noise: what no model can exceed by more than chance."""

    kind: Literal["expression_truth"]
    target = TARGET
    needs = TRUTH
    told = "the truth of the simulation"

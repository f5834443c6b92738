"""Baselines that look up what was measured in training, of any target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..blocks import BaselineBlock


class NearestTraining(BaselineBlock):
    """What was measured in the training sequence, window, region or gene that shares most canonical k-mers: a look-up."""

    kind: Literal["nearest_training", "nearest_copy"]
    target = (
        *("class_label", "label_set", "measured_values", "base_class", "coverage", "expression"),
        *("region_key_binding", "region_values"),
    )
    told = "a look-up: the targets of the most similar training examples"

    share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="Share of k-mers below which nothing is similar: 0.2 of sequences and regions, 0.05 of windows of "
        "tracks and bases and of genes where left out.",
    )

    @model_validator(mode="before")
    @classmethod
    def _earlier_name(cls, value: Any) -> Any:
        """Read the name that it had for labelled sequences."""
        if isinstance(value, Mapping) and value.get("kind") == "nearest_copy":
            return {**value, "kind": "nearest_training"}
        return value

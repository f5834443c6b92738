"""Heads of trees on the states of a frozen model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Positive
from .class_heads import OfPooledStates


class BoostedTrees(OfPooledStates):
    """Gradient-boosted trees on the pooled states of a frozen model (kind `probe`)."""

    kind: Literal["boosted_trees"]
    target = ("class_label", "label_set", "measured_values")

    pool: Literal["mean", "max", "meanmax", "last", "cls", "bins"] = Field(
        "mean", description="How the states of the bases become one state (as of the head `pooled`)."
    )
    parts: Positive = Field(12, description="Equal parts of a sequence (`pool: bins`).")
    trees: Positive = Field(100, description="Trees, one after the other; of several classes as many for each.")
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="How much of each tree is taken.")
    depth: Annotated[int, Field(ge=1, le=10)] = Field(6, description="Largest depth of a tree.")
    solver: Literal["exact"] = Field("exact", description="Trees are grown on kept states, not trained by gradients.")

    @property
    def exact(self) -> bool:
        """Return whether its weights are computed from kept states, and not trained by gradients."""
        return self.solver == "exact"

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the most numbers that the trees hold: a feature, a threshold or value, and two branches each node."""
        return 4 * self.trees * outputs * (2 ** (self.depth + 1) - 1)

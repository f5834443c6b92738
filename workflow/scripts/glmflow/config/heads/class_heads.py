"""Heads that predict the class, the labels or the measured values of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..base import Fraction, Positive
from ..blocks import HeadBlock

OF_PARTS = ("bins", "parts_attention")
"""Ways of pooling that divide a sequence into equal parts."""


class OfPooledStates(HeadBlock):
    """What heads have in common that read the pooled states of a sequence: `pool`, and the `parts` of some ways of it."""

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield `parts` where the way of pooling has none."""
        if self.pool not in OF_PARTS and self.changed("parts"):
            yield "parts", f"pool {self.pool} has no parts ({', '.join(OF_PARTS)} have)"


class PooledHead(OfPooledStates):
    """A linear layer, or a small perceptron, on the pooled states of a sequence."""

    kind: Literal["pooled"]
    target = ("class_label", "label_set", "measured_values")
    default = True

    pool: Literal["mean", "max", "meanmax", "last", "cls", "bins", "attention", "parts_attention"] = Field(
        "mean",
        description="How the states of the bases become one state: `meanmax` both side by side; `last`: of causal models; "
        "`cls`: the special token before the sequence, of families that have one; `bins`: means of equal parts, kept apart "
        "(where the place counts, as at splice sites); `attention`: learned weights of the bases; `parts_attention`: learned "
        "weights of the means of equal parts (long sequences: what a frozen model computes for them is kept).",
    )
    parts: Positive = Field(12, description="Equal parts of a sequence (`pool: bins`, `pool: parts_attention`).")
    hidden: Annotated[int, Field(ge=0)] = Field(
        0, description="Width of a perceptron's hidden layer on the pooled state; 0: one linear layer."
    )
    dropout: Fraction = Field(0.0, description="Dropout before the last layer.")
    solver: Literal["gradient", "exact"] = Field(
        "gradient",
        description="How the weights are found: by training, or (`exact`, of a probe) as logistic or ridge regression on the "
        "frozen states, its penalty chosen on validation.",
    )

    @model_validator(mode="after")
    def _is_linear(self) -> PooledHead:
        if self.solver == "exact" and (self.hidden or self.dropout or self.pool.endswith("attention")):
            raise ValueError(
                "solver: exact fits one linear layer on kept states; leave hidden, dropout and attention out"
            )
        return self

    @property
    def exact(self) -> bool:
        """Return whether its weights are computed from kept states, and not trained by gradients."""
        return self.solver == "exact"

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters: weights and a bias for each output, of the hidden layer and its norm."""
        width = hidden * {"meanmax": 2, "bins": self.parts}.get(self.pool, 1)
        attention = hidden + 1 if self.pool.endswith("attention") else 0
        before = 2 * width + (width + 1) * self.hidden if self.hidden else 0
        return attention + before + ((self.hidden or width) + 1) * outputs


class PerBaseHead(HeadBlock):
    """Classes of every base or bin: two convolutions of width 3 on the states (as in BEND), or one linear layer."""

    kind: Literal["per_base"]
    target = "base_class"
    default = True
    kept = 4.0

    hidden: Annotated[int, Field(ge=0)] = Field(64, description="Channels of the convolutions; 0: one linear layer.")
    dropout: Fraction = Field(0.0, description="Dropout before the last layer.")

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters: two convolutions with their biases, and the last layer."""
        if not self.hidden:
            return (hidden + 1) * outputs
        return (3 * hidden + 1) * self.hidden + (3 * self.hidden + 1) * self.hidden + (self.hidden + 1) * outputs

"""Losses on the class and on the labels of a sequence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..base import Fraction
from ..blocks import LossBlock


class CrossEntropy(LossBlock):
    """Cross-entropy of the true class, of a sequence or of each base that has one."""

    kind: Literal["cross_entropy"]
    target = ("class_label", "base_class")
    default = True

    smoothing: Fraction = Field(0.0, description="Probability that is spread over all classes (label smoothing).")
    balanced: bool = Field(
        False, description="Weight each class by the inverse of its share in training, so that rare ones count as much."
    )
    positive_weight: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Weight of every class but the first (of two classes: that of the positives, as BEND has it)."
    )

    @model_validator(mode="after")
    def _one_weight(self) -> CrossEntropy:
        if self.balanced and self.positive_weight != 1:
            raise ValueError("balanced: sets the weights of classes, so leave positive_weight out")
        return self


class BinaryCrossEntropy(LossBlock):
    """Cross-entropy of each label, which a sequence has or has not; the mean over labels."""

    kind: Literal["binary_cross_entropy"]
    target = "label_set"
    default = True

    positive_weight: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Weight of the sequences that have a label."
    )

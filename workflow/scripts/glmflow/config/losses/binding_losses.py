"""Losses on the binding of keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import LossBlock


class KeyCrossEntropy(LossBlock):
    """Cross-entropy of binding, the mean over keys and regions."""

    kind: Literal["key_cross_entropy"]
    target = "region_key_binding"
    default = True


class KeyContrast(LossBlock):
    """Cross-entropy of binding, and how far a region's bound keys stand out among its keys (InfoNCE)."""

    kind: Literal["key_contrast"]
    target = "region_key_binding"

    weight: Annotated[float, Field(gt=0)] = Field(0.1, description="Weight of the contrast.")
    temperature: Annotated[float, Field(gt=0)] = Field(1.0, description="What logits are divided by.")

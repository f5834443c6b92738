"""Settings of a small text model that is pretrained here on the questions of a task."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from .base import Block, Label, Positive

FOLDER = "texts"
"""Folder of the study's results that holds them."""


def made_text(results: str, label: str) -> str:
    """Return the folder of a text model that is pretrained here."""
    return f"{results}/{FOLDER}/{label}"


class TextPretraining(Block):
    """A small Qwen3 that learns to read and write the questions of a task before it is given any DNA."""

    questions: Label = Field(
        description="Task (`kind: diagnosis`) whose training questions are learned, each with an answer that is drawn from its "
        "list: how answers are written is learned, and nothing of which is right."
    )
    hidden: Positive = Field(128, description="Width.")
    layers: Positive = Field(3, description="Layers.")
    heads: Positive = Field(4, description="Attention heads.")
    vocabulary: Positive = Field(700, description="Byte pairs, learned from the same questions.")
    steps: Positive = Field(200, description="Updates.")
    batch: Positive = Field(32, description="Questions of an update.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(2.0e-3, description="Learning rate (AdamW).")
    seed: Annotated[int, Field(ge=0)] = Field(1, description="Seed: one text model for all seeds of the runs.")

    @model_validator(mode="after")
    def _divides(self) -> TextPretraining:
        if self.hidden % (2 * self.heads):
            raise ValueError(f"hidden: {self.hidden} is no multiple of twice the heads ({self.heads})")
        return self

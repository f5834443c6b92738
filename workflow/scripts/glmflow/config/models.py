"""Where a model comes from: published, pretrained here, new, made from another, or a baseline."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .base import Block, Fraction, Label, Positive


class New(Block):
    """An untrained model of a family."""

    family: Label = Field(description="Family, one file of `glmflow/models/families`.")
    config: dict[str, Any] = Field(default_factory=dict, description="Sizes and settings of the family.")


class Pretrain(New):
    """Self-supervised training on the training contigs: next base (causal) or masked bases."""

    length: Positive = Field(512, description="Length of a training sequence in bp.")
    steps: Positive = Field(500, description="Updates.")
    batch: Positive = Field(32, description="Sequences an update.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(3e-3, description="Peak learning rate (AdamW, one cycle).")
    mask: Fraction = Field(0.15, description="Share of bases that are masked (masked families only).")


class Baseline(Block):
    """A model without a language model in it."""

    kind: Literal["mean_track", "kmer_ridge_bins", "kmer_ridge_promoter"] = Field(
        description="`mean_track`: training mean; `kmer_ridge_bins`: k-mer counts of bins; `kmer_ridge_promoter`: "
        "k-mer counts at the annotated TSS (it is told where the promoters are)."
    )
    k: Annotated[int, Field(ge=1, le=8)] = Field(4, description="Length of a k-mer.")
    bin: Positive = Field(128, description="Bin (or promoter) length in bp.")
    alpha: Annotated[float, Field(gt=0)] = Field(1.0, description="Ridge penalty per training row.")


class Model(Block):
    """One entry of `models`; exactly one of the origins is given."""

    checkpoint: str | None = Field(
        None, description="A name of `config/models.yaml` or the path of a checkpoint folder."
    )
    pretrain: Pretrain | None = Field(None, description="Pretrain it here.")
    new: New | None = Field(None, description="Start from random weights.")
    baseline: Baseline | None = Field(None, description="A baseline.")
    context: Positive | None = Field(
        None, description="Longest input in bp; longer windows are read in overlapping chunks."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        given = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(ORIGINS)} (found {', '.join(given) or 'none'})")
        return self

    @property
    def origin(self) -> str:
        """Which of the origins is given."""
        return next(name for name in ORIGINS if getattr(self, name) is not None)


ORIGINS = ("checkpoint", "pretrain", "new", "baseline")

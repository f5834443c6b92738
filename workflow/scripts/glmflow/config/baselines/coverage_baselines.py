"""Baselines of coverage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Positive
from ..blocks import BaselineBlock

KmerLength = Annotated[int, Field(ge=1, le=8)]
Penalty = Annotated[float, Field(gt=0)]
GENES = {"genes": "it lays its predictions over genes: give `reference.annotation`"}


class MeanTrack(BaselineBlock):
    """The training mean of each track, everywhere."""

    kind: Literal["mean_track"]
    target = "coverage"


class KmerRidgeBins(BaselineBlock):
    """Ridge regression on the k-mer counts of bins and their neighbours."""

    kind: Literal["kmer_ridge_bins"]
    target = "coverage"

    k: KmerLength = Field(4, description="Length of a k-mer.")
    bin: Positive = Field(128, description="Length of a bin in bp.")
    alpha: Penalty = Field(1.0, description="Ridge penalty per training row.")


class KmerRidgePromoter(BaselineBlock):
    """Ridge regression on the k-mer counts before each annotated transcription start, laid over annotated exons."""

    kind: Literal["kmer_ridge_promoter"]
    target = "coverage"
    needs = GENES
    told = "start, strand and exons of every gene"

    k: KmerLength = Field(4, description="Length of a k-mer.")
    bin: Positive = Field(128, description="Length of the promoter in bp.")
    alpha: Penalty = Field(1.0, description="Ridge penalty per training row.")

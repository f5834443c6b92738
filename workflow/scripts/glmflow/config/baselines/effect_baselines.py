"""Baselines of the effect of an allele: scores that no model has a part in. Higher: more likely to matter."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..base import Positive
from ..blocks import BaselineBlock


class EffectBaseline(BaselineBlock):
    """What baselines of this target declare."""

    target = "allele_effect"
    declared = True
    reads: ClassVar[str | None] = None
    """Column of the examples that it is computed from."""
    annotation: ClassVar[bool] = False
    """Whether it needs genes."""


class NoEffect(EffectBaseline):
    """The same for every allele: AUROC .5, average precision the base rate."""

    kind: Literal["no_effect"]


class AlleleFrequency(EffectBaseline):
    """Rare alleles first; what was never seen counts as the rarest."""

    kind: Literal["allele_frequency"]
    reads = "frequency"


class ConsequenceRank(EffectBaseline):
    """The severity of the consequence, in Ensembl's order."""

    kind: Literal["consequence_rank"]
    reads = "consequence"


class ConsequenceFrequency(EffectBaseline):
    """The share of positives with the same consequence on other chromosomes (else groups)."""

    kind: Literal["consequence_frequency"]
    reads = "consequence"
    told = "labels of the other chromosomes"


class DistanceToStart(EffectBaseline):
    """Near a transcription start first."""

    kind: Literal["distance_to_start"]
    annotation = True


class DistanceToCentre(EffectBaseline):
    """Near the middle of its contig (element) first."""

    kind: Literal["distance_to_centre"]


class ContextRate(EffectBaseline):
    """How rare the k-mer with the allele is in the genome beside the one without, both strands counted."""

    kind: Literal["context_rate"]

    k: Literal[1, 3, 5, 7, 9] = Field(5, description="Bases of the k-mer, the allele in its middle.")


class TransitionFirst(EffectBaseline):
    """1 for transitions, 0 for transversions; single bases only."""

    kind: Literal["transition_first"]


class TransversionFirst(EffectBaseline):
    """1 for transversions, 0 for transitions; single bases only."""

    kind: Literal["transversion_first"]


class CpgTransition(EffectBaseline):
    """1 for C>T in CpG (and G>A on the other strand), 0 for other single bases."""

    kind: Literal["cpg_transition"]


class GcAround(EffectBaseline):
    """The share of G and C around the allele."""

    kind: Literal["gc_around"]

    flank: Positive = Field(100, description="Bases on each side.")


class SmallFirst(EffectBaseline):
    """A small number in a column first: few barcodes, whose effects are noisy and so look large; a short distance."""

    kind: Literal["small_first"]

    column: Annotated[str, Field(min_length=1)] = Field(description="Name of the column among the task's `columns`.")


class Conservation(EffectBaseline):
    """The mean of a conservation track (phyloP, phastCons) over the reference bases."""

    kind: Literal["conservation"]
    declared = False

    track: str = Field(description="bigWig of the genome that the alleles lie on.")


class ExternalScore(EffectBaseline):
    """A score that a column of the source has (CADD, phyloP)."""

    kind: Literal["external_score"]
    declared = False
    told = "a score that was made elsewhere, with labels or other species"

    column: Annotated[str, Field(min_length=1)] = Field(description="Name of the column among the task's `columns`.")
    sign: Literal["plus", "minus", "magnitude"] = Field(
        "plus", description="How it is read: higher first, or lower first."
    )

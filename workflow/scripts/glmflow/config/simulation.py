"""Simulated data in place of what is not given."""

from __future__ import annotations

from pydantic import Field, model_validator

from .base import Block, Fraction, Label, Positive
from .simulation_settings import OverlaySettings, SimulationSettings, Span


class Overlay(OverlaySettings):
    """Tracks and expression simulated over a real genome, real samples and real genes."""

    fasta: str = Field(description="Real reference genome, FASTA.")
    vcf: str = Field(description="Real phased genotypes, VCF.gz or BCF.")
    annotation: str = Field(description="Real genes, GTF.")


class Repeats(Block):
    """A genome in which far context helps: a Markov background in which most bases are copies of what lies before."""

    seed: int = Field(1, description="Seed of the genome.")
    contigs: dict[Label, Positive] = Field(description="Contigs and their lengths in bp.")
    reach: Positive = Field(2048, description="Largest distance in bp of a copy.")
    near: Fraction = Field(
        0.7, description="Share of the copies that lie within `near_bp`; a short model learns from them."
    )
    near_bp: Positive = Field(96, description="Largest distance of a near copy.")
    copy_bp: Span = Field((24, 48), description="Shortest and longest copy.")
    gap: Positive = Field(10, description="Mean number of bases between two copies.")
    substitutions: Fraction = Field(0.01, description="Chance of a base to be copied wrongly.")


class Simulation(Block):
    """A cohort made from nothing, signals laid over real genotypes, or a genome of repeats."""

    cohort: SimulationSettings | None = Field(None, description="Make genome, genes, samples, tracks and expression.")
    overlay: Overlay | None = Field(None, description="Simulate tracks and expression on real sequence and genotypes.")

    repeats: Repeats | None = Field(None, description="Make a genome of repeats, without genes and samples.")

    @model_validator(mode="after")
    def _one(self) -> Simulation:
        if sum(block is not None for block in (self.cohort, self.overlay, self.repeats)) != 1:
            raise ValueError("give one of `cohort` (made from nothing), `overlay` (on real data) and `repeats`")
        return self

    @property
    def settings(self) -> SimulationSettings | Overlay | Repeats:
        """The settings that are given."""
        return self.cohort or self.overlay or self.repeats

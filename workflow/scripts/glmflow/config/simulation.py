"""Simulated data in place of what is not given."""

from __future__ import annotations

from pydantic import Field, model_validator

from .base import Block
from .simulation_settings import OverlaySettings, SimulationSettings


class Overlay(OverlaySettings):
    """Tracks and expression simulated over a real genome, real people and real genes."""

    fasta: str = Field(description="Real reference genome, FASTA.")
    vcf: str = Field(description="Real phased genotypes, VCF.gz or BCF.")
    annotation: str = Field(description="Real genes, GTF.")


class Simulation(Block):
    """Either a cohort made from nothing or signals laid over real genotypes."""

    cohort: SimulationSettings | None = Field(None, description="Make genome, genes, people, tracks and expression.")
    overlay: Overlay | None = Field(None, description="Simulate tracks and expression on real sequence and genotypes.")

    @model_validator(mode="after")
    def _one(self) -> Simulation:
        if (self.cohort is None) == (self.overlay is None):
            raise ValueError("give either `cohort` (made from nothing) or `overlay` (on real data)")
        return self

    @property
    def settings(self) -> SimulationSettings | Overlay:
        """The settings that are given."""
        return self.cohort or self.overlay

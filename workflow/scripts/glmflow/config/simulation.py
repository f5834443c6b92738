"""Simulated data in place of what is not given."""

from __future__ import annotations

from typing import Annotated

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


class Coding(Block):
    """A genome of genes without introns, as bacteria have: codons of their own frequencies on both strands, gaps between."""

    seed: int = Field(1, description="Seed of the genome.")
    contigs: dict[Label, Positive] = Field(description="Contigs and their lengths in bp.")
    gene_bp: Span = Field((300, 1500), description="Shortest and longest gene, with its stop codon.")
    gap_bp: Span = Field((20, 150), description="Fewest and most bases between two genes.")
    codon_log_sd: Annotated[float, Field(ge=0)] = Field(
        1.0, description="Standard deviation of the natural log of codon frequencies: how much genes look like genes."
    )
    families: Positive = Field(40, description="Families of genes; genes of one descend from one ancestor.")
    diverged: Fraction = Field(0.3, description="Share of the codons of a gene that are not those of its ancestor.")
    panel: Positive = Field(
        6,
        description="Last genes that are written as a panel (`genes.csv`), of each contig, with 1,000 bases before them.",
    )
    hazard_bp: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Length of a random sequence that stands in for a hazard: written to `hazards.fa`, and laid, with 5 % of its "
        "bases changed, into each contig from nine tenths of it on; 0: none.",
    )


class AnnotatedGenomes(Block):
    """Genomes of several organisms with annotated genes, and pairs of their DNA and text: what a gene makes, its bases go with.

    Codons of a gene are drawn by the frequencies of its organism, and its amino acids by what its product prefers.
    """

    seed: int = Field(1, description="Seed of the genomes.")
    organisms: Annotated[int, Field(ge=1, le=6)] = Field(3, description="Organisms, each of one contig.")
    products: Annotated[int, Field(ge=1, le=6)] = Field(4, description="Products that genes are of.")
    genes: Annotated[int, Field(ge=10)] = Field(600, description="Genes of each organism.")
    gene_bp: Span = Field((150, 600), description="Shortest and longest gene, with its stop codon.")
    organism_log_sd: Annotated[float, Field(ge=0)] = Field(
        0.5, description="Standard deviation of the natural log of an organism's codon frequencies."
    )
    product_log_sd: Annotated[float, Field(ge=0)] = Field(
        0.8,
        description="Standard deviation of the natural log of how much a product prefers each amino acid; 0: its name tells "
        "nothing of the DNA.",
    )
    paralogs: Fraction = Field(
        0.2, description="Share of the genes that descend from the one before, of the same product."
    )
    diverged: Fraction = Field(0.1, description="Share of the codons of a paralog that are drawn again.")
    validation: Fraction = Field(0.05, description="Share of the pairs for validation.")
    test: Fraction = Field(0.15, description="Share of the pairs for the test.")

    @property
    def contigs(self) -> dict[str, int]:
        """Contigs, one an organism, and about how long they are: genes are of random lengths, with 50 bases between two."""
        length = self.genes * (sum(self.gene_bp) // 2 + 50)
        return {f"SIM_{number + 1}": length for number in range(self.organisms)}


class Simulation(Block):
    """A cohort made from nothing, signals laid over real genotypes, or genomes alone: of repeats, of genes, annotated."""

    cohort: SimulationSettings | None = Field(None, description="Make genome, genes, samples, tracks and expression.")
    overlay: Overlay | None = Field(None, description="Simulate tracks and expression on real sequence and genotypes.")

    repeats: Repeats | None = Field(None, description="Make a genome of repeats, without genes and samples.")

    coding: Coding | None = Field(None, description="Make a genome of genes without introns, without samples.")

    annotated: AnnotatedGenomes | None = Field(
        None,
        description="Make genomes with annotated genes (`annotated.gbk`), and pairs of DNA and text (`pairs.jsonl`).",
    )

    @model_validator(mode="after")
    def _one(self) -> Simulation:
        blocks = (self.cohort, self.overlay, self.repeats, self.coding, self.annotated)
        if sum(block is not None for block in blocks) != 1:
            raise ValueError(
                "give one of `cohort` (made from nothing), `overlay` (on real data), `repeats`, `coding` and `annotated`"
            )
        return self

    @property
    def settings(self) -> SimulationSettings | Overlay | Repeats | Coding | AnnotatedGenomes:
        """The settings that are given."""
        return self.cohort or self.overlay or self.repeats or self.coding or self.annotated

    @property
    def genome_alone(self) -> bool:
        """Whether a genome is all that is made."""
        return bool(self.repeats or self.coding or self.annotated)

"""What a simulation is made of, as pydantic models (read while the workflow is parsed: imports nothing else)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from .base import Block

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


def _ascending(span: tuple[int, int]) -> tuple[int, int]:
    if not 0 < span[0] <= span[1]:
        raise ValueError("give the smallest length, above 0, then the largest")
    return span


Span = Annotated[tuple[int, int], AfterValidator(_ascending)]


class PromoterSettings(Block):
    """The grammar by which transcription-factor motifs upstream of a gene set its activity."""

    length_bp: int = Field(500, ge=150, description="Bases upstream of the transcription start that act.")
    sites_per_gene: Positive = Field(8, description="Mean number of motif sites planted in a promoter.")
    effects: dict[str, list[float]] = Field(
        {"liver": [0.9, 0.8, 0.7, 0.0, 0.6], "brain": [0.3, 0.8, 0.0, 0.0, 1.2]},
        min_length=1,
        description="By biosample: what one site of each motif adds to the natural log of a gene's activity. The third "
        "motif acts on the gene's own strand only; the last two act together as a spaced pair. The first biosample "
        "is the one whose expression is measured in every sample.",
    )
    pair_effect: float = Field(0.8, description="What one spaced pair of the last two motifs adds (natural log).")
    distance_sd_bp: Positive = Field(
        250,
        description="Standard deviation, in bp, of the Gaussian weight of a site's distance to the start.",
    )

    @model_validator(mode="after")
    def _as_many_motifs_everywhere(self) -> Self:
        counts = {len(effects) for effects in self.effects.values()}
        if len(counts) != 1 or min(counts) < 5:
            raise ValueError("effects: every biosample needs one effect for each motif, 5 motifs or more")
        return self

    @property
    def biosamples(self) -> tuple[str, ...]:
        """Names of the biosamples, in the order of the settings."""
        return tuple(self.effects)


class GeneSettings(Block):
    """Where made genes lie and how they are built."""

    spacing_bp: int = Field(4000, ge=1000, description="One gene every this many bp, on a random strand.")
    span_bp: Span = Field((800, 2200), description="Smallest and largest length of a gene, in bp.")
    exon_bp: Span = Field((120, 500), description="Smallest and largest length of an exon, in bp.")
    intron_bp: Span = Field((150, 1200), description="Smallest and largest length of an intron, in bp.")
    codon_log_sd: Positive = Field(
        1.0,
        description="Standard deviation of the natural log of codon frequencies: how much exons look like exons.",
    )


class PopulationSettings(Block):
    """The samples and the history their haplotypes come from (a coalescent with recombination)."""

    people: dict[str, Annotated[int, Field(ge=1)]] = Field(
        {"north": 60, "south": 40}, min_length=1, description="Number of samples by population."
    )
    effective_size: Positive = Field(1e4, description="Effective population size, in diploid samples.")
    split_generations: Positive = Field(
        400, description="Generations since the populations parted from a common one (of the same size)."
    )
    recombination_rate: Positive = Field(1e-8, description="Crossovers per bp and generation.")
    mutation_rate: Positive = Field(3e-8, description="Mutations per bp and generation.")
    flipped_share: Share = Field(0.3, description="Share of sites at which the genome carries the derived allele.")
    indel_share: Share = Field(0.1, description="Share of variants, outside the causal ones, that are indels.")
    longest_indel_bp: int = Field(6, ge=1, description="Longest inserted or deleted stretch, in bp.")

    @property
    def names(self) -> list[str]:
        """Names of the samples, one population after the other."""
        return [f"S{number:04d}" for number in range(1, 1 + sum(self.people.values()))]


class TrackSettings(Block):
    """RNA-seq coverage of each biosample and strand."""

    replicates: int = Field(3, ge=1, description="Replicates of each biosample.")
    coverage: Positive = Field(1.0, description="Mean coverage, in reads per base, of a gene of log activity 0.")
    read_bp: int = Field(100, ge=1, description="Read length, in bp.")
    replicate_log_sd: float = Field(
        0.15, ge=0, description="Standard deviation, between replicates, of a gene's log level."
    )
    unspliced_share: Share = Field(0.02, description="Coverage by unspliced transcripts, as a share of the exons'.")


class ExpressionSettings(Block):
    """Expression of each gene in each sample, made by both haplotypes of the promoter."""

    heritability: float = Field(
        0.4,
        gt=0,
        le=1,
        description="Share of a gene's variance between samples that its promoter's variants make.",
    )
    causal_variants: int = Field(
        3, ge=0, description="Common single-base variants a gene that are made to complete or break a motif."
    )
    min_maf: float = Field(0.05, ge=0, lt=0.5, description="Smallest minor-allele frequency of these variants.")


class TruthSettings(Block):
    """What every simulation has, on a made or on a real genome."""

    seed: int = Field(1, ge=0, description="The same seed gives the same bytes.")
    promoter: PromoterSettings = Field(PromoterSettings(), description="Grammar of the promoters.")
    tracks: TrackSettings = Field(TrackSettings(), description="RNA-seq coverage tracks.")
    expression: ExpressionSettings = Field(ExpressionSettings(), description="Expression of each sample.")


class SimulationSettings(TruthSettings):
    """A cohort made from nothing: genome, genes, samples, tracks and expression."""

    contigs: dict[str, Annotated[int, Field(ge=20_000)]] = Field(
        {"chr1": 2_000_000, "chr2": 2_000_000, "chr3": 2_000_000, "chr4": 500_000, "chr5": 1_000_000},
        min_length=2,
        description="Length of each contig, in bp; two or more, so that one can be held out.",
    )
    genes: GeneSettings = Field(GeneSettings(), description="Genes on the made genome.")
    population: PopulationSettings = Field(PopulationSettings(), description="Samples and their history.")

    @model_validator(mode="after")
    def _genes_fit(self) -> Self:
        needed = self.genes.span_bp[1] + self.promoter.length_bp + 100
        if needed > self.genes.spacing_bp:
            raise ValueError(f"genes.spacing_bp: the longest gene with its promoter needs {needed} bp or more")
        short = [name for name, length in self.contigs.items() if length < self.genes.spacing_bp]
        if short:
            raise ValueError(f"contigs: {', '.join(short)} shorter than genes.spacing_bp, so without a gene")
        return self

    @model_validator(mode="after")
    def _causal_variants_fit(self) -> Self:
        needed = 80 + 24 * self.expression.causal_variants
        if needed > self.promoter.length_bp:
            raise ValueError(f"promoter.length_bp: so many expression.causal_variants need {needed} bp or more")
        return self


class OverlaySettings(TruthSettings):
    """Tracks and expression simulated over a real genome, real samples and real genes."""

    edit_flanks: bool = Field(
        True,
        description="Edit bases of the genome so that real alleles complete motifs, and plant further sites; no "
        "variant is touched. Without it the sequence stays as it is, and there is next to nothing to learn.",
    )
    pseudo_gene_spacing_bp: int | None = Field(
        2500,
        ge=1000,
        description="Supplement the annotation with pseudo-genes of one exon, one every this many bp where no real gene "
        "has an exon or its promoter (labelled gene_type simulated); null for none.",
    )

    @model_validator(mode="after")
    def _pseudo_genes_fit(self) -> Self:
        needed = self.promoter.length_bp + 900
        if self.pseudo_gene_spacing_bp is not None and self.pseudo_gene_spacing_bp < needed:
            raise ValueError(f"pseudo_gene_spacing_bp: a pseudo-gene with its promoter needs {needed} bp or more")
        return self

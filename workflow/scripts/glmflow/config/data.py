"""Where the sequence, the samples and the signals come from, and how they are split."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from .base import Block, Fraction, Label, Positive


def _listed(value: Any) -> Any:
    """Let a single name stand for a list of one."""
    return [value] if isinstance(value, str) else value


def _separated(value: Any) -> Any:
    """Let names between commas stand for a list, as `--config data=a,b` gives them."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


NAMES = {"type": "array", "items": {"type": "string"}, "minItems": 1}
OneOrMore = Annotated[
    list[str], Field(min_length=1), BeforeValidator(_listed), WithJsonSchema({"anyOf": [{"type": "string"}, NAMES]})
]
"""One name, or a list of them."""
Names = Annotated[
    list[str], BeforeValidator(_separated), WithJsonSchema({"anyOf": [{"type": "string"}, {**NAMES, "minItems": 0}]})
]
"""Names in a list, or one text with commas between them."""


class Reference(Block):
    """The reference genome and its genes."""

    fasta: str = Field(description="Reference genome, FASTA, plain, bgzip or gzip.")
    species: str | None = Field(
        None,
        description="Species of the genome (genus_species), by which is said whether published checkpoints have seen it; "
        "human assemblies are known by the lengths of their chromosomes.",
    )
    annotation: str | None = Field(
        None, description="Genes, GTF or GFF3 (plain or gzip); needed for gene-level scores."
    )
    blacklist: str | None = Field(None, description="Regions to leave out, BED (plain or gzip).")
    contigs: list[str] | None = Field(
        None, description="Contigs to use; where left out all of the FASTA but for its `alternates`."
    )
    alternates: Literal["leave_out", "keep"] = Field(
        "leave_out",
        description="Contigs that hold copies of others' sequence (alternate loci, patches, HLA alleles, decoys) and the "
        "pseudoautosomal regions of Y: windows of one in training and of the other in testing leak.",
    )


class Cohort(Block):
    """Samples with phased genotypes."""

    vcf: OneOrMore = Field(
        description="Phased genotypes, VCF.gz or BCF: one file, or a list of files of the same samples that have their "
        "contigs apart (one a chromosome)."
    )
    samples: str | None = Field(
        None,
        description="Table (TSV) of the samples to learn from and to score: `sample` and, where known, `population`, "
        "`family`; everyone in it is in the VCF. All of the VCF where left out.",
    )
    variants: Literal["all", "snv"] = Field(
        "all",
        description="`snv` keeps every coordinate of the reference; `all` applies insertions and deletions too.",
    )
    unphased: Literal["refuse", "reference"] = Field(
        "refuse", description="Unphased heterozygous calls: stop, or take the reference allele (counted)."
    )
    filters: Annotated[list[str], Field(min_length=1)] | None = Field(
        ["PASS", "."],
        description="FILTER values that are kept (`.`: a record without one), the rest is counted and left out; null "
        "keeps every record.",
    )


class Track(Block):
    """One signal: the mean over its replicates."""

    biosample: str = Field(
        description="Tissue or cell type; tracks of different biosamples are compared as fold changes."
    )
    strand: Literal["+", "-", "."] = Field(".", description="Strand of the signal; `.` where unstranded.")
    replicates: Annotated[list[str], Field(min_length=1)] = Field(description="bigWig files, one a replicate.")
    negate: bool = Field(
        False,
        description="The files hold coverage as negative numbers (minus strands of some pipelines): turn the sign.",
    )


class ContigSplits(Block):
    """Whole contigs are held out."""

    by: Literal["contig"] = "contig"
    train: Annotated[list[str], Field(min_length=1)] = Field(description="Contigs to learn from.")
    validation: list[str] = Field(default_factory=list, description="Contigs to choose settings on.")
    test: list[str] = Field(default_factory=list, description="Contigs that are scored.")

    @model_validator(mode="after")
    def _disjoint(self) -> ContigSplits:
        seen: dict[str, str] = {}
        for split in ("train", "validation", "test"):
            for contig in getattr(self, split):
                if contig in seen:
                    raise ValueError(
                        f"contig {contig!r} is in both {seen[contig]} and {split}; give each contig to one split"
                    )
                seen[contig] = split
        return self


class BlockSplits(Block):
    """Blocks along the contigs are held out, with a gap between splits."""

    by: Literal["block"] = "block"
    block: Positive = Field(description="Length of a block in bp.")
    gap: Positive = Field(description="Bases left out between blocks of different splits; at least one window.")
    validation: Fraction = Field(0.1, description="Share of the blocks for validation.")
    test: Fraction = Field(0.2, description="Share of the blocks for testing.")
    seed: int = Field(1, description="Seed of the draw of blocks.")


class HomologySplits(BlockSplits):
    """As blocks, of which those that share near copies (canonical k-mers, both strands) are held out together.

    Repeats such as Alu keep nothing together. A run stops, saying the shares that came out, where groups leave a split
    less than half of its share.
    """

    by: Literal["homology"] = "homology"


Splits = Annotated[ContigSplits | BlockSplits | HomologySplits, Field(discriminator="by")]
Tracks = dict[Label, Track]


class Data(NamedTuple):
    """Where the data of a study lie, simulated or given."""

    reference: Reference | None
    cohort: Cohort | None
    tracks: dict[str, Track]

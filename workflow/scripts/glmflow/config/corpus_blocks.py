"""What language models are pretrained on: sources, cleaning, and what is held out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import Block, Fraction, Label, Place, Positive, some_left_to_train


class Source(Block):
    """Files of one division."""

    path: str = Field(description="A file, or a pattern of files (`*`), FASTA or GenBank, plain or gzip.")
    division: Label = Field(
        "all", description="Group of organisms: what is sampled and held out is balanced over them."
    )
    format: Literal["fasta", "genbank"] | None = Field(None, description="Format; by the ending where left out.")
    regions: Literal["all", "genes"] = Field(
        "all", description="All of each sequence, or its genes alone (GenBank): genes that touch are one stretch."
    )
    flank: Annotated[int, Field(ge=0)] = Field(0, description="Bases on either side of genes that are taken along.")

    @model_validator(mode="after")
    def _flank_of_genes(self) -> Source:
        if self.flank and self.regions == "all":
            raise ValueError("flank is of genes: say `regions: genes`, or leave it out")
        return self


class CorpusSplit(Block):
    """What is held out of a corpus."""

    by: Literal["cluster", "species", "genus", "family", "contig", "position"] = Field(
        "cluster",
        description="What is held out together: clusters of genomes that are alike, a taxon (where the files name it), a "
        "contig, or parts of every sequence (`position`: the first part is learned from, the last is the test).",
    )
    identity: Annotated[float, Field(gt=0.5, le=1)] = Field(
        0.95, description="Identity from which on two genomes are one cluster (21-mer containment)."
    )
    validation: Fraction = Field(0.1, description="Share of the bases for validation.")
    test: Fraction = Field(0.1, description="Share of the bases for testing.")
    genus_holdout: list[str] = Field(
        default_factory=list, description="Genera that are held out whole, as a second test."
    )
    max_shared: Fraction = Field(
        0.02, description="Largest share of held-out bases in matches of 32 bases or more to training; above it stops."
    )
    seed: int = Field(1, description="Seed of the draw.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is said of whole sequences where each is parted."""
        if self.by == "position":
            for key in self.changed("genus_holdout", "seed"):
                yield key, "by: position takes parts of every sequence, at the same places"

    @model_validator(mode="after")
    def _some_left(self) -> CorpusSplit:
        some_left_to_train(self.validation, self.test)
        return self


class CorpusBlock(Block):
    """Genomes that language models are pretrained on."""

    sources: Annotated[list[Source], Field(min_length=1)] = Field(description="Where the sequences are.")
    exclude: list[str] = Field(
        default_factory=list,
        description="Species, genera, families, other taxa of a lineage (GenBank) or accessions that are left out and counted.",
    )
    keep_eukaryotic_viruses: Annotated[str, Field(min_length=10)] | None = Field(
        None,
        description="Why viruses of eukaryotes are learned from: they are left out and counted where no reason is given. The "
        "reason is written into log, models and report, and `glmflow generate` draws from such models behind a screen only.",
    )
    near_copies: Annotated[float, Field(gt=0.5, le=1)] | None = Field(
        None,
        description="Identity (21-mer containment, either strand) from which on a sequence is left out as a copy, or a fragment, "
        "of one that is as long or longer; `copies.tsv` names both. Only exact copies are left out where it is absent.",
    )
    min_length: Positive = Field(1000, description="Shorter sequences are left out.")
    max_n: Fraction = Field(0.05, description="Largest share of unknown bases; runs of 20 cut a sequence first.")
    keep_softmask: bool = Field(True, description="Keep what is in lower case marked.")
    mask: Literal["file", "recompute"] = Field(
        "file",
        description="What is in lower case: what the file has so, or windows of low complexity (64 bases, DUST score above 2), the "
        "same for all files: masks differ by who made an assembly, and with them weights.",
    )
    circular: bool | None = Field(None, description="Whether sequences are circular; as the file says where left out.")
    temperature: Fraction = Field(
        0.5, description="Divisions are drawn by their bases to this power: 1 as they are, 0 evenly."
    )
    split: CorpusSplit = Field(default_factory=CorpusSplit, description="What is held out.")

    @model_validator(mode="after")
    def _masked_for_something(self) -> CorpusBlock:
        if self.mask == "recompute" and not self.keep_softmask:
            raise ValueError("mask: recompute marks what keep_softmask: false forgets; leave one out")
        return self


def corpus_files(results: str, corpus: str) -> dict[str, str | list[str]]:
    """Return the files of a corpus of a study, whose results are in a folder."""
    folder = f"{results}/corpora/{corpus}"
    return {"corpus": f"{folder}/sequences.parquet", "bases": f"{folder}/bases.u8", "made": f"{folder}/corpus.json"}


def unknown_corpus(corpora: Iterable[str], corpus: str) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with the name of a corpus, with its place in the task."""
    if corpus not in corpora:
        yield ("corpus",), f"no corpus {corpus!r} in `corpora` (there is {', '.join(corpora) or 'none'})"

"""What tuned models are applied to, beside what was held out."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from .base import Block, Label


class Form(NamedTuple):
    """What is written: the ending of its file (none for a folder), and the kinds of task whose models can write it."""

    suffix: str
    kinds: tuple[str, ...]


FORMS = {
    "tracks": Form("", ("rnaseq_tracks",)),
    "means": Form(".parquet", ("rnaseq_tracks",)),
    "expression": Form(".parquet", ("snp2gex",)),
    "variants": Form(".vcf.gz", ("rnaseq_tracks", "snp2gex")),
}


class Prediction(Block):
    """Other sequences for every tuned model, as `glmflow predict` takes them."""

    write: Literal["tracks", "means", "expression", "variants"] = Field(
        description="`tracks`: a bigWig a track. `means`: mean coverage of each interval (parquet). `expression`: every gene "
        "in every person, by models of personal expression (parquet). `variants`: the VCF with what each allele changes: "
        "log2 of coverage, or expression of the genes around it.",
    )
    tasks: list[Label] | None = Field(
        None, description="Tasks whose models are applied; all that can write it where left out."
    )
    models: list[Label] | None = Field(None, description="Models that are applied; all tuned ones where left out.")
    fasta: str | None = Field(
        None,
        description="Genome; the study's where left out. For `expression` without `vcf`, a folder of people's own FASTAs "
        "(`fasta/{sample}_allele_{1,2}.fasta`, a record a gene).",
    )
    vcf: str | None = Field(None, description="Phased genotypes of people, or the variants to score.")
    sample: str | list[str] | None = Field(
        None, description="Person whose haplotypes are read; for `expression` several, or everyone where left out."
    )
    haplotype: Literal[1, 2] | None = Field(
        None, description="One haplotype; the mean of both where left out (`expression` writes each)."
    )
    bed: str | None = Field(
        None,
        description="Intervals (BED); the whole genome where left out. Windows are laid anew over each, so "
        "that a base is seen in another context than in the whole genome.",
    )
    genes: str | None = Field(
        None, description="Genes for models of personal expression: GTF, BED or TSV; those of the task where left out."
    )
    records_along: Literal["gene", "genome"] | None = Field(
        None,
        description="How a folder's records of genes on the minus strand are read; as those the model was trained on where "
        "left out.",
    )

    unphased: Literal["refuse", "reference"] = Field(
        "refuse", description="Unphased heterozygous calls of people: stop, or take the reference allele."
    )
    filters: Annotated[list[str], Field(min_length=1)] | None = Field(
        ["PASS", "."],
        description="FILTER values of people's variants that are kept (`.`: a record without one); null keeps every record.",
    )

    @property
    def suffix(self) -> str:
        """Ending of the file that is written; none for a folder."""
        return FORMS[self.write].suffix

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of task whose models can write it."""
        return FORMS[self.write].kinds

    @property
    def samples(self) -> list[str] | None:
        """People whose haplotypes are read; None where none is named."""
        return [self.sample] if isinstance(self.sample, str) else self.sample

    @property
    def records(self) -> bool:
        """Whether people are read from a folder of their own FASTAs."""
        return self.write == "expression" and not self.vcf

    @model_validator(mode="after")
    def _belong_together(self) -> Prediction:
        if self.write == "variants" and (not self.vcf or self.sample or self.bed):
            raise ValueError("`write: variants` takes a `vcf` and neither `sample` nor `bed`: it scores every variant")
        if self.write == "expression":
            self._of_people()
        elif self.records_along or (self.genes and self.write != "variants"):
            raise ValueError("`genes` and `records_along` are for models of personal expression: `write: expression`")
        elif self.write != "variants" and bool(self.vcf) != bool(self.sample):
            raise ValueError("a person takes both: `vcf` and `sample`")
        elif self.samples and len(self.samples) > 1:
            raise ValueError("tracks are predicted of one `sample`")
        if self.haplotype and not self.sample:
            raise ValueError("`haplotype` takes a `sample`")
        return self

    def _of_people(self) -> None:
        """Check what expression is predicted from."""
        if self.bed or self.haplotype:
            raise ValueError(
                "`write: expression` takes `genes`, not `bed`, and writes both haplotypes beside their mean"
            )
        if not self.vcf and not self.fasta:
            raise ValueError("`write: expression` takes the `vcf` of people, or a folder of their FASTAs as `fasta`")
        if not self.vcf and self.genes:
            raise ValueError("a folder of people's FASTAs holds their genes: leave `genes` out, or give a `vcf`")
        if self.vcf and self.records_along:
            raise ValueError("`records_along` is for a folder of people's FASTAs: leave it out, or leave `vcf` out")

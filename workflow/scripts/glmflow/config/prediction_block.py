"""What tuned models are applied to, beside what was held out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from .base import Block, Label
from .tasks import KINDS
from .words import suggest

FORMS = {form: suffix for kind in KINDS for form, suffix in kind.writes.items()}
"""What tuned models can write, by kind of task that declares it, and the ending of its file."""

EVERYONE = ("expression", "binding")
"""Forms that hold everyone of the VCF where no sample is named, and both haplotypes of each."""


class Prediction(Block):
    """Other sequences for every tuned model, as `glmflow predict` takes them."""

    write: Label = Field(
        description="`tracks`: a bigWig a track. `means`: mean coverage of each interval (parquet). `expression`: every gene "
        "in every sample, by models of expression (parquet). `binding`: every key in every region of the run in which a sample's "
        "haplotypes differ from the reference, by models of binding (parquet). `variants`: the VCF with what each allele changes: "
        "log2 of coverage, or expression of the genes around it.",
    )
    tasks: list[Label] | None = Field(
        None, description="Tasks whose models are applied; all that can write it where left out."
    )
    models: list[Label] | None = Field(None, description="Models that are applied; all tuned ones where left out.")
    fasta: str | None = Field(
        None,
        description="Genome; the study's where left out. For `expression` without `vcf`, a folder of samples' own FASTAs "
        "(`fasta/{sample}_allele_{1,2}.fasta`, one record per gene).",
    )
    vcf: str | None = Field(None, description="Phased genotypes of samples, or the variants to score.")
    sample: str | list[str] | None = Field(
        None,
        description="Sample whose haplotypes are read; for `expression` and `binding` several, or everyone where left out.",
    )
    haplotype: Literal[1, 2] | None = Field(
        None,
        description="One haplotype; the mean of both where left out (`expression` and `binding` write each).",
    )
    bed: str | None = Field(
        None,
        description="Intervals (BED), of `binding` those whose regions are predicted; the whole genome where left out. Windows are "
        "laid out again over each, so that a base is seen in another context than in the whole genome.",
    )
    genes: str | None = Field(
        None, description="Genes for models of personal expression: GTF, BED or TSV; those of the task where left out."
    )
    records_along: Literal["gene", "genome"] | None = Field(
        None,
        description="How a folder's records of genes on the minus strand are read; as those the model was trained on where "
        "left out.",
    )

    span: Annotated[int, Field(gt=0)] | None = Field(
        None,
        description="`write: variants` of tracks: bases around the allele whose coverage is averaged; all that the model's "
        "windows count where left out, which dilutes what changes nearby.",
    )
    share: Annotated[int, Field(gt=0)] = Field(
        1, description="`write: variants` of tracks: alleles within this many bases share one window of the reference."
    )
    symbolic: bool = Field(
        False, description="`write: variants`: `<DEL>` with END or SVLEN is read as the deletion it is."
    )
    mismatches: Annotated[float, Field(ge=0, le=1)] = Field(
        0.05,
        description="`write: variants`: share of alleles with another REF than the genome beyond which nothing is computed.",
    )
    unphased: Literal["refuse", "reference"] = Field(
        "refuse", description="Unphased heterozygous calls of samples: stop, or take the reference allele."
    )
    filters: Annotated[list[str], Field(min_length=1)] | None = Field(
        ["PASS", "."],
        description="FILTER values of samples' variants that are kept (`.`: a record without one); null keeps every record.",
    )

    @property
    def suffix(self) -> str:
        """Ending of the file that is written; none for a folder."""
        return FORMS[self.write]

    @field_validator("write")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in FORMS:
            raise ValueError(f"unknown value {value!r}{suggest(value, FORMS)}")
        return value

    @property
    def samples(self) -> list[str] | None:
        """Samples whose haplotypes are read; None where none is named."""
        return [self.sample] if isinstance(self.sample, str) else self.sample

    @property
    def records(self) -> bool:
        """Whether samples are read from a folder of their own FASTAs."""
        return self.write == "expression" and not self.vcf

    @property
    def parses_genotypes(self) -> bool:
        """Whether a VCF's genotypes are read."""
        return bool(self.samples) or self.write in EVERYONE

    @model_validator(mode="after")
    def _belong_together(self) -> Prediction:
        if self.write == "variants" and (not self.vcf or self.sample or self.bed):
            raise ValueError("`write: variants` takes a `vcf` and neither `sample` nor `bed`: it scores every variant")
        own = self.changed("span", "share", "symbolic", "mismatches")
        if self.write != "variants" and own:
            raise ValueError(f"`{sorted(own)[0]}` is for `write: variants`")
        if self.write == "expression":
            self._of_people()
        elif self.records_along or (self.genes and self.write != "variants"):
            raise ValueError("`genes` and `records_along` are for models of personal expression: `write: expression`")
        elif self.write == "binding":
            if not self.vcf or self.haplotype:
                raise ValueError("`write: binding` takes the `vcf` of samples and writes both haplotypes of each")
        elif self.write != "variants" and bool(self.vcf) != bool(self.sample):
            raise ValueError("a sample takes both: `vcf` and `sample`")
        elif self.samples and len(self.samples) > 1:
            raise ValueError("tracks are predicted of one `sample`")
        if self.haplotype and not self.sample:
            raise ValueError("`haplotype` takes a `sample`")
        return self

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is said of genotypes where none are read."""
        if not self.parses_genotypes:
            for key in self.changed("unphased"):
                yield key, "no genotypes of samples are read"

    def _of_people(self) -> None:
        """Check what expression is predicted from."""
        if self.bed or self.haplotype:
            raise ValueError(
                "`write: expression` takes `genes`, not `bed`, and writes both haplotypes beside their mean"
            )
        if not self.vcf and not self.fasta:
            raise ValueError("`write: expression` takes the `vcf` of samples, or a folder of their FASTAs as `fasta`")
        if not self.vcf and self.genes:
            raise ValueError("a folder of samples' FASTAs holds their genes: leave `genes` out, or give a `vcf`")
        if self.vcf and self.records_along:
            raise ValueError("`records_along` is for a folder of samples' FASTAs: leave it out, or leave `vcf` out")

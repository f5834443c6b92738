"""What tuned track models are applied to, beside the windows that were held out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .base import Block, Label

SUFFIX = {"tracks": "", "means": ".parquet", "variants": ".vcf.gz"}


class Prediction(Block):
    """Other sequences for every tuned model of the track tasks, as `glmflow predict` takes them."""

    write: Literal["tracks", "means", "variants"] = Field(
        description="`tracks`: a bigWig a track. `means`: mean coverage of each interval (parquet). `variants`: the VCF "
        "with the predicted log2 change of coverage by allele.",
    )
    tasks: list[Label] | None = Field(None, description="Track tasks whose models are applied; all where left out.")
    models: list[Label] | None = Field(None, description="Models that are applied; all tuned ones where left out.")
    fasta: str | None = Field(None, description="Genome; the study's where left out.")
    vcf: str | None = Field(None, description="Phased genotypes of `sample`, or the variants to score.")
    sample: str | None = Field(None, description="Person whose haplotypes are read.")
    haplotype: Literal[1, 2] | None = Field(None, description="One haplotype; the mean of both where left out.")
    bed: str | None = Field(None, description="Intervals (BED); the whole genome where left out.")

    @property
    def suffix(self) -> str:
        """Ending of the file that is written; none for a folder."""
        return SUFFIX[self.write]

    @model_validator(mode="after")
    def _belong_together(self) -> Prediction:
        if self.write == "variants" and (not self.vcf or self.sample or self.bed):
            raise ValueError("`write: variants` takes a `vcf` and neither `sample` nor `bed`: it scores every variant")
        if self.write != "variants" and bool(self.vcf) != bool(self.sample):
            raise ValueError("a person takes both: `vcf` and `sample`")
        if self.haplotype and not self.sample:
            raise ValueError("`haplotype` takes a `sample`")
        return self

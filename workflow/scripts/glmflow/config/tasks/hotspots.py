"""Kind `hotspots`: does a window of the genome hold more variants than chance would put there?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ..adaptations import Adaptation
from ..base import Block, Fraction, Place, Positive
from ..data import OneOrMore
from ..task_block import ControlledTask, Files, Work
from ..views import Run, StudyView


class Tiles(Block):
    """Windows that tile each contig from base 0, without overlap; a last shorter one is left out."""

    size: Positive = Field(8192, description="Length of a window in bp.")
    max_n_fraction: Fraction = Field(0.0, description="Windows with a larger share of N are left out.")
    max_masked_fraction: Fraction = Field(
        1.0, description="Windows of which `reference.blacklist` covers a larger share are left out."
    )


class Hotspots(ControlledTask):
    """Windows of the reference with more variants than chance, and as many others; the alleles themselves are the label."""

    kind: Literal["hotspots"]
    input = "labelled_sequences"
    target = "class_label"
    refused = {"zero-shot": "classes cannot be read off a language model without a trained head"}
    options = frozenset({"train.reverse_complement", "train.examples", "train.folds"})
    frozen_options = frozenset({"train.examples", "train.folds"})
    page = "hotspots"
    compares = True

    vcf: OneOrMore | None = Field(
        None, description="Variants, with or without genotypes; those of the cohort where left out."
    )
    windows: Tiles = Field(default_factory=Tiles, description="Windows along the reference.")
    test: Literal["poisson", "negative_binomial", "top_share"] = Field(
        "poisson",
        description="`poisson`: as published; `negative_binomial`: with the variance that the windows have; `top_share`: "
        "the windows with most variants.",
    )
    expected: Literal["mean", "trinucleotides"] = Field(
        "mean",
        description="Variants that chance puts into a window: the mean of its contig's, or what its trinucleotides make of "
        "it, by how often each is changed on the contig.",
    )
    q: Annotated[float, Field(gt=0, lt=1)] = Field(0.05, description="False discovery rate of a hotspot.")
    correct_over: Literal["contig", "genome"] = Field("contig", description="Windows that are corrected together.")
    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="Share of a contig's windows (`test: top_share`)."
    )
    negatives: Annotated[float, Field(gt=0)] = Field(1.0, description="Other windows to each hotspot.")
    matched: Literal["gc", "cpg_oe", "n_fraction"] | None = Field(
        None, description="What the other windows have in common with the hotspots."
    )
    filters: Annotated[list[str], Field(min_length=1)] | None = Field(
        ["PASS", "."], description="FILTER values that count; null: all."
    )
    snv_only: bool = Field(False, description="Count single-base changes alone.")
    min_frequency: Annotated[float, Field(ge=0, lt=0.5)] = Field(0.0, description="Rarest variant that counts.")
    control: Literal["none", "permuted_labels"] = Field(
        "none",
        description="`permuted_labels`: those of training and validation windows change places among themselves, again with "
        "each seed (ten unless `runs` names them).",
    )
    near: Positive = Field(
        1_000_000,
        description="Bases within which a training window tells of a test window, as their counts are alike: how many test "
        "windows have one is reported as a leak.",
    )
    unit: Positive = Field(10, description="Windows side by side that are resampled together.")
    seed: int = Field(1, description="Seed of the draw of other windows.")
    bootstrap: Positive = Field(500, description="Bootstrap draws behind each interval.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what the other tests read."""
        top = self.test == "top_share"
        for key in self.changed("q", "correct_over", "expected") if top else self.changed("share"):
            yield key, f"`test: {self.test}` does not read it"

    @property
    def length(self) -> int:
        """Bases that are read of a window."""
        return self.windows.size

    @property
    def control_draws(self) -> int:
        """How often a control is drawn where `runs` names no seeds: one permutation is one draw of chance."""
        return 1 if self.control == "none" else 10

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return self.windows.size

    def variants(self, study: StudyView) -> list[str]:
        """Return the VCFs whose records are counted."""
        return list(self.vcf or (study.data.cohort.vcf if study.data.cohort else []))

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset({"neighbours"})

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        return {("vcf", number): path for number, path in enumerate(self.vcf or [])}

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        fasta = f"{study.results}/reference/genome.fa"
        tables: Files = {"tables": f"{study.results}/examples/{label}"}
        match step:
            case "examples":
                blacklist: Files = {"blacklist": study.data.reference.blacklist or []}
                return {"fasta": fasta, "index": f"{fasta}.fai", "vcf": self.variants(study)} | blacklist
            case "score":
                return tables
        return tables | {"genome": fasta}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Check that there are variants to count."""
        if not self.variants(study):
            yield ("vcf",), "no variants to count: give `vcf:`, `cohort:` or `simulate:`"

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how long windows are; how many are hotspots is known when the variants are counted."""
        size, batch = self.windows.size, adaptation.train.micro_batch
        return Work(length=size, window=size, at_once=batch, held=batch, held_bytes=size)

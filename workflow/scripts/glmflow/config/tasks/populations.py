"""Kind `populations`: which population does a haplotype come from?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Block, Fraction, Label, Place, Positive, some_left_to_train
from ..task_block import ControlledTask, Files, Work
from ..views import Run, StudyView


class Loci(Block):
    """Windows whose haplotypes are told apart."""

    size: Positive = Field(8192, description="Length of a window in bp.")
    densest: Positive = Field(
        4, description="Windows of each contig: those with most variants that differ between samples."
    )
    regions: str | None = Field(None, description="BED of windows of this size, in place of the densest ones.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield how many windows are chosen where they are given."""
        if self.regions:
            for key in self.changed("densest"):
                yield key, "`regions` says which windows there are"


class HaplotypeSplits(Block):
    """How haplotypes are divided."""

    by: Literal["samples", "loci", "haplotypes"] = Field(
        "samples",
        description="`samples`: a sample and its relatives are in one split, and the same loci in all; `loci`: windows are "
        "held out, a control that is expected to be at chance; `haplotypes`: at random, which shows what a sample's other "
        "haplotype tells.",
    )
    validation: Fraction = Field(0.1, description="Share of the validation split.")
    test: Fraction = Field(0.33, description="Share of the test split.")
    seed: int = Field(1, description="Seed of the draw.")


class Populations(ControlledTask):
    """The population of haplotypes in chosen windows, equally many samples of each."""

    kind: Literal["populations"]
    input = "labelled_sequences"
    target = "class_label"
    refused = {"zero-shot": "classes cannot be read off a language model without a trained head"}
    options = frozenset({"train.reverse_complement", "train.examples", "train.folds"})
    frozen_options = frozenset({"train.examples", "train.folds"})
    genome = False
    compared = "own"
    page = "populations"
    compares = True

    samples: str | None = Field(
        None,
        description="Table (TSV) of samples: `sample`, the column of the classes and, where known, `family`; that of the "
        "cohort where left out. Samples without genotypes are left out.",
    )
    column: str = Field("population", description="Column of the classes: `population`, `superpopulation` ...")
    classes: Annotated[list[Label], Field(min_length=2)] | None = Field(
        None, description="Which classes; all with six samples or more where left out."
    )
    most: Positive | None = Field(None, description="Most samples of a class.")
    windows: Loci = Field(default_factory=Loci, description="Windows whose haplotypes are told apart.")
    variants: Literal["all", "snv"] = Field("all", description="Variants that haplotypes carry.")
    splits: HaplotypeSplits = Field(default_factory=HaplotypeSplits, description="How haplotypes are divided.")
    control: Literal["none", "permuted_labels", "reference"] = Field(
        "none",
        description="`permuted_labels`: training and validation samples (with their relatives) exchange their classes, again with "
        "each seed (ten unless `runs` names them); `reference`: everyone carries the reference sequence. Every model has to be at "
        "chance then.",
    )
    seed: int = Field(1, description="Seed of the draw of samples.")
    bootstrap: Positive = Field(500, description="Draws of windows and of samples behind each interval.")

    @model_validator(mode="after")
    def _leaves_some(self) -> Populations:
        some_left_to_train(self.splits.validation, self.splits.test)
        return self

    @property
    def control_draws(self) -> int:
        """How often a control is drawn where `runs` names no seeds: one exchange of classes is one draw of chance."""
        return 10 if self.control == "permuted_labels" else 1

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return self.windows.size

    @property
    def length(self) -> int:
        """Bases that are read of a haplotype."""
        return self.windows.size

    def table(self, study: StudyView) -> str | None:
        """Return the table of samples."""
        return self.samples or (study.data.cohort.samples if study.data.cohort else None)

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset({"haplotypes"})

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        named: dict[Place, str | None] = {("samples",): self.samples, ("windows", "regions"): self.windows.regions}
        return {place: path for place, path in named.items() if path}

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        fasta = f"{study.results}/reference/genome.fa"
        cohort: Files = {"fasta": fasta, "index": f"{fasta}.fai", "store": f"{study.results}/cohort/store"}
        tables: Files = {"tables": f"{study.results}/examples/{label}"}
        match step:
            case "examples":
                return cohort | {"samples": self.table(study) or [], "regions": self.windows.regions or []}
            case "baseline":
                return cohort | tables
        return tables

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Check that there are haplotypes and a table of samples."""
        if study.data.reference is None or study.data.cohort is None:
            yield (), "no cohort: give `reference:` and `cohort:` with a VCF, or `simulate:`"
        elif self.table(study) is None:
            yield ("samples",), "no table of samples: give `samples:` with their classes"

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how long windows are; how many samples there are is known when they are drawn."""
        size, batch = self.windows.size, adaptation.train.micro_batch
        return Work(length=size, window=size, at_once=batch, held=batch, held_bytes=size)

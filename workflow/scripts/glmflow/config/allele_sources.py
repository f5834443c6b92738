"""Where alleles come from that no file of the user lists, and where they lie in a genome browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import Block, Fraction, Label, Place, Positive
from .views import Run, StudyView


class Truth(Block):
    """Changes of the motifs that the study's simulation has planted, and of other places, instead of a table."""

    contigs: Annotated[list[Label], Field(min_length=1)] = Field(description="Contigs that they lie on.")
    sites: Positive = Field(300, description="Sites of motifs that are changed, one change each.")
    controls: Positive = Field(
        3, description="Changes of the same base into the same base outside of motifs, for each."
    )
    indels: Fraction = Field(0.2, description="Share of the sites where bases are deleted or inserted.")
    shifted: bool = Field(
        False, description="Move every site to a random place: nothing is left to be found (a control; AUROC 0.5)."
    )
    seed: int = Field(1, description="Seed of the draw.")


class Browser(Block):
    """The genome browser that links lead to, and where the contigs of the files lie there."""

    assembly: str = Field("hg38", description="Name of the assembly in the UCSC browser.")
    chrom: str | None = Field(None, description="Chromosome there, where the file's contigs are windows of it.")
    offset: Annotated[int, Field(ge=0)] = Field(0, description="Position there of a contig's base before the first.")
    columns: dict[Literal["chrom", "pos"], str] | None = Field(
        None,
        description="Which of the task's `columns` have the chromosome and position there (from 1), allele by allele.",
    )


class Pictures(Block):
    """In-silico mutagenesis and dependency maps of intervals around the alleles of the largest label or effect."""

    most: Positive = Field(3, description="Intervals that are drawn.")
    bp: Positive = Field(100, description="Bases of each; within the context of every model.")


class EffectsOf(Block):
    """A run of this study that predicts what variants do (its `predicted/variants.tsv`)."""

    task: Label = Field(description="Its task.")
    model: Label = Field(description="Its model, or baseline.")
    adaptation: Label = Field(description="Its adaptation.")
    seed: int = Field(1, description="Its seed.")

    def folder(self, results: str) -> str:
        """Return the folder of the run below the study's results."""
        return Run(self.task, self.model, self.adaptation, self.seed).folder(results)


class Carried(Block):
    """Variants that the study's cohort carries near genes, each with the effects on the gene that runs predict.

    Scores of models that saw no expression stand beside effects of models that were trained on it.
    """

    effects: Annotated[dict[Label, EffectsOf], Field(min_length=1)] = Field(
        description="Runs by the column that their effects become here; `external_score` puts one beside the models."
    )
    target: str = Field(description="The column that scores are compared with; `truth`: a simulation's own effects.")
    min_maf: Annotated[float, Field(ge=0, lt=0.5)] = Field(0.01, description="Rarest minor allele that is compared.")

    @model_validator(mode="after")
    def _known_target(self) -> Carried:
        if self.target != "truth" and self.target not in self.effects:
            raise ValueError(f"target: name one of {', '.join(self.effects)}, or truth")
        if "truth" in self.effects:
            raise ValueError("effects: truth is the simulation's; name the run otherwise")
        return self

    def problems(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield runs that the study has not, and a truth that it does not know."""
        for name, one in self.effects.items():
            run = Run(one.task, one.model, one.adaptation, one.seed)
            if one.task == label or run not in study.runs_of(one.task):
                yield (
                    ("carried", "effects", name),
                    f"{run.label} is no run of another task of this study; name one of `runs`",
                )
        if self.target == "truth" and not study.simulate:
            yield ("carried", "target"), "only a simulation knows the truth; name one of `effects`"

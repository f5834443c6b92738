"""Kind `diagnosis`: questions about a pair of alleles, answered in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Block, Fraction, Place, Positive, some_left_to_train
from ..table_sizes import rows_of
from ..task_block import Files, TaskBlock, Work
from ..text_blocks import made_text
from ..views import Run, StudyView

SPLITS = ("train", "validation", "test")


class QuestionSplits(Block):
    """How questions are divided; those of one gene or locus stay together unless said otherwise."""

    by: Literal["official", "gene", "locus", "pathway", "chromosome", "column", "random"] = Field(
        "gene",
        description="`gene`: rows of one gene or locus (500 shared 31-mers of the reference, or half of a short one's) together; "
        "`locus`: by sequence alone; `pathway`: those of one network too; `chromosome`, `column`: by value; `official`: the splits "
        "of the files; `random`: rows.",
    )
    column: str | None = Field(None, description="Column whose values are held out (`by: column`).")
    validation: Fraction | list[str] = Field(
        0.1,
        description="Share, or values, of the validation split (official: taken out of training where there is none).",
    )
    test: Fraction | list[str] = Field(0.2, description="Share, or values, of the test split.")
    merge: bool = Field(
        False,
        description="`by: official`: validation and test rows are scored as one, as the published tables do; validation is then "
        "taken out of training, because weights must not be chosen on what they are scored on.",
    )
    seed: int = Field(1, description="Seed of the draw.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what another way of dividing reads."""
        if self.by != "column":
            for key in self.changed("column"):
                yield key, f"`by: {self.by}` does not read it"
        if self.by == "official":
            for key in self.changed("test"):
                yield key, "the test rows are those of the files"

    @model_validator(mode="after")
    def _leaves_some(self) -> QuestionSplits:
        some_left_to_train(self.validation, self.test)
        return self


class SimulatedQuestions(Block):
    """Questions whose truth is known: the text names a gene, and so its disease; the alleles say whether a site is broken."""

    train: Positive = Field(4000, description="Training questions.")
    test: Positive = Field(256, description="Test questions, and as many validation questions.")
    length: Annotated[int, Field(ge=40)] = Field(64, description="Bases of an allele.")
    genes: Annotated[int, Field(ge=2, le=16)] = Field(8, description="Genes, each with its disease.")
    leaky: bool = Field(False, description="Every variant breaks the site, so that the text alone gives the answer.")
    seed: int = Field(1, description="Seed.")


class Diagnosis(TaskBlock):
    """Which disease a variant contributes to, or whether it matters, asked in words about a pair of alleles."""

    kind: Literal["diagnosis"]
    input = "allele_questions"
    target = "answer_text"
    refused = {"zero-shot": "states of DNA mean nothing to a text model before a bridge between them is trained"}
    genome = False
    compared = "own"
    page = "diagnosis"
    scoring = frozenset({"bootstrap"})
    training = frozenset({"draws"})

    layout: Literal["kegg", "vep_coding", "vep_non_snv", "table"] = Field(
        "table",
        description="How rows are written: KEGG questions (with the pathway, or without: kegg_hard), variant effects of coding "
        "variants, of others, or any table with question, answer, reference_sequence, variant_sequence.",
    )
    table: str | dict[Literal["train", "validation", "test"], str] | None = Field(
        None, description="JSON lines, CSV, TSV or parquet; or one a split."
    )
    simulated: SimulatedQuestions | None = Field(None, description="Simulated questions.")
    flank: Positive = Field(1024, description="Bases on each side of the change that are read of both alleles.")
    crop: Literal["change", "first"] = Field(
        "change",
        description="`change`: around it; `first`: the first 2 x flank bases, as the published code truncates. Where that hides "
        "the change from any question, the study is refused.",
    )
    unchanged: str = Field(
        "no disease",
        description="Answer where the alleles are alike; a class of its own where the table has no such answer.",
    )
    classes: list[str] | None = Field(None, description="Answers to choose from; all of the table where left out.")
    splits: QuestionSplits = Field(default_factory=QuestionSplits, description="How rows are divided.")
    draws: Positive = Field(5, description="Draws of each random control of whether the DNA is read.")
    bootstrap: Positive = Field(1000, description="Bootstrap draws of groups behind each interval.")

    @model_validator(mode="after")
    def _one_source(self) -> Diagnosis:
        if (self.table is None) == (self.simulated is None):
            raise ValueError("give one of table and simulated")
        if self.splits.by == "column" and self.splits.column is None:
            raise ValueError("splits.column: name the column whose values are held out")
        if self.splits.by == "official" and self.table is not None and not isinstance(self.table, dict):
            raise ValueError("splits.by: official takes the splits of the files; give table: {train: ..., test: ...}")
        if self.splits.merge and self.splits.by != "official":
            raise ValueError("splits.merge: only official splits are merged; leave it out")
        if isinstance(self.table, dict) and not {"train", "test"} <= set(self.table) and self.splits.by == "official":
            raise ValueError("table: give at least train and test for the official split")
        return self

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield how rows are read, and divided, where questions are simulated with their splits."""
        if self.simulated:
            for key in (
                *self.changed("layout"),
                *(f"splits.{key}" for key in self.splits.changed("validation", "test")),
            ):
                yield key, "questions are simulated, with their splits"

    @property
    def window_bp(self) -> int:
        """Bases of the longest allele that a model reads, but for what is inserted."""
        return min(self.simulated.length, 2 * self.flank + 1) if self.simulated else 2 * self.flank + 1

    def sources(self) -> dict[str, str]:
        """Return the files by the split that they hold; `""` where they say none."""
        if isinstance(self.table, str):
            return {"": self.table}
        return {split: self.table[split] for split in SPLITS if split in self.table} if self.table else {}

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        return {("table", split) if split else ("table",): path for split, path in self.sources().items()}

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the tables of questions for the examples, and the list of answers for what comes after them."""
        if step == "examples":
            return {"sources": sorted(set(self.sources().values()))}
        if step not in ("train", "predict", "baseline", "score"):
            return {}
        found: Files = {"tables": f"{study.results}/examples/{label}"}
        if run is not None and step in ("train", "predict"):
            head = study.adaptations[run.adaptation].head_for(self.target)
            made = getattr(head, "text_folder", None) in [made_text(study.results, text) for text in study.texts]
            found |= {"text": head.text_folder} if made or head.checkpoints else {}
        return found

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what is said of simulated questions that only tables have."""
        if self.simulated and self.splits.by not in ("gene", "random", "official"):
            yield ("splits", "by"), "simulated questions are independent of each other; leave splits out"

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how much there is to compute: both alleles of each question."""
        rows = [rows_of(path) for path in self.sources().values() if Path(path).is_file()]
        known = self.simulated.train + 2 * self.simulated.test if self.simulated else sum(n for n in rows if n)
        return Work(
            length=self.window_bp,
            window=self.window_bp,
            examples=known or None,
            sequences=2,
            predicted=known * 2 or None,
            at_once=2 * adaptation.train.micro_batch,
            held=2 * adaptation.train.micro_batch,
            held_bytes=self.window_bp,
        )

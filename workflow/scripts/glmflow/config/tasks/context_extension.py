"""Kind `context_extension`: how far back a language model makes use of its context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Block, Fraction, Place, Positive
from ..blocks import TRAINED
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView


class Recall(Block):
    """A segment at the end of a window that occurs once before."""

    segment: Annotated[int, Field(ge=16)] = Field(64, description="Bases of the repeated segment.")
    distances: Annotated[list[Positive], Field(min_length=1)] = Field(
        default_factory=lambda: [512, 1024, 2048, 4096], description="Bases from the copy to the segment."
    )
    trials: Positive = Field(24, description="Windows, each used at every distance and in every variant.")
    variants: list[Literal["exact", "mutated", "reverse_complement"]] = Field(
        default_factory=lambda: ["exact", "mutated", "reverse_complement"],
        description="The copy as it is, with substitutions, or on the other strand.",
    )
    substitutions: Fraction = Field(0.05, description="Share of the bases of a mutated copy that differ.")
    jitter: Fraction = Field(
        0.1,
        description="Distances are drawn for each window within this share of theirs: one fixed distance would "
        "measure the phase of single rotary pairs.",
    )

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield how many bases of a mutated copy differ where none is mutated."""
        if "mutated" not in self.variants:
            for key in self.changed("substitutions"):
                yield key, "no copy is mutated (`variants`)"


class ContextExtension(TaskBlock):
    """Loss of the same last bases as their context grows, and recall of a segment repeated at growing distances."""

    kind: Literal["context_extension"]
    input = "segments"
    target = "likelihood"
    adaptations = frozenset({"zero-shot"})
    refused = {
        "baseline": "a baseline is no language model whose context could be measured",
        "new": "an untrained model has no context that could be measured",
        **dict.fromkeys(TRAINED, "context is measured as the model is: tune it with `extend`"),
    }
    needs = frozenset({"likelihood"})
    page = "context"
    compares = True

    contexts: Annotated[list[Positive], Field(min_length=1)] = Field(
        description="Lengths of context in bp, the model's own first; multiples of its bases per token."
    )
    bases_per_token: Positive = Field(
        1,
        description="Bases of a token where they are more than one (6 for Nucleotide Transformer and GENERator): contexts, "
        "scored bases, segment and drawn distances are its multiples, so that a copy is the same tokens.",
    )
    scored: Positive = Field(512, description="Last bases of each window whose loss is taken, at every context.")
    examples: Positive = Field(128, description="Windows of the test split.")
    repeat_k: Annotated[int, Field(ge=6, le=31)] = Field(
        16, description="A base counts as a repeat where the k bases before it occur earlier in the window."
    )
    recall: Recall = Field(default_factory=Recall, description="Recall of a repeated segment.")
    bootstrap: Positive = Field(1000, description="Bootstrap draws behind each interval.")
    seed: int = Field(1, description="Seed of the draw of windows.")

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return max(self.contexts)

    @property
    def window_key(self) -> Place:
        """Key of the settings that says how long windows are."""
        return ("contexts",)

    @model_validator(mode="after")
    def _fits(self) -> ContextExtension:
        if self.scored >= min(self.contexts):
            raise ValueError(f"scored {self.scored} is not below the shortest context {min(self.contexts)}")
        segment, longest = self.recall.segment, max(self.contexts) - self.recall.segment
        on_grid = {"contexts": self.contexts, "scored": [self.scored], "recall.segment": [segment]}
        for name, lengths in on_grid.items():
            if uneven := [length for length in lengths if length % self.bases_per_token]:
                raise ValueError(f"{name}: {uneven[0]} is no multiple of bases_per_token {self.bases_per_token}")
        for distance in self.recall.distances:
            if not segment <= distance <= longest:
                raise ValueError(
                    f"recall.distances: {distance} is not between the segment ({segment}) and the longest context less "
                    f"the segment ({longest})"
                )
        return self

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        if step != "examples":
            return {}
        fasta = f"{study.results}/reference/genome.fa"
        return {"fasta": fasta, "index": f"{fasta}.fai", "regions": f"{study.results}/examples/regions.tsv"}

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return the sequences that a model is asked about: windows at every context, and those with a copy."""
        recalled = self.recall.trials * (1 + len(self.recall.distances) * len(self.recall.variants))
        asked = [(context, self.examples) for context in self.contexts] + [(self.window_bp, recalled)]
        return Work(length=self.window_bp, window=self.window_bp, asked=tuple(asked))

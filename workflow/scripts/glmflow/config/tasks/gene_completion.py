"""Kind `gene_completion`: how much of known proteins models write from the start of their genes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from ..adaptations import Adaptation
from ..base import Place, Positive
from ..blocks import TRAINED
from ..corpus_blocks import corpus_files, unknown_corpus
from ..drawing_blocks import DrawingBlock, undrawable
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView


class GeneCompletion(TaskBlock):
    """Genes of a panel, completed from 1,000 bases before them and their first 30 %; scores alone are kept."""

    kind: Literal["gene_completion"]
    input = "gene_prompts"
    target = "completed_gene"
    adaptations = frozenset({"zero-shot", "baseline"})
    refused = {
        "new": "an untrained model has learned nothing that could be drawn",
        **dict.fromkeys(TRAINED, "models complete genes as they are: train with `pretrain`"),
    }
    needs = frozenset({"likelihood", "generation"})
    page = "gene_completion"
    genome = False
    compared = "own"
    asking = frozenset({"drawing"})

    panel: str = Field(
        description="Genes without introns, CSV: gene, organism, cds_start (0-based), reference_protein, genomic_sequence."
    )
    corpus: str | None = Field(
        None,
        description="Corpus (`corpora`) that baselines learn from, and in whose training part the genes are looked for.",
    )
    samples: Positive = Field(20, description="Continuations of each gene.")
    drawing: DrawingBlock = Field(
        default_factory=lambda: DrawingBlock(temperature=0.7, top_k=4),
        description="How bases are drawn; as published where left out (temperature 0.7, top_k 4).",
    )
    most_training: Positive = Field(
        20_000_000,
        description="Training bases at most that genes are looked for in and baselines learn from: spread over all sequences, and "
        "a warning says how many are left out.",
    )
    bootstrap: Positive = Field(1000, description="Bootstrap draws behind each interval.")

    @property
    def window_bp(self) -> int:
        """Longest stretch that an example covers: an upper bound of common genes, of which only the panel can tell."""
        return 4096

    @property
    def window_key(self) -> Place:
        """Key of the settings that says how long windows are."""
        return ("panel",)

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset({"corpus"} if self.corpus else ())

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        if step not in ("examples", "predict", "baseline"):
            return {}
        corpus = corpus_files(study.results, self.corpus) if self.corpus and step != "predict" else {}
        return {"panel": self.panel, **corpus}

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        return {("panel",): self.panel}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what is wrong beside other blocks."""
        if self.corpus is not None:
            yield from unknown_corpus(study.corpora, self.corpus)
        yield from undrawable(study, label, ("drawing",), self.drawing)

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return the sequences that a model draws, as passes over them."""
        return Work(length=self.window_bp, window=self.window_bp, asked=((self.window_bp, 4 * self.samples),))

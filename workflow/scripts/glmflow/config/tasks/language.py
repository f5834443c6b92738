"""Kind `language`: what held-out sequence costs a model, in bits per base, beside what it costs a compressor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ..adaptations import Adaptation
from ..base import Place, Positive
from ..blocks import TRAINED
from ..corpus_blocks import corpus_files, unknown_corpus
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView


class Language(TaskBlock):
    """Bits per base of the same held-out bases, with more and more of what lies before them."""

    kind: Literal["language"]
    input = "scored_windows"
    target = "next_bases"
    adaptations = frozenset({"zero-shot", "baseline"})
    refused = {
        "new": "an untrained model has learned nothing that could be scored",
        **dict.fromkeys(TRAINED, "bits per base are scored as the model is: train it with `pretrain`"),
    }
    needs = frozenset({"likelihood"})
    page = "language"
    genome = False
    compared = "own"
    compares = True

    corpus: str = Field(description="Corpus (`corpora`) whose held-out sequences are scored.")
    contexts: Annotated[list[Positive], Field(min_length=1)] = Field(
        default_factory=lambda: [16, 64, 256], description="Bases before the scored ones that are shown, each in turn."
    )
    scored: Positive = Field(64, description="Bases at the end of a window that are scored, at every context.")
    windows: Positive = Field(256, description="Windows of each held-out split.")
    controls: list[Literal["far_replaced", "shuffled"]] = Field(
        default_factory=lambda: ["far_replaced", "shuffled"],
        description="The same with the context beyond the shortest one replaced by that of another window, or shuffled: "
        "what context is worth is what is lost by it.",
    )
    draws: Annotated[int, Field(ge=2)] = Field(
        16,
        description="Draws of masks for each window, of models of masked diffusion: their loss is a bound, with an error.",
    )
    repeat_k: Annotated[int, Field(ge=6, le=31)] = Field(
        16, description="A base counts as one of a copy where the k bases before it occur earlier in the window."
    )
    bootstrap: Positive = Field(1000, description="Bootstrap draws behind each interval.")
    seed: int = Field(1, description="Seed of the draw of windows.")

    @property
    def window_bp(self) -> int:
        """Longest stretch that an example covers."""
        return max(self.contexts) + self.scored

    @property
    def window_key(self) -> Place:
        """Key of the settings that says how long windows are."""
        return ("contexts",)

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset({"truth"} if study.simulate and study.simulate.repeats else ())

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        if step not in ("examples", "baseline"):
            return {}
        found = corpus_files(study.results, self.corpus)
        simulated = study.simulate and study.simulate.repeats and step == "baseline"
        return found | ({"truth": f"{study.results}/simulated/truth/repeats.npz"} if simulated else {})

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what is wrong beside other blocks."""
        yield from unknown_corpus(study.corpora, self.corpus)

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return the sequences that a model is asked about."""
        count = 2 * self.windows * (1 + len(self.controls))
        asked = tuple((context + self.scored, count) for context in self.contexts)
        return Work(length=self.window_bp, window=self.window_bp, asked=asked)

"""Kind `described_dna`: bits of held-out DNA that are saved by its text, beyond controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ..adaptations import Adaptation
from ..base import Place, Positive
from ..blocks import TRAINED
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView


class DescribedDna(TaskBlock):
    """What features of held-out clusters cost a model behind no text, their own, and three controls."""

    kind: Literal["described_dna"]
    input = "described_bases"
    target = "described_bases"
    adaptations = frozenset({"zero-shot", "baseline"})
    refused = {
        "new": "an untrained model has read no text",
        **dict.fromkeys(TRAINED, "models are asked as they are: pretrain them with `pairs`"),
    }
    needs = frozenset({"likelihood"})
    page = "described_dna"
    genome = False
    compared = "own"

    pairs: str = Field(description="Pairs of DNA and text, a file that `glmflow pairs` wrote.")
    bases: Positive = Field(
        250,
        description="Bases of the beginning of each feature that are scored at most, the same for all models: a model whose rows "
        "have n tokens scores n / 2 - 2.",
    )
    features: Annotated[int, Field(ge=2)] = Field(
        500, description="Features of each held-out split (test, validation) at most, drawn."
    )
    candidates: Annotated[int, Field(ge=2)] = Field(
        100, description="Texts among which the true one of a feature is looked for, at most."
    )
    retrieved: Annotated[int, Field(ge=0)] = Field(
        50, description="Features of the test whose text is looked for, at most; 0: of none."
    )
    bootstrap: Positive = Field(1000, description="Bootstrap draws behind each interval.")
    seed: int = Field(1, description="Seed of the draws of features, controls and candidates.")

    @property
    def window_bp(self) -> int:
        """Longest stretch that an example covers."""
        return self.bases

    @property
    def window_key(self) -> Place:
        """Key of the settings that says how long windows are."""
        return ("bases",)

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step; examples are compared with what models learned from of other files, too."""
        if step == "examples":
            return {"pairs": self.pairs, "learned": sorted({*_learned(study, label).values()} - {self.pairs, None})}
        return {"pairs": self.pairs} if step == "baseline" else {}

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        return {("pairs",): self.pairs}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what is wrong beside other blocks: models that read no text, or too few bases behind one."""
        for model in dict.fromkeys(run.model for run in study.runs_of(label)):
            if study.models[model].origin == "checkpoint" and not study.models[model].is_folder:
                yield ("pairs",), f"{model!r} is published and reads no text beside DNA; leave its runs out"
        for model, pairs in _learned(study, label).items():
            block = study.models[model].pretrain
            if pairs is None:
                yield ("pairs",), f"{model!r} was pretrained without `pairs` and reads no text; leave its runs out"
            elif block and (room := block.length - block.length // 2 - 2) < self.bases:
                what = f"{model!r} has room for {room} bases behind a text (`length: {block.length}`)"
                yield ("bases",), f"{what}; take {room} at most, or a longer `length`"

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return the sequences that a model is asked about, as many bases as text and DNA have."""
        count = 2 * self.features * 5 + self.retrieved * self.candidates
        return Work(length=self.bases, window=self.bases, asked=((2 * self.bases, count),))


def _learned(study: StudyView, label: str) -> dict[str, str | None]:
    """Return the pairs that each model of a task's runs was pretrained on here; None where it was on something else."""
    found: dict[str, str | None] = {}
    for run in study.runs_of(label):
        model = study.models[run.model]
        while model.extend:
            model = study.models[model.extend.model]
        if model.pretrain:
            found[run.model] = model.pretrain.pairs
    return found

"""How sequences are drawn from models, and what has to be screened before any is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from .base import Block, Place, Positive
from .views import StudyView

Temperature = Annotated[float, Field(gt=0, lt=float("inf"))]


class GateBlock(Block):
    """The gate before generated sequences: a screen, or the reason to do without."""

    hazards: list[str] = Field(default_factory=list, description="FASTA files of nucleotides to look for.")
    proteins: list[str] = Field(default_factory=list, description="FASTA files of proteins to look for.")
    windows: Annotated[list[Annotated[int, Field(ge=18)]], Field(min_length=1)] = Field(
        default_factory=lambda: [50, 200],
        description="Windows in bp that are screened one by one; those of 50 and 200 always are.",
    )
    command: str | None = Field(
        None,
        description="A further screen: a command that reads FASTA on its standard input and prints the names of what must not "
        "be written.",
    )
    acknowledged: Annotated[str, Field(min_length=10)] | None = Field(
        None, description="Why nothing is screened; it is written into log and report."
    )

    @model_validator(mode="after")
    def _set(self) -> GateBlock:
        if bool(self.hazards or self.proteins or self.command) == (self.acknowledged is not None):
            raise ValueError(
                "give `hazards`, `proteins` or `command`, or say in `acknowledged` why nothing is screened (one of both)"
            )
        return self


class DrawingBlock(Block):
    """How bases are drawn."""

    temperature: Temperature = Field(1.0, description="Divides the logits: below one the likely tokens get likelier.")
    top_k: Positive | None = Field(None, description="Draw from the k likeliest tokens only.")
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Draw from the fewest likeliest tokens whose probabilities add up to this."
    )
    steps: Positive | None = Field(None, description="Denoising steps per window; of models of masked diffusion alone.")
    tag: str | None = Field(
        None, description="Tag to draw sequences of, a name of the corpus; of models pretrained with `tags`."
    )
    guidance: Annotated[float, Field(ge=0, lt=float("inf"))] = Field(
        0.0,
        description="Classifier-free guidance towards the tag, g in (1 + g) log p(base | tag) - g log p(base): 0 is none. "
        "Sequences get more typical and less diverse with it.",
    )

    text: str | None = Field(
        None,
        description="Text that stands before the bases, as `glmflow pairs` writes it (`<species>Escherichia coli</species>`); of "
        "models pretrained with `pairs`.",
    )

    @model_validator(mode="after")
    def _towards_a_tag(self) -> DrawingBlock:
        if self.guidance and self.tag is None:
            raise ValueError("guidance is towards a tag; name one (`tag`)")
        return self


def undrawable(study: StudyView, task: str, place: Place, drawing: DrawingBlock) -> Iterator[tuple[Place, str]]:
    """Yield the keys that a model of the task's runs cannot be drawn from with; of what is downloaded only the job can tell."""
    for label in dict.fromkeys(run.model for run in study.runs_of(task)):
        model = study.models[label]
        while model.extend:
            model = study.models[model.extend.model]
        if model.pretrain is None:
            continue
        if drawing.tag is not None and model.pretrain.tags is None:
            yield (*place, "tag"), f"{label!r} was pretrained without `tags`; leave it out"
        if drawing.text is not None and model.pretrain.pairs is None:
            yield (*place, "text"), f"{label!r} was pretrained without `pairs`; leave it out"
        in_steps = model.pretrain.objective == "masked_diffusion"
        if not in_steps and drawing.steps is not None:
            yield (*place, "steps"), f"{label!r} draws a token after the other, in no steps; leave it out"
        for key in ("top_k", "top_p"):
            if in_steps and getattr(drawing, key) is not None:
                text = f"{label!r} learned by masked diffusion and is drawn from by temperature alone; make it null"
                yield (*place, key), text

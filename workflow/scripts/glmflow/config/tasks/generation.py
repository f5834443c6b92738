"""Kind `generation`: sequences that models draw, behind the gate, beside held-out real ones and controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Label, Place, Positive
from ..blocks import TRAINED
from ..corpus_blocks import corpus_files, unknown_corpus
from ..drawing_blocks import DrawingBlock, GateBlock, undrawable
from ..fitting import family_of
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView


class Generation(TaskBlock):
    """Sequences drawn behind prompts of held-out sequence, and what tells them from real ones."""

    kind: Literal["generation"]
    input = "prompted_bases"
    target = "drawn_bases"
    adaptations = frozenset({"zero-shot", "baseline"})
    refused = {
        "new": "an untrained model has learned nothing that could be drawn",
        **dict.fromkeys(TRAINED, "models are drawn from as they are: train with `pretrain`"),
    }
    needs = frozenset({"likelihood", "generation"})
    page = "generation"
    genome = False
    compared = "own"
    scoring = frozenset({"bootstrap", "judge", "embed", "motifs", "hmms", "hmm_evalue", "hmm_gathering"})

    corpus: str = Field(
        description="Corpus (`corpora`): prompts and real sequences are of its test part, copies are of its training part."
    )
    prompts: Positive = Field(8, description="Places of the test part whose bases are prompts.")
    prompt_bp: Annotated[int, Field(ge=0)] = Field(
        256, description="Bases of a prompt; 0: none, the model's start token alone."
    )
    regions: str | None = Field(
        None,
        description="Held-out regions (BED, names of the corpus's files) whose last `prompt_bp` bases are the prompts, read off "
        "their strands, in place of places that are drawn; `prompts` of them at most.",
    )
    copies: Positive = Field(1, description="Sequences of each prompt in each way.")
    length: Positive = Field(2000, description="Bases that are drawn behind a prompt.")
    ways: Annotated[dict[Label, DrawingBlock], Field(min_length=1)] = Field(
        default_factory=lambda: {"as_learned": DrawingBlock()},
        description="Ways of drawing, by name: each model draws in each of them.",
    )
    gate: GateBlock = Field(description="What is screened before anything is written, or why nothing is.")
    piece: Positive | None = Field(
        None, description="Bases of the pieces that are compared; `length` where left out, of real sequences too."
    )
    most: Annotated[int, Field(ge=3)] = Field(
        50, description="Pieces of a group at most: of real ones, of each control."
    )
    most_training: Positive = Field(
        20_000_000,
        description="Training bases that copies are looked for in, and chains are counted on, at most (32 bytes of memory each): "
        "spread over all sequences, and a warning says how many are left out.",
    )
    bootstrap: Positive = Field(500, description="Bootstrap draws behind each interval.")
    seed: int = Field(1, description="Seed of prompts, pieces and controls.")
    judge: Label | None = Field(
        None,
        description="Model (`models`) under which bits per base are told: one that draws nothing here, of another family.",
    )
    embed: Label | None = Field(
        None, description="Model (`models`) whose states of pieces are compared, by their Fréchet distance."
    )
    motifs: str | None = Field(None, description="Motifs to look for in pieces, a MEME or JASPAR file.")
    hmms: str | None = Field(
        None,
        description="Profile HMMs of protein families to look for in the predicted genes of pieces, a file of HMMER3, plain or "
        "gzip (needs pyhmmer).",
    )
    hmm_evalue: Annotated[float, Field(gt=0, le=10)] | None = Field(
        None,
        description="E-value of a hit to `hmms` at most, counted over the profiles of the file; 1e-5 where left out: one chance "
        "hit in 100,000 proteins.",
    )
    hmm_gathering: bool = Field(
        False, description="Hits to `hmms` are what passes the gathering cutoff that each profile has (Pfam's do)."
    )

    @model_validator(mode="after")
    def _whole_pieces(self) -> Generation:
        if self.regions and not self.prompt_bp:
            raise ValueError("regions: prompts of no base (`prompt_bp: 0`) are of no region; leave one out")
        if self.piece is not None and self.piece > self.length:
            raise ValueError(f"piece: {self.piece} bases are longer than what is drawn (`length`: {self.length})")
        if (self.hmm_evalue is not None or self.hmm_gathering) and not self.hmms:
            raise ValueError("hmm_evalue, hmm_gathering: they are of `hmms`, which is not given")
        if self.hmm_evalue is not None and self.hmm_gathering:
            raise ValueError(
                "hmm_gathering: hits are judged by gathering cutoffs or by an E-value (`hmm_evalue`), not by both"
            )
        return self

    @property
    def window_bp(self) -> int:
        """Longest stretch that an example covers."""
        return self.prompt_bp + self.length

    @property
    def window_key(self) -> Place:
        """Key of the settings that says how long windows are."""
        return ("length",)

    @property
    def piece_bp(self) -> int:
        """Bases of the pieces that are compared."""
        return self.piece or self.length

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset({"corpus"})

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        corpus = corpus_files(study.results, self.corpus)
        screened: Files = {"hazards": self.gate.hazards, "proteins": self.gate.proteins}
        tables: Files = {"tables": f"{study.results}/examples/{label}"}
        sought: Files = {"motifs": self.motifs or [], "hmms": self.hmms or []}
        told = (
            [f"{study.results}/examples/{label}.judged.parquet", f"{run.folder(study.results)}/judged.parquet"]
            if run
            else []
        )
        held_out = corpus | {"regions": self.regions or []}
        given: dict[str, Files] = {"examples": held_out, "predict": screened, "baseline": corpus | screened}
        given |= {"judge": sought if run else held_out | sought}
        return (given | {"score": corpus | tables | {"told": told if self.judged else []}}).get(step, {})

    @property
    def judged(self) -> bool:
        """Whether models, motifs or profiles tell of pieces what their bases alone do not."""
        return any((self.judge, self.embed, self.motifs, self.hmms))

    def judges(self, study: StudyView, label: str) -> dict[str, tuple[str, int]]:
        """Return the models that are asked about pieces, of the first seed of the runs."""
        seed = min((run.seed for run in study.runs_of(label)), default=1)
        return {key: (name, seed) for key in ("judge", "embed") if (name := getattr(self, key))}

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        screened = {
            ("gate", name, number): path
            for name in ("hazards", "proteins")
            for number, path in enumerate(getattr(self.gate, name))
        }
        return screened | {(name,): path for name in ("motifs", "hmms", "regions") if (path := getattr(self, name))}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what is wrong beside other blocks."""
        yield from unknown_corpus(study.corpora, self.corpus)
        drawing = {run.model for run in study.runs_of(label)}
        for key, (name, _) in self.judges(study, label).items():
            if name not in study.models:
                yield (key,), f"no model {name!r} in `models` (there is {', '.join(study.models)})"
            elif study.models[name].origin not in ("checkpoint", "pretrain", "extend"):
                yield (key,), f"{name!r} is no pretrained or published model: name one"
            elif key == "judge" and name in drawing:
                yield (key,), f"{name!r} draws in this task and would judge itself: name another model"
            elif key == "judge" and (akin := [one for one in sorted(drawing) if _akin(study, one, name)]):
                yield (key,), f"{name!r} is of the family of {akin[0]!r}, whose faults it may share: name another"
        for name, way in self.ways.items():
            yield from undrawable(study, label, ("ways", name), way)

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return the sequences that a model draws, as passes over them."""
        count = self.prompts * self.copies * len(self.ways)
        return Work(length=self.window_bp, window=self.window_bp, asked=((self.window_bp, count),))


def _akin(study: StudyView, one: str, other: str) -> bool:
    """Return whether two models are known to be of one family."""
    family = family_of(study, one)
    return family is not None and family == family_of(study, other)

"""How a model is fitted to a task."""

from __future__ import annotations

from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from .base import Block, Fraction, Positive


class Training(Block):
    """Settings of a training run; the defaults are the published parameter set of the track study."""

    optimizer: Literal["adafactor", "adamw"] = Field("adafactor", description="Optimizer.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(5e-5, description="Peak learning rate.")
    schedule: Literal["cosine", "linear", "constant"] = Field("cosine", description="Learning-rate schedule.")
    warmup: Fraction = Field(0.05, description="Share of the updates spent warming up.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.01, description="Weight decay.")
    max_grad_norm: Annotated[float, Field(gt=0)] = Field(1.0, description="Gradient clipping.")
    epochs: Annotated[float, Field(gt=0)] = Field(
        40, description="Passes over the training examples; `steps` wins where given."
    )
    steps: Positive | None = Field(None, description="Number of updates.")
    batch: Positive = Field(256, description="Examples an update, whatever the number of GPUs.")
    micro_batch: Positive = Field(1, description="Examples on a GPU at a time; the rest is accumulated.")
    crop: Positive | None = Field(
        None, description="Train on random crops of this length (bp) instead of whole windows."
    )
    reverse_complement: bool = Field(False, description="Reverse-complement half the examples (stranded tracks swap).")
    bf16: bool = Field(False, description="bfloat16 mixed precision.")
    gradient_checkpointing: bool = Field(
        False, description="Recompute activations in the backward pass to save memory."
    )
    evaluations: Annotated[int, Field(ge=0)] = Field(
        5, description="Evaluations on the validation split during training."
    )
    workers: Annotated[int, Field(ge=0)] = Field(0, description="Data-loader processes.")
    overfit_check: bool = Field(
        True,
        description="Before 1,000 updates or more: stop where the model cannot learn a single batch (40 steps); not with "
        "DeepSpeed, whose steps cannot be taken back.",
    )
    gpus: Positive = Field(1, description="GPUs of a node; `batch` stays what it is.")
    nodes: Positive = Field(1, description="Nodes.")
    parallel: Literal["ddp", "fsdp", "deepspeed"] = Field(
        "ddp",
        description="With several GPUs: a copy of the model on each (`ddp`), or weights, gradients and optimizer shared out "
        "among them (`fsdp`: FSDP2; `deepspeed`: ZeRO 3).",
    )

    @property
    def compute_dtype(self) -> Literal["bfloat16", "float32"]:
        """Type that matrix products are computed in; the weights stay float32."""
        return "bfloat16" if self.bf16 else "float32"

    @model_validator(mode="after")
    def _divides(self) -> Training:
        step = self.micro_batch * self.gpus * self.nodes
        if self.batch % step:
            raise ValueError(
                f"batch {self.batch} is not a multiple of {step} (micro_batch x GPUs x nodes); change one of them"
            )
        return self


class Personal(Block):
    """What training on many people's expression adds (task `snp2gex`); a batch is so many genes with their people."""

    loss: Literal["single", "pairwise", "mixed"] = Field(
        "mixed",
        description="`single`: each person on their own; `pairwise`: signed differences of all pairs of a gene's people; "
        "`mixed`: these and the means of genes.",
    )
    weight: Fraction = Field(0.5, description="Share of the differences between people in the mixed loss.")
    people: Positive | None = Field(
        None, description="People of a gene in a batch, drawn anew each time; all of them where left out."
    )
    shift: Annotated[int, Field(ge=0)] = Field(0, description="Windows are shifted by up to so many bp in training.")


class Head(Block):
    """What turns states into predictions."""

    kind: Literal["track", "linear"] = Field(
        "track", description="`track`: dilated convolutions; `linear`: one layer a base (coverage only)."
    )
    bins: Positive = Field(
        16, description="Expression: parts of the window whose distance to the TSS is told apart; 1 is the plain mean."
    )
    hidden: Positive = Field(64, description="Expression: width of the perceptron on the pooled states.")


class Adaptation(Block):
    """One entry of `adaptations`."""

    kind: Literal["full", "lora", "probe", "zero-shot", "baseline"] = Field(
        description="Train everything; low-rank adapters; frozen states with a trained head; nothing trained; a baseline."
    )
    train: Training = Field(default_factory=Training, description="Training settings (not for zero-shot and baseline).")
    head: Head = Field(default_factory=Head, description="Head on the states.")
    personal: Personal = Field(default_factory=Personal, description="Expression of people (task `snp2gex`).")
    weights: Literal["given", "random"] = Field(
        "given",
        description="`random`: the same network from random weights, which shows what its pretraining is worth.",
    )
    rank: Positive = Field(8, description="LoRA rank.")
    alpha: Positive = Field(16, description="LoRA alpha.")
    dropout: Fraction = Field(0.0, description="LoRA dropout.")
    targets: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="LoRA: names of layers to adapt (last parts, as `query` or `ffn.1`) instead of the family's own.",
    )
    experts: bool = Field(False, description="LoRA: adapt the experts of a mixture (Genos) too; without dropout.")
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] | None = Field(
        None,
        description="Values to try of keys of `train`, each with each (`{learning_rate: [1.0e-4, 1.0e-3]}`): every run is made "
        "once a combination and the one of the lowest validation loss is kept. The test split has no part in it.",
    )

    @property
    def lora(self) -> dict[str, Any]:
        """Return the settings of low-rank adapters, as `glmflow.models.lora.apply_lora` takes them."""
        return {name: getattr(self, name) for name in ("rank", "alpha", "dropout", "targets", "experts")}

    @model_validator(mode="after")
    def _layers(self) -> Adaptation:
        if self.kind != "lora" and (self.targets or self.experts):
            key = "targets" if self.targets else "experts"
            raise ValueError(f"{key}: LoRA alone chooses layers, not kind {self.kind}; leave it out or take kind lora")
        if self.experts and self.dropout:
            raise ValueError("experts: are adapted without dropout; set dropout to 0")
        return self

    @model_validator(mode="after")
    def _trials(self) -> Adaptation:
        if self.sweep is None:
            return self
        unknown = sorted(set(self.sweep) - set(Training.model_fields))
        if unknown:
            raise ValueError(
                f"sweep: {', '.join(unknown)} is no key of `train`; known: {', '.join(Training.model_fields)}"
            )
        if self.kind not in ("full", "lora", "probe"):
            raise ValueError(f"sweep: nothing is trained with kind {self.kind}; leave it out")
        if "evaluations" in self.sweep or not self.train.evaluations:
            raise ValueError("sweep: chooses by the validation loss, so `train.evaluations` has to be one at least")
        for trial in trials(self):
            try:
                tried(self, trial)
            except ValidationError as error:
                raise ValueError(f"sweep: {trial}: {error.errors()[0]['msg']}") from None
        return self


def trials(adaptation: Adaptation) -> list[dict[str, Any]]:
    """Return the combinations of a sweep in order, the last key changing fastest; none where nothing is swept."""
    if not adaptation.sweep:
        return []
    return [dict(zip(adaptation.sweep, values)) for values in product(*adaptation.sweep.values())]


def tried(adaptation: Adaptation, trial: dict[str, Any]) -> Adaptation:
    """Return the adaptation with the settings of one trial."""
    train = Training.model_validate(adaptation.train.model_dump() | trial)
    return adaptation.model_copy(update={"train": train, "sweep": None})

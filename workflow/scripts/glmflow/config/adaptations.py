"""How a model is fitted to a task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, WithJsonSchema, model_validator

from .base import Block, Fraction, Positive
from .blocks import TRAINED, default_of
from .efficient import EFFICIENT, keys_of
from .heads import HEADS, Head
from .losses import Loss

SHARES = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 1}]}


class Training(Block):
    """Settings of a training run; the defaults are the published parameter set of the track study."""

    optimizer: Literal["adafactor", "adamw"] = Field("adafactor", description="Optimizer.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(5e-5, description="Peak learning rate.")
    schedule: Literal["cosine", "cosine_tenth", "wsd", "linear", "constant", "plateau"] = Field(
        "cosine",
        description="Learning-rate schedule after the warm-up: `cosine` falls to 0 and `cosine_tenth` to a tenth of the peak; "
        "`wsd` stays at the peak and falls in a line to 0 over the last fifth of the updates; `plateau` halves the rate when two "
        "evaluations bring nothing better, without "
        "warm-up.",
    )
    warmup: Annotated[float, Field(ge=0)] = Field(
        0.05, description="Share of the updates spent warming up; from 1 on their number."
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.01, description="Weight decay.")
    max_grad_norm: Annotated[float, Field(gt=0)] = Field(1.0, description="Gradient clipping.")
    epochs: Annotated[float, Field(gt=0)] = Field(
        40,
        description="Passes over the training examples; `steps` wins where given, `most_steps` is the most they come to.",
    )
    steps: Positive | None = Field(None, description="Number of updates.")
    most_steps: Positive | None = Field(None, description="Largest number of updates that `epochs` may come to.")
    batch: Positive = Field(256, description="Examples an update, whatever the number of GPUs.")
    micro_batch: Positive = Field(1, description="Examples on a GPU at a time; the rest is accumulated.")
    crop: Positive | None = Field(
        None, description="Train on random crops of this length (bp) instead of whole windows."
    )
    reverse_complement: bool = Field(False, description="Reverse-complement half the examples (stranded tracks swap).")
    examples: Annotated[float, Field(gt=0), WithJsonSchema(SHARES)] = Field(
        1.0,
        description="Share of the training sequences to learn from (above 1: their number), whole groups and every class; a "
        "list makes an adaptation of each (`scratch` with [0.01, 1] those named `scratch-0.01` and `scratch`).",
    )
    folds: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="Random parts of training and validation sequences together, of which the seed's validates (seed 1: the "
        "first): as published cross-validations do. The test split stays as it is.",
    )
    padding: Literal["left"] | None = Field(
        None,
        description="`left`: sequences shorter than `length` are padded on the left and read without a mask, padding counting "
        "as sequence, as published protocols of HyenaDNA and Caduceus do (models of single bases). Left out, no model reads "
        "padding: families that ignore masks compute batches length by length.",
    )
    bf16: bool = Field(False, description="bfloat16 mixed precision.")
    gradient_checkpointing: bool = Field(
        False, description="Recompute activations in the backward pass to save memory."
    )
    evaluations: Annotated[int, Field(ge=0)] = Field(
        5, description="Evaluations on the validation split during training."
    )
    keep: Literal["last", "best"] = Field(
        "last",
        description="Weights that are kept: those of the last update, or of the evaluation that is best by `best_by`.",
    )
    best_by: Literal["loss", "accuracy", "mcc", "auroc", "pearson"] = Field(
        "loss",
        description="What is best on the validation split, for `keep: best`, `patience`, `schedule: plateau` and sweeps: the "
        "loss, or a metric of what is predicted (classes: accuracy, mcc, auroc; labels: auroc; values: pearson).",
    )
    patience: Positive | None = Field(
        None, description="Stop after this many evaluations that bring nothing better (with `keep: best`)."
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
    def _has_a_best(self) -> Training:
        if self.keep == "best" and not self.evaluations:
            raise ValueError("keep: best chooses by the validation loss, so `evaluations` has to be one at least")
        return self

    @model_validator(mode="after")
    def _stops(self) -> Training:
        if self.patience and self.keep != "best":
            raise ValueError("patience: ends with the best weights, so say `keep: best` too")
        if self.schedule == "plateau" and not self.evaluations:
            raise ValueError("schedule: plateau looks at evaluations, so `evaluations` has to be one at least")
        if self.schedule == "plateau" and self.warmup and self.changed("warmup"):
            raise ValueError("schedule: plateau has no warm-up; leave `warmup` out")
        if self.warmup > 1 and self.warmup % 1:
            raise ValueError(f"warmup: {self.warmup:g} is neither a share nor a number of updates")
        return self

    def updates(self, examples: int) -> int:
        """Return the number of updates on a number of training examples: `steps`, or what `epochs` come to."""
        asked = max(1, round(self.epochs * examples / self.batch))
        return self.steps or min(asked, self.most_steps or asked)

    def warmup_updates(self, updates: int) -> int:
        """Return the updates that are spent warming up."""
        return min(updates, math.ceil(self.warmup * updates) if self.warmup < 1 else int(self.warmup))

    @model_validator(mode="after")
    def _divides(self) -> Training:
        step = self.micro_batch * self.gpus * self.nodes
        if self.batch % step:
            raise ValueError(
                f"batch {self.batch} is not a multiple of {step} (micro_batch x GPUs x nodes); change one of them"
            )
        return self


class Personal(Block):
    """How a training example of many samples is drawn (expression): a batch is some genes with their samples."""

    people: Positive | None = Field(
        None, description="Samples of a gene in a batch, drawn each time; all of them where left out."
    )
    shift: Annotated[int, Field(ge=0)] = Field(0, description="Largest shift of a window in training, in bp.")


OPTIONAL = frozenset(
    {
        "train.crop",
        "train.reverse_complement",
        "train.examples",
        "train.folds",
        "train.padding",
        "personal.people",
        "personal.shift",
    }
)
"""Keys that say how a training example is drawn: each input reads some of them (`options` of the kind of task)."""
READ_WHERE_SOLVED = frozenset(
    {"micro_batch", "batch", "bf16", "examples", "folds", "reverse_complement", "evaluations"}
)
"""Keys of `train` that are read where a head is solved, not trained."""
BESIDE_TRAIN = frozenset({"layer"})
"""Keys of an adaptation that a sweep may vary beside those of `train`."""
BESIDE_TRAINING = {"zero-shot": frozenset({"kind", "weights"}), "baseline": frozenset({"kind"})}
"""Keys that are read where nothing is trained, by kind of adaptation."""
KIND = Literal["full", *EFFICIENT, "probe", "zero-shot", "baseline"]
"""Kinds of adaptation."""


class Adaptation(Block):
    """One entry of `adaptations`."""

    kind: KIND = Field(
        description="`full`: train everything; `ia3`: factors of keys, values and inner activations; `lora`: low-rank adapters; "
        "`probe`: a head on frozen states; `zero-shot`: nothing is trained; `baseline`: a baseline."
    )
    train: Training = Field(default_factory=Training, description="Training settings (not for zero-shot and baseline).")
    protocol: str | None = Field(
        None,
        description="Published protocol (`caduceus`, `hyenadna`, `dnabert2_gue/prom_tata`, `aido_lora/gue` ...) that fills in "
        "what is left out here; its number is reported beside our own, with what could not be followed.",
    )
    head: Head | None = Field(None, description="Head on the states; that of the task's target where left out.")
    loss: Loss | None = Field(None, description="Training loss; that of the task or its target where left out.")
    personal: Personal = Field(
        default_factory=Personal, description="How training examples of many samples are drawn (expression)."
    )
    weights: Literal["given", "random"] = Field(
        "given",
        description="`random`: the same network from random weights, which shows what its pretraining is worth.",
    )
    layer: int | None = Field(
        None,
        description="Layer whose states a probe reads: from 1, -1 is the last one; the model's own last states (after its "
        "final norm) where left out.",
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
        description="Values to try of keys of `train`, and of `layer`, each with each (`{learning_rate: [1.0e-4, 1.0e-3]}`): "
        "every run is made once a combination and the one that is best on validation (`train.best_by`) is kept. The test "
        "split has no part in it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _earlier_spelling(cls, value: Any) -> Any:
        """Read `personal: {loss, weight}` as `loss: {kind, weight}`."""
        personal = value.get("personal") if isinstance(value, Mapping) else None
        if not isinstance(personal, Mapping) or "loss" not in personal or "loss" in value:
            return value
        kept = {key: other for key, other in personal.items() if key not in ("loss", "weight")}
        weight = {"weight": personal["weight"]} if "weight" in personal else {}
        others = {key: other for key, other in value.items() if key != "personal"}
        return others | {"loss": {"kind": personal["loss"], **weight}} | ({"personal": kept} if kept else {})

    def head_for(self, target: str) -> Any:
        """Return the settings of the head on a target: those that are given, or the target's default."""
        return self.head or default_of(HEADS, target)

    @property
    def efficient(self) -> dict[str, Any]:
        """Return the settings of few trained parameters, as `glmflow.models.efficient.apply` takes them."""
        return {name: getattr(self, name) for name in sorted(keys_of(self.kind))}

    @model_validator(mode="after")
    def _layers(self) -> Adaptation:
        if self.experts and self.dropout:
            raise ValueError("experts: are adapted without dropout; set dropout to 0")
        return self

    @model_validator(mode="after")
    def _reads_a_layer(self) -> Adaptation:
        if self.layer is not None and self.kind != "probe":
            raise ValueError(f"layer: is read by kind probe, whose model stays as it is, not by {self.kind}")
        if self.layer == 0:
            raise ValueError("layer: 0 is none; layers count from 1, and -1 is the last one")
        return self

    @model_validator(mode="after")
    def _solved(self) -> Adaptation:
        if self.head is None or not self.head.exact:
            return self
        if self.kind != "probe":
            raise ValueError(f"head.solver: exact needs the states of a frozen model, kind probe, not {self.kind}")
        return self

    @model_validator(mode="after")
    def _trials(self) -> Adaptation:
        if self.sweep is None:
            return self
        unknown = sorted(set(self.sweep) - set(Training.model_fields) - BESIDE_TRAIN)
        if unknown:
            raise ValueError(
                f"sweep: {', '.join(unknown)} is no key of `train`; known: layer, {', '.join(Training.model_fields)}"
            )
        if self.kind not in TRAINED:
            raise ValueError(f"sweep: nothing is trained with kind {self.kind}; leave it out")
        if "best_by" in self.sweep:
            raise ValueError("sweep: trials are compared by one metric; give `train.best_by`, and leave it out here")
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
    own = {key: value for key, value in trial.items() if key in BESIDE_TRAIN}
    given = adaptation.train.model_dump(exclude_unset=True)
    train = Training.model_validate(given | {key: value for key, value in trial.items() if key not in own})
    return Adaptation.model_validate(adaptation.model_dump(exclude_unset=True) | own | {"train": train, "sweep": None})

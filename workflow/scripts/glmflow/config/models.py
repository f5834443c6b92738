"""Where a model comes from: published, pretrained here, new, made from another, or a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from glmflow.errors import InputError
from glmflow.models.size_ladder import sizes_of

from .adaptations import Training
from .base import Block, Fraction, Label, Positive
from .baselines import Baseline


class New(Block):
    """An untrained model of a family."""

    family: Label = Field(description="Family, one file of `glmflow/models/families`.")
    config: dict[str, Any] = Field(default_factory=dict, description="Sizes and settings of the family.")
    size: str | None = Field(
        None, description="Sizes for `config` from the ladder: demo, 14M, 31M, 70M, 160M or 310M (without embeddings)."
    )

    @model_validator(mode="before")
    @classmethod
    def _sized(cls, value: Any) -> Any:
        """Fill in the sizes; what `config` itself says comes first."""
        if not isinstance(value, Mapping) or value.get("size") is None:
            return value
        try:
            sizes = sizes_of(str(value.get("family")), str(value["size"]))
        except InputError as error:
            raise ValueError(str(error)) from None
        return {**value, "config": {**sizes, **(value.get("config") or {})}}


SINGLE_BASES = 10
"""Tokens of the smallest vocabulary: five special ones and five letters."""


class BytePairs(Block):
    """A vocabulary of byte pairs that is learned from a corpus before its model is."""

    vocabulary: Annotated[int, Field(ge=SINGLE_BASES)] = Field(
        512, description="Tokens, among them five special ones and five letters: 10 are single bases."
    )
    max_token_length: Positive = Field(
        16, description="Bases of the longest token; without a bound repeats become tokens of their own."
    )
    bases: Positive = Field(
        20_000_000, description="Training bases that it is learned from at most, spread over all sequences."
    )


class Pretrain(New):
    """Self-supervised training on the training contigs, or on a corpus: next base (causal) or masked bases."""

    corpus: Label | None = Field(
        None, description="Corpus (`corpora`) to learn from, both strands; the study's genome where left out."
    )

    pairs: str | None = Field(
        None,
        description="Learn DNA from text and text from DNA in one model, instead of a corpus: a file that `glmflow pairs` wrote. "
        "Causal families of single bases made here (`small`, `wavelet`, `rwkv7`, `mamba`); `length` is of text and DNA together.",
    )
    length: Positive = Field(512, description="Length of a training sequence in bp.")
    steps: Positive = Field(500, description="Updates.")
    batch: Positive = Field(32, description="Sequences an update.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(
        3e-3, description="Peak learning rate (AdamW, after a warm-up of a tenth of the updates)."
    )
    schedule: Literal["cosine", "cosine_tenth", "wsd"] = Field(
        "cosine",
        description="How the rate falls after the warm-up: along a cosine to 0 or to a tenth of the peak (`cosine_tenth`), or in a "
        "line over the last fifth of the updates alone (`wsd`).",
    )
    objective: Literal["next", "masked", "masked_diffusion"] | None = Field(
        None,
        description="What is learned: the next base, masked ones, or masked ones at every share of masks (a bound of the "
        "likelihood); by the family where left out.",
    )
    mask: Fraction = Field(0.15, description="Share of bases that are masked (objective `masked`).")
    strand: Literal["both", "forward"] = Field("both", description="Strands of a corpus that are learned from.")
    softmask_weight: Fraction = Field(
        1.0, description="What a base in lower case counts in the loss (corpora); scores count all bases alike."
    )
    short: Positive | None = Field(
        None,
        description="Shortest sequences of a corpus that are learned from whole where they are shorter than `length`; such "
        "are left out where not given.",
    )
    pack: bool = Field(
        False,
        description="Join short sequences (`short`) to rows of `length` bases: each is read as if it stood alone, and less is "
        "filled up. Families `small`, `wavelet`, `rwkv7` and `mamba`, and causal transformers.",
    )
    ends: bool = Field(
        False,
        description="Learn where sequences end: what follows a sequence that is read whole (`short`) is an end, and is drawn. "
        "Causal models; families of single bases `small`, `wavelet`, `rwkv7` and `mamba`, and `olmo` with a vocabulary of its own.",
    )
    tags: Literal["division", "family", "genus", "species"] | None = Field(
        None,
        description="What a model is told of each sequence of a corpus, so that it can be drawn from by a tag (`tag` of a way of "
        "drawing) and guided towards it; families `small`, `dit`, `wavelet`, `rwkv7` and `mamba`.",
    )
    untagged: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.15, description="Share of the training windows whose tag is left out: scores and guidance ask for no tag."
    )
    carry_state_bp: Positive | None = Field(
        None,
        description="Read stretches of a corpus of as many bases (a multiple of `length`) window by window, an update each, and "
        "carry the state from one to the next; gradients stay within a window, and the state starts again with a record. "
        "Families `rwkv7` and `mamba`.",
    )
    byte_pairs: BytePairs | None = Field(
        None,
        description="Learn a vocabulary of byte pairs of the corpus first, of both strands (`vocabulary: 512`); families that read "
        "byte pairs alone (`olmo`).",
    )
    kmers: Annotated[int, Field(ge=1, le=8)] | None = Field(
        None,
        description="Read a corpus in consecutive k-mers of as many bases, which do not overlap, instead of byte pairs (`olmo`); "
        "overlapping ones are `config: {kmer: 3}` of family `small`.",
    )
    gpus: Positive = Field(1, description="GPUs; they share each update's sequences.")
    micro_batch: Positive | None = Field(
        None, description="Sequences on a GPU at a time, the rest is accumulated; all of its own where left out."
    )
    bf16: bool = Field(False, description="bfloat16 mixed precision.")
    gradient_checkpointing: bool = Field(False, description="Recompute activations to save memory.")

    @property
    def vocabulary(self) -> str:
        """The vocabulary that is made with the model, in words; empty where it is the family's own."""
        if self.kmers:
            return f"{self.kmers}-mers"
        return f"{self.byte_pairs.vocabulary} byte pairs" if self.byte_pairs else ""

    @property
    def tokens(self) -> int | None:
        """Tokens of the vocabulary that is made with the model; None where it is the family's own."""
        if self.kmers:
            return SINGLE_BASES + (4**self.kmers if self.kmers > 1 else 0)
        return self.byte_pairs.vocabulary if self.byte_pairs else None

    @property
    def carried(self) -> int:
        """Bases that the state has read at most when it starts again; gradients never go back further than `length`."""
        return self.carry_state_bp or self.length

    @property
    def draws(self) -> bool:
        """Whether what it learns lets sequences be drawn from it, where the family alone does not."""
        return self.objective in ("next", "masked_diffusion") or bool(self.config.get("causal"))

    @model_validator(mode="after")
    def _of_a_corpus(self) -> Pretrain:
        given = {
            "softmask_weight": self.softmask_weight != 1,
            "short": self.short is not None,
            "tags": self.tags is not None,
            "strand": self.strand != "both",
            "byte_pairs": self.byte_pairs is not None,
            "kmers": self.kmers is not None,
            "carry_state_bp": self.carry_state_bp is not None,
        }
        if self.corpus is None and any(given.values()):
            raise ValueError(
                f"{', '.join(name for name, used in given.items() if used)} is of a corpus; name one (`corpus`)"
            )
        if self.kmers and self.byte_pairs:
            raise ValueError("a model reads `kmers` or byte pairs: leave one out")
        if self.kmers and self.length < 2 * self.kmers:
            raise ValueError(f"length {self.length} holds no two {self.kmers}-mers: nothing could be learned")
        if self.pairs and self.corpus:
            raise ValueError("a model learns from `pairs` or from a corpus: leave one out")
        if self.pairs and self.objective not in (None, "next"):
            raise ValueError("pairs are learned token by token: leave `objective` out")
        if self.pack and self.tags:
            raise ValueError("a row of several sequences has no tag: take `pack` or `tags`")
        if self.carry_state_bp:
            if self.carry_state_bp % self.length or self.carry_state_bp == self.length:
                raise ValueError(
                    f"carry_state_bp {self.carry_state_bp} is no multiple of length {self.length}, from twice on"
                )
            if others := [name for name in ("pack", "ends", "tags") if getattr(self, name)]:
                raise ValueError(f"carry_state_bp goes without {', '.join(others)}: leave one out")
            if self.gpus > 1:
                raise ValueError("carry_state_bp keeps its states on one GPU: leave gpus out")
        if self.ends and self.short is None:
            raise ValueError(
                "ends are those of whole sequences; say from which length on they are learned from (`short`)"
            )
        if self.pack and self.short is None:
            raise ValueError("pack joins short sequences; say from which length on they are learned from (`short`)")
        return self

    def training(self) -> Training:
        """Return the settings of the training run."""
        return Training(
            optimizer="adamw",
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            warmup=0.1,
            batch=self.batch,
            micro_batch=self.micro_batch or max(1, self.batch // self.gpus),
            steps=self.steps,
            gpus=self.gpus,
            bf16=self.bf16,
            gradient_checkpointing=self.gradient_checkpointing,
        )


class Attention(Block):
    """An attention form that bounds distances; of transformers' own models, at the cost of fused kernels."""

    form: Literal["rerope", "dual_chunk"] = Field(
        description="`rerope`: no distance above the window; `dual_chunk`: bounded across chunks of the original length."
    )
    window: Positive | None = Field(
        None,
        description="Tokens: largest distance (half the original length), or those kept across a border (an eighth).",
    )


Method = Literal[
    "none",
    "pi",
    "ntk",
    "dynamic_ntk",
    "ntk_by_parts",
    "yarn",
    "gene",
    "clex",
    "pose",
    "llama3",
    "longrope",
    "overstretch",
]


RAMP = ("beta_fast", "beta_slow", "truncate")
EXTENSION_SETTINGS: dict[str, tuple[str, ...]] = {
    "none": (),
    "pi": (),
    "ntk": (),
    "dynamic_ntk": (),
    "ntk_by_parts": RAMP,
    "yarn": ("attention_factor", *RAMP),
    "gene": ("num_rotations",),
    "clex": ("param_factor", "activation", "step", "gain"),
    "pose": ("frequencies",),
    "llama3": ("low_freq_factor", "high_freq_factor"),
    "longrope": ("long_factor", "short_factor", "attention_factor"),
    "overstretch": ("exponent", "attention_factor", *RAMP),
}
"""What `settings` may name, by method: a copy of what `glmflow.context` takes, which needs torch to be asked."""


OF_TUNING = (
    *("kind", "batch", "micro_batch", "learning_rate", "warmup", "mask", "rank", "alpha"),
    "gradient_checkpointing",
)
"""Keys of `extend` that only its tuning reads."""


class Extend(Block):
    """A longer context for a model with rotary positions: at once, or with a short tuning on the training contigs."""

    model: Label = Field(description="Label of a model that is pretrained here or published.")
    method: Method = Field(description="How frequencies, and positions while tuning, change (docs/context.md).")
    factor: Annotated[float, Field(ge=1)] = Field(description="Target length over original length.")
    original_length: Positive | None = Field(
        None, description="Tokens of the longest sequence it was trained on; the model's context where left out."
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="The method's own settings.")
    attention: Attention | None = Field(None, description="Attention form beside the method.")
    steps: Annotated[int, Field(ge=0)] = Field(0, description="Updates of tuning; 0: none (zero-shot).")
    kind: Literal["full", "lora"] = Field("full", description="Tune everything, or low-rank adapters.")
    length: Positive = Field(4096, description="Bases of a tuning sequence.")
    batch: Positive = Field(16, description="Sequences an update.")
    micro_batch: Positive | None = Field(None, description="Sequences on a GPU at a time; all where left out.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(2e-5, description="Peak learning rate (AdamW, cosine).")
    warmup: Fraction = Field(0.05, description="Share of the updates spent warming up.")
    mask: Fraction = Field(0.15, description="Share of bases that are masked (masked models only).")
    rank: Positive = Field(16, description="LoRA rank.")
    alpha: Positive = Field(32, description="LoRA alpha.")
    bf16: bool = Field(False, description="bfloat16 mixed precision.")
    gradient_checkpointing: bool = Field(False, description="Recompute activations to save memory.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is said of a tuning, or of adapters, that there is none of."""
        if not self.steps:
            for key in self.changed(*OF_TUNING):
                yield key, "nothing is tuned with `steps: 0`"
        elif self.kind == "full":
            for key in self.changed("rank", "alpha"):
                yield key, "only kind lora has low-rank adapters, not kind full"

    @model_validator(mode="after")
    def _known_settings(self) -> Extend:
        allowed = EXTENSION_SETTINGS[self.method]
        if self.method == "pose":
            borrowed = self.settings.get("frequencies", "pi")
            if borrowed not in EXTENSION_SETTINGS:
                raise ValueError(f"settings.frequencies: no method {borrowed!r}; take {', '.join(EXTENSION_SETTINGS)}")
            allowed += EXTENSION_SETTINGS[borrowed]
        if unknown := [name for name in self.settings if name not in allowed]:
            close = get_close_matches(unknown[0], allowed, 1)
            hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(allowed) or 'none'}"
            raise ValueError(f"settings: {self.method} has no setting {unknown[0]!r}; {hint}")
        if "long_factor" in allowed and "long_factor" not in self.settings:
            raise ValueError(f"settings: {self.method} needs long_factor, a divisor for each pair")
        return self

    @model_validator(mode="after")
    def _positions(self) -> Extend:
        if self.attention and self.steps and self.method in ("clex", "pose"):
            raise ValueError(
                f"attention: while tuning, {self.method} draws positions and `{self.attention.form}` counts its own; "
                "take another method, or leave out attention"
            )
        return self

    def training(self) -> Training:
        """Return the tuning as a training block."""
        return Training(
            optimizer="adamw",
            learning_rate=self.learning_rate,
            warmup=self.warmup,
            steps=max(1, self.steps),
            batch=self.batch,
            micro_batch=self.micro_batch or self.batch,
            bf16=self.bf16,
            gradient_checkpointing=self.gradient_checkpointing,
            evaluations=1,
        )


class Model(Block):
    """One entry of `models`; exactly one of the origins is given."""

    checkpoint: str | None = Field(
        None, description="A name of `config/models.yaml` or the path of a checkpoint folder."
    )
    pretrain: Pretrain | None = Field(None, description="Pretrain it here.")
    new: New | None = Field(None, description="Start from random weights.")
    extend: Extend | None = Field(None, description="Another model of the study with a longer context.")
    baseline: Baseline | None = Field(None, description="A baseline.")
    text: str | None = Field(
        None,
        description="A text model that heads name by this label (`head: {kind: text_answers, text: LABEL}`): a name of "
        "`config/text_models.yaml` or the folder of one. It stands alone, and no run names it.",
    )
    grid: dict[str, Annotated[list[str | float], Field(min_length=1)]] | None = Field(
        None,
        description="Values of keys of this model, each with each: a model of every combination, `{label}-{value}-{value}`. "
        "`{pretrain.byte_pairs.vocabulary: [512, 4096], pretrain.length: [256, 1024]}` makes four; `runs` that name the label "
        "have all of them.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        if self.text is not None:
            raise ValueError("text: a text model has no other key; a model that reads DNA has none of it")
        given = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(ORIGINS)} (found {', '.join(given) or 'none'})")
        return self

    @property
    def is_folder(self) -> bool:
        """Whether the checkpoint is the path of a folder, not a name of the list."""
        return "/" in (self.checkpoint or "")

    @property
    def made(self) -> New | Pretrain | None:
        """The block of a model whose network the study makes from a family's settings; None of others."""
        return self.new or self.pretrain

    @property
    def origin(self) -> str:
        """Which of the origins is given."""
        return next(name for name in ORIGINS if getattr(self, name) is not None)


ORIGINS = ("checkpoint", "pretrain", "new", "extend", "baseline")

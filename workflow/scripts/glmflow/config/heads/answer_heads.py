"""Heads that answer questions in words about a pair of alleles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PrivateAttr, model_validator

from ..base import Fraction, Positive
from ..blocks import HeadBlock
from ..text_blocks import TextPretraining, made_text
from ..text_models import TextShape, folder_of, is_folder, listed_text_models, small_shape, text_shape

QUESTION_TOKENS = 1000
"""Tokens of a question with its alleles, for what is planned: those of a pathway of KEGG with pooled alleles."""
PARTS = {"diff": ("ref", "diff"), "pair": ("ref", "alt"), "both": ("ref", "diff", "alt")}
"""Parts that a text model is given, by what an arm reads."""


class TextAnswers(HeadBlock):
    """A text model that reads the states of both alleles between its words, and ranks answers by their likelihood."""

    kind: Literal["text_answers"]
    target = "answer_text"
    default = True

    text: str | None = Field(
        None,
        description="Text model: a name of `config/text_models.yaml` (`qwen3-1.7b`; downloaded by prefetch), or the folder of a "
        "causal one (safetensors, config.json, tokenizer.json; ChatML with thoughts, as Qwen3). Left out: a small Qwen3 from "
        "random weights, its byte pairs learned from the training questions. The label of an entry of `models` that is "
        "`{text: ...}` stands for what that says.",
    )
    hidden: Positive = Field(128, description="Width of the small text model.")
    layers: Positive = Field(3, description="Its layers.")
    heads: Positive = Field(4, description="Its attention heads.")
    vocabulary: Positive = Field(700, description="Its byte pairs.")
    tuning: Literal["full", "lora", "frozen"] | None = Field(
        None,
        description="What is trained of the text model: by default low-rank adapters of one from a folder, and all of a new one.",
    )
    rank: Positive = Field(32, description="Rank of the text model's low-rank adapters.")
    alpha: Positive = Field(64, description="Their alpha.")
    dropout: Fraction = Field(0.05, description="Their dropout.")
    dna: Literal["diff", "pair", "both", "none", "mean", "permuted", "shuffled"] = Field(
        "diff",
        description="The arm: reference and difference of the states (`diff`), reference and variant (`pair`, as published), all "
        "three (`both`); controls that are trained so: no DNA (`none`), learned vectors without content (`mean`), the pairs of "
        "other questions (`permuted`), shuffled flanks (`shuffled`).",
    )
    pooling: Literal["strided", "queries", "focus", "none"] = Field(
        "strided",
        description="How states become vectors of the text model: means of `stride` bases, learned queries, the bases next to the "
        "change as they are (`focus`), or every base. What changes always has a vector of its own.",
    )
    stride: Positive = Field(
        8,
        description="Bases of a mean; of models whose tokens are several bases the next multiple of them (the run's notes say so).",
    )
    queries: Positive = Field(32, description="Learned queries (`pooling: queries`).")
    both_strands: bool | None = Field(
        None,
        description="Read both strands of the alleles, their states side by side. Left out: of causal models, whose states left "
        "of the change are otherwise the same in both.",
    )
    align: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Updates before training in which the bridge learns alone, by a classifier of the answer that is thrown "
        "away, without the text model; 0: none.",
    )
    bridge_rate: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Learning rate of the bridge, times that of the rest (5 to 10 beside low-rank adapters)."
    )
    no_change: Fraction = Field(
        0.1,
        description="Share of the training questions whose variant is the reference, answered by `unchanged`: without them the "
        "reference alone becomes the answer.",
    )
    traces: bool = Field(
        False,
        description="Learn the reasoning of the table before the answer. Published traces name positions and alleles that the "
        "reader never gets.",
    )
    trace_weight: Fraction = Field(0.5, description="Share of the loss that reasoning has (`traces`).")
    generate: Annotated[int, Field(ge=0)] = Field(
        0, description="Tokens of a text that is written for each test question, greedily, beside the ranking; 0: none."
    )
    samples: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Texts that are drawn of each test question beside it, at the published temperature (0.6, top_p 0.95, "
        "top_k 20); their scores have the lowest and highest draw as interval.",
    )

    _made: TextShape | None = PrivateAttr(None)
    """Sizes of the text model that the study pretrains, which has no folder yet."""

    @model_validator(mode="after")
    def _one_size(self) -> TextAnswers:
        sizes = self.changed("hidden", "layers", "heads", "vocabulary")
        if self.text is not None and sizes:
            raise ValueError(f"{', '.join(sizes)}: the text model of a folder has its sizes; leave it out")
        if self.text is None and self.hidden % (2 * self.heads):
            raise ValueError(f"hidden: {self.hidden} is no multiple of twice the heads ({self.heads})")
        if self.text is None and self.tuning not in (None, "full"):
            raise ValueError(
                f"tuning: {self.tuning} keeps the text model's weights, which are random without `text`; leave it out, or "
                "pretrain one (models: {words: {text: {questions: TASK}}}, text: words)"
            )
        if self.tuning not in (None, "lora") and self.changed("rank", "alpha", "dropout"):
            raise ValueError("rank, alpha and dropout are of low-rank adapters; say tuning: lora, or leave them out")
        if not self.reads_dna and self.changed("align", "bridge_rate"):
            raise ValueError(
                f"align and bridge_rate are of a bridge that reads DNA; leave them out with dna: {self.dna}"
            )
        if self.samples and not self.generate:
            raise ValueError("samples: no text is written; say generate: 800, or leave it out")
        known = listed_text_models()
        if self.text is not None and not is_folder(self.text) and self.text not in known:
            raise ValueError(f"text: {self.text} is none of {', '.join(known)}; the path of a folder holds a /")
        return self

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what another pooling reads, and what is said of reasoning that is not learned.

        The controls of an arm (`dna: none`) may repeat all of its settings, the bridge's too.
        """
        if self.pooling in ("queries", "none"):
            for key in self.changed("stride"):
                yield key, f"pooling: {self.pooling} makes no means of bases"
        if self.pooling != "queries":
            for key in self.changed("queries"):
                yield key, f"pooling: {self.pooling} has no queries"
        if not self.traces:
            for key in self.changed("trace_weight"):
                yield key, "no reasoning is learned without `traces: true`"

    @property
    def text_folder(self) -> str | None:
        """Return the folder of the text model; None of one that is made here."""
        return None if self.text is None else folder_of(self.text)

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Return the name of the published text model."""
        return () if self.text is None or is_folder(self.text) else (self.text,)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of a pair of alleles that the text model is given."""
        return () if self.dna == "none" else PARTS.get(self.dna, PARTS["diff"])

    @property
    def reads_dna(self) -> bool:
        """Return whether the alleles of a question reach the text model."""
        return self.dna not in ("none", "mean")

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters that are trained or made here: the bridge, and what is tuned of the text model."""
        shape, width = self.shape, hidden * (2 if self.both_strands else 1)
        bridge = len(self.parts) * (width + 4) * shape.hidden
        how = self.tuning or ("lora" if self.text else "full")
        return bridge + {"full": shape.parameters, "lora": shape.adapters(self.rank), "frozen": 0}[how]

    def planned(self, results: str, texts: Mapping[str, TextPretraining]) -> TextAnswers:
        """Return the head with the sizes of its text model, where the study pretrains that one."""
        for label, text in texts.items():
            if self.text_folder == made_text(results, label):
                own = self.model_copy()
                own._made = small_shape(text.hidden, text.layers, text.heads, text.vocabulary)
                return own
        return self

    @property
    def shape(self) -> TextShape:
        """Return the sizes of the text model; of a folder that is not there those of the small one."""
        own = self._made or small_shape(self.hidden, self.layers, self.heads, self.vocabulary)
        return (text_shape(self.text) or own) if self.text else own

    def frozen(self) -> int:
        """Return the number of the text model's parameters that stay as they are."""
        return self.shape.parameters if self.text and self.tuning != "full" else 0

    def products(self) -> float:
        """Return the multiplications of a question's forward pass through the text model, but for its embedding."""
        shape = self.shape
        return QUESTION_TOKENS * (shape.parameters - (not shape.tied) * shape.vocabulary * shape.hidden)

    def kept_bytes(self, checkpointed: bool) -> float:
        """Return what the text model keeps of a question: inputs of its layers and one layer, or all layers.

        16 widths and 4 feed-forward widths a token and layer, three fifths of 4 bytes each, as is counted of DNA models of
        this architecture (`models/facts.py`).
        """
        shape = self.shape
        layer = 2.4 * QUESTION_TOKENS * (16 * shape.hidden + 4 * shape.inner)
        return layer + 4 * QUESTION_TOKENS * shape.hidden * shape.layers if checkpointed else layer * shape.layers


class AlleleClassifier(HeadBlock):
    """DNA alone: learned queries attend over the states of both alleles; two linear layers give the class."""

    kind: Literal["allele_classifier"]
    target = "answer_text"
    reads_dna: ClassVar[bool] = True

    difference: bool = Field(
        True, description="Read the difference of both alleles around the change too; without it as published."
    )
    heads: Positive = Field(8, description="Attention heads; they divide the width of the states.")
    dropout: Fraction = Field(0.1, description="Dropout between the layers.")
    no_change: Fraction = Field(0.1, description="Share of training questions whose variant is the reference.")

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of parameters."""
        read = (3 if self.difference else 2) * hidden
        return 4 * hidden * (hidden + 1) + (read + 1) * hidden + (hidden + 1) * outputs

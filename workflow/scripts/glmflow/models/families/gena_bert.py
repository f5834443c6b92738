"""GENA-LM (bert): BERT over byte-pair tokens of about nine bases, with the norms in front.

Fishman et al. (2025) GENA-LM: a family of open-source foundational DNA language models for long sequences,
Nucleic Acids Research. The encoder is BERT (Devlin et al. 2019: learned position and segment embeddings,
GELU) but for the place of its layer norms (Xiong et al. 2020), which the configuration tells:

===================  ============================================================  =======================
`pre_layer_norm`     a layer                                                       after the last layer
===================  ============================================================  =======================
true (published)     `x + attention(norm(x))`, then `x + feed_forward(norm(x))`    a norm, unless
                                                                                   `last_layer_norm: false`
false (BERT)         `norm(x + attention(x))`, then `norm(x + feed_forward(x))`    nothing
===================  ============================================================  =======================

Norms have other names in the two: `pre_attention_ln` and `post_attention_ln` in a layer, or a `LayerNorm`
in each of its output projections.

The block-sparse variants (`gena-lm-bigbird-base-sparse`) need DeepSpeed's kernels and are refused; for long
windows there is `gena-lm-bigbird-base-t2t`, an unmodified BigBird.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.attention import attend
from glmflow.models.families._masked_head import MaskedLanguageHead, initialise
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import Tokenizer, tokenizer_from_file

DEFAULTS = {
    "vocab_size": 32_000,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "type_vocab_size": 2,
    "max_position_embeddings": 512,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "position_embedding_type": "absolute",
    "pre_layer_norm": False,
}
"""What a key that `config.json` leaves out means."""

BASES_PER_TOKEN = 9.0
"""Median length of a token of the published vocabularies (Fishman et al. 2025)."""


class ProjectAdd(nn.Module):
    """Project, and add to what came in; in a BERT layer with its norms last, normalise the sum."""

    def __init__(self, config: Config, inner: int):
        super().__init__()
        dim = config["hidden_size"]
        self.dense = nn.Linear(inner, dim)
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])
        if not config["pre_layer_norm"]:
            self.LayerNorm = nn.LayerNorm(dim, eps=config["layer_norm_eps"])

    def forward(self, found: Tensor, x: Tensor) -> Tensor:
        """`[B, L, inner]` and `[B, L, D]` to `[B, L, D]`."""
        total = x + self.dropout(self.dense(found))
        return self.LayerNorm(total) if hasattr(self, "LayerNorm") else total


class SelfAttention(nn.Module):
    """Multi-head attention without its output projection."""

    def __init__(self, config: Config, attention: str):
        super().__init__()
        dim = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.attention = attention
        self.dropout = config["attention_probs_dropout_prob"]
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        query, key, value = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for project in (self.query, self.key, self.value)
        )
        dropout = self.dropout if self.training else 0.0
        mixed = attend(query, key, value, mask=mask, dropout=dropout, implementation=self.attention)
        return mixed.transpose(1, 2).flatten(2)


class Layer(nn.Module):
    """Attention, then the feed-forward layer, with the norms in front of either or behind."""

    def __init__(self, config: Config, attention: str):
        super().__init__()
        dim, inner, eps = config["hidden_size"], config["intermediate_size"], config["layer_norm_eps"]
        self.norms_first = config["pre_layer_norm"]
        if self.norms_first:
            self.pre_attention_ln = nn.LayerNorm(dim, eps=eps)
            self.post_attention_ln = nn.LayerNorm(dim, eps=eps)
        self.attention = nn.ModuleDict({"self": SelfAttention(config, attention), "output": ProjectAdd(config, dim)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(dim, inner)})
        self.output = ProjectAdd(config, inner)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        normed = self.pre_attention_ln(x) if self.norms_first else x
        x = self.attention["output"](self.attention["self"](normed, mask), x)
        normed = self.post_attention_ln(x) if self.norms_first else x
        return self.output(nn.functional.gelu(self.intermediate["dense"](normed)), x)


class Embeddings(nn.Module):
    """Token, position and segment embeddings; every token is of BERT's first segment type."""

    def __init__(self, config: Config):
        super().__init__()
        dim = config["hidden_size"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], dim)
        self.position_embeddings = nn.Embedding(config["max_position_embeddings"], dim)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], dim)
        self.LayerNorm = nn.LayerNorm(dim, eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, input_ids: Tensor) -> Tensor:
        """`int64[B, L]` to `[B, L, D]`.

        Raises
        ------
        InputError
            There are more tokens than learned positions.
        """
        length, learned = input_ids.shape[1], self.position_embeddings.num_embeddings
        if length > learned:
            raise InputError(
                f"{length:,} tokens, but the model has learned {learned:,} positions",
                fix="Tokenize with chunk=True, or take shorter windows.",
            )
        position = self.position_embeddings(torch.arange(length, device=input_ids.device))
        embedded = self.word_embeddings(input_ids) + position + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(embedded))


class GenaBert(Network):
    """The encoder with its masked-language head."""

    head_names = ("cls",)

    def __init__(self, config: Config, attention: str):
        super().__init__()
        dim, eps = config["hidden_size"], config["layer_norm_eps"]
        embeddings = Embeddings(config)
        layers = nn.ModuleList(Layer(config, attention) for _ in range(config["num_hidden_layers"]))
        encoder = nn.ModuleDict({"layer": layers})
        if config["last_layer_norm"]:
            encoder["last_layer_ln"] = nn.LayerNorm(dim, eps=eps)
        self.bert = nn.ModuleDict({"embeddings": embeddings, "encoder": encoder})
        self.cls = MaskedLanguageHead(embeddings.word_embeddings, nn.LayerNorm(dim, eps=eps), bias_name="bias")
        initialise(self, config["initializer_range"])

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """`int64[B, L]` to `[B, L, D]`."""
        x = self.bert["embeddings"](input_ids)
        encoder = self.bert["encoder"]
        for layer in encoder["layer"]:
            x = self.run_block(layer, x, attention_mask)
        return encoder["last_layer_ln"](x) if "last_layer_ln" in encoder else x

    def logits(self, states: Tensor) -> Tensor:
        """`[B, L, D]` to `[B, L, V]`."""
        return self.cls(states)


def matches(config: Config) -> bool:
    """Whether it is a BERT whose norms are configured, as in GENA-LM alone."""
    return config.get("model_type") == "bert" and "pre_layer_norm" in config


def configure(config: Config) -> Config:
    """Fill in defaults and refuse what cannot be computed here.

    Raises
    ------
    InputError
        Block-sparse attention, another activation or position embedding, or a last norm behind norms.
    """
    config = {**DEFAULTS, **config}
    config["last_layer_norm"] = config.get("last_layer_norm", config["pre_layer_norm"])
    if config.get("sparse_config_cls") or config["position_embedding_type"] != "absolute":
        raise InputError(
            "block-sparse GENA-LM needs DeepSpeed's sparse attention, which is no longer maintained",
            where="config.json",
            fix="Use gena-lm-bigbird-base-t2t for long windows.",
        )
    if config["hidden_act"] != "gelu":
        raise InputError(
            f"hidden_act {config['hidden_act']!r} is not one that GENA-LM has",
            where="config.json",
            fix="Known: gelu.",
        )
    if config["last_layer_norm"] and not config["pre_layer_norm"]:
        raise InputError(
            "last_layer_norm without pre_layer_norm would normalise twice",
            where="config.json",
            fix="Set last_layer_norm to false.",
        )
    return config


def convert(state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Leave out the position numbers and the next-sentence parts, which nothing here uses."""
    unused = ("bert.embeddings.position_ids", "bert.pooler.", "cls.seq_relationship.")
    return {name: tensor for name, tensor in state.items() if not name.startswith(unused)}


def card(config: Config) -> ModelCard:
    """Describe the model."""
    tokens = config["max_position_embeddings"]
    return ModelCard(
        family="gena_bert",
        objective="masked",
        context_bp=int((tokens - 2) * BASES_PER_TOKEN),
        context_tokens=tokens,
        bases_per_token=BASES_PER_TOKEN,
        position_embedding="learned",
        padding=True,
        strand="one strand is read; average both",
        licence="MIT",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("query", "value"),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """Read the published byte-pair vocabulary.

    Of the two that are published, the newer (t2t) has tokens with N and writes ten or more N as one `-`; in
    the older each N is one unknown token.
    """
    return tokenizer_from_file(folder)


FAMILY = Family(
    name="gena_bert",
    build=GenaBert,
    card=card,
    tokenizer=tokenizer,
    matches=matches,
    configure=configure,
    convert=convert,
)

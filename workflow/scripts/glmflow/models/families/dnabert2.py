"""DNABERT-2 and DNABERT-S: a BERT encoder with linear attention biases, over byte-pair tokens.

Zhou et al. (2024) DNABERT-2: efficient foundation model and benchmark for multi-species genomes, ICLR.
DNABERT-S (Zhou et al. 2025, Bioinformatics) has the same layout. The encoder is MosaicBERT (Portes et al.
2023), which departs from BERT in three places:

* **No position embedding.** Attention between tokens `i` and `j` in head `h` is lowered by `m_h |i - j|`
  (ALiBi, Press et al. 2022, here in both directions). A head with a large slope `m_h` reads its
  neighbourhood, one with a small slope the whole window. Nothing is learned for a position, so that longer
  inputs than in training can be read.
* **A gated feed-forward layer** (GEGLU, Shazeer 2020): `W_o (gelu(a) * b)`, where `a` and `b` are the
  halves of one projection.
* **One matrix** `Wqkv` projects to queries, keys and values.

A layer norm follows each residual sum, as in BERT; so does the masked-language head.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from glmflow.models.attention import attend
from glmflow.models.families._masked_head import MaskedLanguageHead, initialise
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import Tokenizer, tokenizer_from_file

PUBLISHED = {
    "vocab_size": 4096,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "type_vocab_size": 2,
    "max_position_embeddings": 512,
    "alibi_starting_size": 512,
    "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.02,
}
"""The configuration of DNABERT-2-117M: what a key left out means."""

BASES_PER_TOKEN = 5.0
"""Mean length of a published token, roughly (it differs from sequence to sequence)."""

BLOCK_ELEMENTS = 2**22
"""Biases that exist at once in a head, for inputs beyond the published context (16 MiB in float32)."""


def alibi_slopes(heads: int) -> list[float]:
    """Return the slope `m_h` of each head: `2 ** (-8 h / heads)` for `h = 1 ... heads`.

    Where `heads` is no power of two, those of the next lower power come first, then every other one of the
    next higher power (Press et al. 2022, reference code).
    """
    lower = 2 ** math.floor(math.log2(heads))
    slopes = [2 ** (-8 * h / lower) for h in range(1, lower + 1)]
    between = [2 ** (-4 * h / lower) for h in range(1, 2 * lower, 2)]
    return slopes + between[: heads - lower]


def alibi_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, context: int, dropout: float = 0.0
) -> Tensor:
    """Attend with `-m_h |i - j|` added to the scores; query, key, value and result are `[B, heads, L, d]`.

    All biases together would be `heads * L ** 2` numbers. Beyond `context` tokens the queries are therefore
    taken in blocks, whose biases are made when needed and, in training, once more in the backward pass.
    """
    length = query.shape[2]
    slopes = torch.tensor(alibi_slopes(query.shape[1]), device=query.device)
    position = torch.arange(length, device=query.device)

    def attend_from(start: int, stop: int) -> Tensor:
        distance = (position[start:stop, None] - position).abs()
        bias = -slopes[:, None, None] * distance
        return attend(query[:, :, start:stop], key, value, mask=mask, bias=bias, dropout=dropout)

    if length <= context:
        return attend_from(0, length)
    rows = max(1, min(context, BLOCK_ELEMENTS // length))
    starts = range(0, length, rows)
    blocks = [checkpoint(attend_from, start, start + rows, use_reentrant=False) for start in starts]
    return torch.cat(blocks, dim=2)


class SelfAttention(nn.Module):
    """Multi-head attention with linear biases, without its output projection."""

    def __init__(self, config: Config):
        super().__init__()
        self.heads = config["num_attention_heads"]
        self.context = config["alibi_starting_size"]
        self.dropout = config["attention_probs_dropout_prob"]
        self.Wqkv = nn.Linear(config["hidden_size"], 3 * config["hidden_size"])

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        query, key, value = self.Wqkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        mixed = alibi_attention(query, key, value, mask, self.context, dropout)
        return mixed.transpose(1, 2).flatten(2)


class ProjectAddNorm(nn.Module):
    """Project what attention found, add it to what came in, and normalise."""

    def __init__(self, config: Config):
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["hidden_size"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, found: Tensor, x: Tensor) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        return self.LayerNorm(x + self.dropout(self.dense(found)))


class GatedFeedForward(nn.Module):
    """GEGLU with its residual sum and norm."""

    def __init__(self, config: Config):
        super().__init__()
        dim, inner = config["hidden_size"], config["intermediate_size"]
        self.gated_layers = nn.Linear(dim, 2 * inner, bias=False)
        self.wo = nn.Linear(inner, dim)
        self.layernorm = nn.LayerNorm(dim, eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, x: Tensor) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        gate, content = self.gated_layers(x).chunk(2, dim=-1)
        return self.layernorm(x + self.wo(self.dropout(nn.functional.gelu(gate) * content)))


class Layer(nn.Module):
    """Attention, then the feed-forward layer."""

    def __init__(self, config: Config):
        super().__init__()
        self.attention = nn.ModuleDict({"self": SelfAttention(config), "output": ProjectAddNorm(config)})
        self.mlp = GatedFeedForward(config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        return self.mlp(self.attention["output"](self.attention["self"](x, mask), x))


class Embeddings(nn.Module):
    """Token embeddings; every token is of BERT's first segment type."""

    def __init__(self, config: Config):
        super().__init__()
        dim = config["hidden_size"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], dim)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], dim)
        self.LayerNorm = nn.LayerNorm(dim, eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, input_ids: Tensor) -> Tensor:
        """`int64[B, L]` to `[B, L, D]`."""
        embedded = self.word_embeddings(input_ids) + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(embedded))


class DNABERT2(Network):
    """The encoder with its masked-language head."""

    head_names = ("cls",)

    def __init__(self, config: Config):
        super().__init__()
        layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        embeddings = Embeddings(config)
        self.bert = nn.ModuleDict({"embeddings": embeddings, "encoder": nn.ModuleDict({"layer": layers})})
        norm = nn.LayerNorm(config["hidden_size"], eps=1e-12)
        self.cls = MaskedLanguageHead(embeddings.word_embeddings, norm)
        initialise(self, config["initializer_range"])

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """`int64[B, L]` to `[B, L, D]`."""
        x = self.bert["embeddings"](input_ids)
        for layer in self.bert["encoder"]["layer"]:
            x = self.run_block(layer, x, attention_mask)
        return x

    def logits(self, states: Tensor) -> Tensor:
        """`[B, L, D]` to `[B, L, V]`."""
        return self.cls(states)


def configure(config: Config) -> Config:
    """Fill in what a configuration leaves out with the values of DNABERT-2-117M."""
    return {**PUBLISHED, **config}


def convert(state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Put the names under `bert.` where they are not (DNABERT-S), and leave the sentence pooler out."""
    named = {name if name.startswith(("bert.", "cls.")) else f"bert.{name}": tensor for name, tensor in state.items()}
    return {name: tensor for name, tensor in named.items() if not name.startswith("bert.pooler.")}


def card(config: Config) -> ModelCard:
    """Describe the model."""
    tokens = config["max_position_embeddings"]
    return ModelCard(
        family="dnabert2",
        objective="masked",
        context_bp=int((tokens - 2) * BASES_PER_TOKEN),
        context_tokens=tokens,
        bases_per_token=BASES_PER_TOKEN,
        position_embedding="alibi",
        padding=True,
        strand="one strand is read; average both",
        licence="Apache-2.0",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("Wqkv",),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """Read the published byte-pair vocabulary; a letter outside it (N) is one unknown token."""
    return tokenizer_from_file(folder)


FAMILY = Family(
    name="dnabert2",
    build=lambda config, attention: DNABERT2(config),
    card=card,
    tokenizer=tokenizer,
    matches=lambda config: "alibi_starting_size" in config,
    configure=configure,
    convert=convert,
    attention=("sdpa",),
)

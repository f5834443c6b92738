"""AIDO.DNA (300M, 7B): a BERT encoder brought up to date, with one token a base.

Ellington et al. (2024) Accurate and general DNA representations emerge from genome foundation models at scale
(AIDO.DNA), NeurIPS workshop. What differs from BERT:

* **Norms come first**: `x + attention(norm(x))`, then `x + feed_forward(norm(x))` (Xiong et al. 2020), and
  one norm at the end. They are layer norms or root-mean-square norms (Zhang & Sennrich 2019), as
  configured.
* **Rotary positions** (RoPE, Su et al. 2021): queries and keys are turned by an angle that grows with the
  position, so that their product depends on the distance. Pair `i` of a head's `d` channels turns by
  `10000 ** (-2 i / d)` a base; the pair is channels `i` and `i + d / 2`.
* **A gated feed-forward layer** (SwiGLU, Shazeer 2020): `W_down (silu(W_gate x) * W_up x)`.

The key `seq_len_interpolation_factor` of `config.json` has no effect here, as in the original, whose model
does not hand it to its rotary embedding: published weights were trained without, and `context.extend` sets
the frequencies instead.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.models.attention import attend
from glmflow.models.families._masked_head import MaskedLanguageHead, initialise
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import CharacterTokenizer, Tokenizer, read_vocabulary

DEFAULTS = {
    "vocab_size": 16,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "hidden_act": "swiglu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 4000,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-5,
    "add_linear_bias": True,
    "position_embedding_type": "rope",
    "normalization_type": "RMSNorm",
    "rotary_percent": 1.0,
}
"""What a key that `config.json` leaves out means."""

ROTARY_BASE = 10_000

NORMS = {"RMSNorm": nn.RMSNorm, "LayerNorm": nn.LayerNorm}

VOCABULARY = ("[PAD]", "[MASK]", "[CLS]", "[SEP]", "[UNK]", *"AGCTUN", "[BOS]", "[EOS]")
"""The published tokens in the order of their ids; the output layer is padded to 16."""


class RotaryEmbedding(nn.Module):
    """Cosine and sine of the angle by which each channel of a query or key turns at each position.

    Parameters
    ----------
    dim
        Channels of a head that turn: all, or the first of them (`rotary_percent` below one).

    Attributes
    ----------
    inv_freq
        `float32[dim / 2]`: angle a position in radians.
    attention_scaling
        Factor of cosine and sine (YaRN); one as published.
    """

    inv_freq: Tensor

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim
        self.attention_scaling = 1.0
        self.reset_buffers()

    def reset_buffers(self) -> None:
        """Compute the frequencies, which no checkpoint holds."""
        frequencies = ROTARY_BASE ** (-torch.arange(0, self.dim, 2, dtype=torch.float32) / self.dim)
        self.register_buffer("inv_freq", frequencies, persistent=False)

    def _apply(self, convert, recurse=True):
        # In bfloat16 an angle at position 4,000 would be wrong by several turns.
        exact = self.inv_freq
        super()._apply(convert, recurse)
        if self.inv_freq.dtype != exact.dtype:
            self.inv_freq = exact.to(self.inv_freq.device)
        return self

    def forward(self, length: int, positions: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return cosine and sine, each `float32[length, dim]`, or `[B, 1, length, dim]` at `positions` `[B, length]`."""
        if positions is None:
            position = torch.arange(length, device=self.inv_freq.device, dtype=torch.float32)
        else:
            position = positions[:, None].float()
        angle = position[..., None] * self.inv_freq.float()
        angle = torch.cat((angle, angle), dim=-1)
        return angle.cos() * self.attention_scaling, angle.sin() * self.attention_scaling


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the first channels of queries or keys `[B, heads, L, d]`; those beyond `cosine`'s width stay."""
    turning, still = x[..., : cosine.shape[-1]], x[..., cosine.shape[-1] :]
    first, second = turning.chunk(2, dim=-1)
    quarter_turned = torch.cat((-second, first), dim=-1)
    turned = (turning * cosine + quarter_turned * sine).to(x.dtype)
    return torch.cat((turned, still), dim=-1)


class Attention(nn.Module):
    """Norm, multi-head attention with rotary positions, projection, residual sum."""

    def __init__(self, config: Config, attention: str):
        super().__init__()
        dim = config["hidden_size"]
        linear = partial(nn.Linear, dim, dim, bias=config["add_linear_bias"])
        self.heads = config["num_attention_heads"]
        self.attention = attention
        self.attention_dropout = config["attention_probs_dropout_prob"]
        self.ln = _norm(config)
        self.self = nn.ModuleDict({"query": linear(), "key": linear(), "value": linear()})
        self.output = nn.ModuleDict({"dense": linear()})
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        normed = self.ln(x)
        query, key, value = (
            self.self[name](normed).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        mixed = attend(
            rotate(query, cosine, sine),
            rotate(key, cosine, sine),
            value,
            mask=mask,
            dropout=self.attention_dropout if self.training else 0.0,
            implementation=self.attention,
        )
        return x + self.dropout(self.output["dense"](mixed.transpose(1, 2).flatten(2)))


class GatedFeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: Config):
        super().__init__()
        dim, inner, bias = config["hidden_size"], config["intermediate_size"], config["add_linear_bias"]
        self.up_proj = nn.Linear(dim, inner, bias=bias)
        self.gate_proj = nn.Linear(dim, inner, bias=bias)
        self.down_proj = nn.Linear(inner, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention, then the feed-forward layer."""

    def __init__(self, config: Config, attention: str):
        super().__init__()
        self.attention = Attention(config, attention)
        self.ln = _norm(config)
        self.mlp = GatedFeedForward(config)
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor | None) -> Tensor:
        """`[B, L, D]` to `[B, L, D]`."""
        x = self.attention(x, cosine, sine, mask)
        return x + self.dropout(self.mlp(self.ln(x)))


class AidoDna(Network):
    """The encoder with its masked-language head."""

    head_names = ("cls",)
    takes_positions = True

    def __init__(self, config: Config, attention: str):
        super().__init__()
        embeddings = nn.Embedding(config["vocab_size"], config["hidden_size"])
        layers = nn.ModuleList(Layer(config, attention) for _ in range(config["num_hidden_layers"]))
        head_dim = config["hidden_size"] // config["num_attention_heads"]
        self.bert = nn.ModuleDict(
            {
                "embeddings": nn.ModuleDict({"word_embeddings": embeddings}),
                "encoder": nn.ModuleDict({"layer": layers, "ln": _norm(config)}),
                "rotary_pos_emb": RotaryEmbedding(int(head_dim * config["rotary_percent"])),
            }
        )
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])
        self.cls = MaskedLanguageHead(embeddings, _norm(config), bias_name="bias")
        initialise(self, config["initializer_range"])

    def states(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """`int64[B, L]` to `[B, L, D]`."""
        x = self.dropout(self.bert["embeddings"]["word_embeddings"](input_ids))
        cosine, sine = self.bert["rotary_pos_emb"](input_ids.shape[1], position_ids)
        for layer in self.bert["encoder"]["layer"]:
            x = self.run_block(layer, x, cosine, sine, attention_mask)
        return self.bert["encoder"]["ln"](x)

    def logits(self, states: Tensor) -> Tensor:
        """`[B, L, D]` to `[B, L, V]`."""
        return self.cls(states)


def configure(config: Config) -> Config:
    """Fill in defaults and refuse what no published checkpoint has.

    Raises
    ------
    InputError
        An activation, norm or position embedding other than those above.
    """
    config = {**DEFAULTS, **config}
    for key, known in (
        ("hidden_act", ("swiglu",)),
        ("position_embedding_type", ("rope",)),
        ("normalization_type", tuple(NORMS)),
    ):
        if config[key] not in known:
            raise InputError(
                f"{key} {config[key]!r} is not one that AIDO.DNA has",
                where="config.json",
                fix=f"Known: {', '.join(known)}.",
            )
    return config


def convert(state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Leave out the sentence pooler, which nothing here uses."""
    return {name: tensor for name, tensor in state.items() if not name.startswith("bert.pooler.")}


def card(config: Config) -> ModelCard:
    """Describe the model."""
    tokens = config["max_position_embeddings"]
    return ModelCard(
        family="aido_dna",
        objective="masked",
        context_bp=tokens - 2,
        context_tokens=tokens,
        bases_per_token=1.0,
        position_embedding="rope",
        padding=True,
        strand="one strand is read; average both",
        licence="GenBio AI Community Licence (non-commercial)",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("query", "value"),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """One token a base, N included, between `[CLS]` and `[SEP]`; ids from `vocab.txt` where there is one."""
    path = folder / "vocab.txt" if folder else None
    names = read_vocabulary(path) if path and path.exists() else {t: i for i, t in enumerate(VOCABULARY)}
    return CharacterTokenizer(
        names,
        prefix=[names["[CLS]"]],
        suffix=[names["[SEP]"]],
        pad_id=names["[PAD]"],
        mask_id=names["[MASK]"],
        unknown_id=names["[UNK]"],
    )


def _norm(config: Config) -> nn.Module:
    """Return a norm of the configured kind."""
    return NORMS[config["normalization_type"]](config["hidden_size"], eps=config["layer_norm_eps"])


FAMILY = Family(
    name="aido_dna",
    build=AidoDna,
    card=card,
    tokenizer=tokenizer,
    model_types=("rnabert",),
    configure=configure,
    convert=convert,
)

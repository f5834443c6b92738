"""HyenaDNA: a causal language model of single bases whose layers convolve over the whole sequence.

Nguyen et al. (2023) HyenaDNA: long-range genomic sequence modeling at single nucleotide resolution,
arXiv:2306.15794; the operator: Poli et al. (2023) Hyena hierarchy, arXiv:2302.10866.

* `HyenaOperator` takes the place of attention. Three projections of the input (more for a higher order) are
  smoothed over three bases; then one gates another (an elementwise product), the product is convolved with
  a filter as long as the sequence, and the last projection gates the result.
* `HyenaFilter` is where the filters come from. They are not stored but computed: a small network with sine
  activations maps a position (the time, and a few waves of it) to the filter's value there in each channel;
  an exponential window makes channels forget at rates from fast to slow. Position t of the output depends
  on inputs up to t only.
* A block is the usual pre-norm residual one: operator, then a feed-forward network.

A filter is known at the positions it was made for, ``max_seq_len`` of them. A longer sequence cannot be
read, and is refused (the original cuts it off without a word).

Input: one token a base. The published tokenizers disagree on special tokens; here there are none. They do
not upper-case, so that soft-masked bases would be [UNK]; `Adapter.tokenize` upper-cases first. N has its
own token, and other IUPAC letters are read as N. The model knows no padding mask: sequences of several
lengths do not share a batch.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmflow.errors import InputError
from glmflow.models.convolution import long_convolution, short_convolution
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import CharacterTokenizer

DEFAULTS: Config = {
    "model_type": "hyenadna",
    "vocab_size": 12,
    "pad_vocab_size_multiple": 8,
    "d_model": 128,
    "d_inner": None,
    "n_layer": 2,
    "max_seq_len": 1026,
    "hyena_order": 2,
    "short_filter_order": 3,
    "filter_order": 64,
    "emb_dim": 5,
    "num_inner_mlps": 2,
    "activation_freq": 10,
    "train_freq": True,
    "use_bias": True,
    "embed_dropout": 0.1,
    "hyena_dropout": 0.0,
    "layer_norm_epsilon": 1e-5,
    "initializer_range": 0.02,
    "tie_word_embeddings": False,
}
TOKENS = ("[CLS]", "[SEP]", "[BOS]", "[MASK]", "[PAD]", "[RESERVED]", "[UNK]", *"ACGTN")


class Positions(nn.Module):
    """What the filter network reads of a position: its time from 0 to 1, and waves of `bands` frequencies of it."""

    def __init__(self, features: int, length: int):
        super().__init__()
        bands = (features - 1) // 2
        # On the CPU whatever device modules are built on: published files hold these values, the loader moves them.
        time = torch.linspace(0, 1, length, device="cpu")[None, :, None]
        angle = 2 * math.pi * torch.arange(length, device="cpu")[None, :, None] / length
        phase = angle * torch.linspace(1e-4, bands - 1, bands, device="cpu")
        self.register_buffer("z", torch.cat([time, phase.cos(), -phase.sin()], dim=-1))
        self.register_buffer("t", time)


class Decay(nn.Module):
    """Exponential windows: one hundredth is left at 0.3 (fastest) to 1.5 (slowest) of the length, above a floor of 5 %."""

    floor = 0.05

    def __init__(self, channels: int):
        super().__init__()
        slow, fast = math.log(0.01) / 1.5, math.log(0.01) / 0.3
        self.register_buffer("deltas", torch.linspace(slow, fast, channels)[None, None])

    def forward(self, time: Tensor, filters: Tensor) -> Tensor:
        """Put filters ``[1, L, D]`` into their windows."""
        return filters * (torch.exp(-time * self.deltas.abs()) + self.floor)


class Sine(nn.Module):
    """``sin(f x)`` with a frequency for each feature: lets a small network draw filters with fine detail."""

    def __init__(self, features: int, frequency: float, train: bool):
        super().__init__()
        self.freq = nn.Parameter(torch.full((1, features), float(frequency)), requires_grad=train)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return torch.sin(self.freq * x)


class HyenaFilter(nn.Module):
    """The long filters of a layer, computed from their positions; always in float32, like the convolution itself."""

    def __init__(self, config: Config):
        super().__init__()
        channels, width = config["d_model"] * (config["hyena_order"] - 1), config["filter_order"]
        self.pos_emb = Positions(config["emb_dim"], config["max_seq_len"])
        sine = Sine(width, config["activation_freq"], config["train_freq"])  # one for all layers of the network
        layers: list[nn.Module] = [nn.Linear(config["emb_dim"], width), sine]
        for _ in range(config["num_inner_mlps"]):
            layers += [nn.Linear(width, width), sine]
        self.implicit_filter = nn.Sequential(*layers, nn.Linear(width, channels, bias=False))
        self.modulation = Decay(channels)
        self.bias = nn.Parameter(torch.randn(channels)) if config["use_bias"] else None

    def forward(self, length: int) -> Tensor:
        """Compute the first `length` values of each filter, ``[D (order - 1), length]``."""
        with torch.autocast(self.pos_emb.z.device.type, enabled=False):
            filters = self.implicit_filter(self.pos_emb.z[:, :length])
            return self.modulation(self.pos_emb.t[:, :length], filters)[0].T


class HyenaOperator(nn.Module):
    """Gate, convolve, gate: ``x0 * conv(x1 * v)``, and so on for a higher order."""

    def __init__(self, config: Config):
        super().__init__()
        width, parts = config["d_model"], config["hyena_order"] + 1
        self.width, inner = width, parts * width
        self.in_proj = nn.Linear(width, inner)
        self.short_filter = nn.Conv1d(inner, inner, config["short_filter_order"], groups=inner)
        self.filter_fn = HyenaFilter(config)
        self.dropout = nn.Dropout(config["hyena_dropout"])
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        projected = self.in_proj(x).transpose(1, 2)
        projected = short_convolution(projected, self.short_filter.weight, self.short_filter.bias)
        last_gate, *gates, value = projected.split(self.width, dim=1)
        filters = self.filter_fn(x.shape[1]).unflatten(0, (-1, self.width))
        for index, gate in enumerate(reversed(gates)):
            value = self.dropout(value * gate)
            convolved = long_convolution(value, filters[index])
            if self.filter_fn.bias is not None:  # how much of the present passes by the filter
                convolved = convolved + value * self.filter_fn.bias.view(-1, self.width, 1)[index].to(value.dtype)
            value = convolved
        return self.out_proj((value * last_gate).transpose(1, 2))


class FeedForward(nn.Module):
    """Two linear layers with a GELU (its tanh form) between them."""

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        return self.fc2(functional.gelu(self.fc1(x), approximate="tanh"))


class Block(nn.Module):
    """Pre-norm residual block."""

    def __init__(self, config: Config):
        super().__init__()
        width, eps = config["d_model"], config["layer_norm_epsilon"]
        self.mixer = HyenaOperator(config)
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.mlp = FeedForward(width, config["d_inner"])
        self.norm2 = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``; the residual stream is float32 also in a bf16 model."""
        dtype = self.norm1.weight.dtype
        x = x.float() + self.mixer(self.norm1(x.to(dtype)))
        return x + self.mlp(self.norm2(x.to(dtype)))


class Backbone(nn.Module):
    """Embedding, blocks and final norm under their published names."""

    def __init__(self, config: Config):
        super().__init__()
        width = config["d_model"]
        self.embeddings = nn.ModuleDict({"word_embeddings": nn.Embedding(config["vocab_size"], width)})
        self.dropout = nn.Dropout(config["embed_dropout"])
        self.layers = nn.ModuleList(Block(config) for _ in range(config["n_layer"]))
        self.ln_f = nn.LayerNorm(width, eps=config["layer_norm_epsilon"])


class HyenaDNA(Network):
    """The causal language model, ``HyenaDNAForCausalLM``."""

    head_names = ("lm_head",)
    continues = True

    def __init__(self, config: Config):
        super().__init__()
        self.max_length = config["max_seq_len"]
        self.hyena = nn.ModuleDict({"backbone": Backbone(config)})
        self.lm_head = nn.Linear(config["d_model"], config["vocab_size"], bias=False)
        embedding = self.hyena["backbone"].embeddings["word_embeddings"]
        if config["tie_word_embeddings"]:
            self.lm_head.weight = embedding.weight
        # A million positions between 0 and 1 cannot be distinguished in bf16.
        self.keep_float32 = tuple(name for name in self.state_dict() if ".filter_fn." in name)
        nn.init.normal_(embedding.weight, std=config["initializer_range"])
        std = config["initializer_range"] / math.sqrt(2 * config["n_layer"])  # two terms a block are summed
        for block in self.hyena["backbone"].layers:
            nn.init.normal_(block.mixer.out_proj.weight, std=std)
            nn.init.normal_(block.mlp.fc2.weight, std=std)

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, L]`` to ``[B, L, D]``.

        Raises
        ------
        InputError
            The sequences are longer than the filters.
        """
        if input_ids.shape[1] > self.max_length:
            raise InputError(
                f"{input_ids.shape[1]} tokens do not fit a HyenaDNA with filters of {self.max_length}",
                fix="Take a checkpoint with a longer context, or shorter windows.",
            )
        backbone = self.hyena["backbone"]
        x = backbone.dropout(backbone.embeddings["word_embeddings"](input_ids))
        for block in backbone.layers:
            x = self.run_block(block, x)
        return backbone.ln_f(x.to(backbone.ln_f.weight.dtype))

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, V]`` in float32."""
        return self.lm_head(states).float()


def configure(config: Config) -> Config:
    """Complete a configuration: defaults, and a padded vocabulary."""
    config = {**DEFAULTS, **config}
    config["d_inner"] = config["d_inner"] or 4 * config["d_model"]
    config["vocab_size"] += -config["vocab_size"] % config["pad_vocab_size_multiple"]
    return config


def card(config: Config) -> ModelCard:
    """Say what a HyenaDNA is."""
    return ModelCard(
        family="hyenadna",
        objective="causal",
        context_bp=config["max_seq_len"],
        context_tokens=config["max_seq_len"],
        bases_per_token=1.0,
        position_embedding="convolution",
        padding=False,
        strand="one strand, left to right; average scores over both strands",
        licence="BSD-3-Clause",
        hidden_size=config["d_model"],
        vocab_size=config["vocab_size"],
        lora_targets=("in_proj", "out_proj", "fc1", "fc2"),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Characters without special tokens."""
    vocab = {token: index for index, token in enumerate(TOKENS)}
    ids = {"pad_id": vocab["[PAD]"], "mask_id": vocab["[MASK]"], "unknown_id": vocab["[UNK]"]}
    return CharacterTokenizer(vocab, **ids)


FAMILY = Family(
    name="hyenadna",
    model_types=("hyenadna",),
    build=lambda config, attention: HyenaDNA(config),
    card=card,
    tokenizer=tokenizer,
    configure=configure,
)

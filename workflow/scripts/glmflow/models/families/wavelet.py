"""Gated multiresolution convolutions over single bases: no attention, and a state that grows with the reach only.

A filter that does not depend on the data cannot copy, so that each convolution is multiplied by a gate of its input.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from glmflow.models.families.small import VOCABULARY
from glmflow.models.interface import ModelCard, Network
from glmflow.models.registry import Config, Family
from glmflow.models.row_tags import TagVectors
from glmflow.models.settings.wavelet import configure
from glmflow.models.tokenizers import CharacterTokenizer
from glmflow.models.wavelets import levels_for, multiresolution, reach_of, start_filters


class Mixer(nn.Module):
    """The convolution and its gate."""

    def __init__(self, size: int, taps: int, levels: int):
        super().__init__()
        low, high = start_filters(size, taps)
        self.h0, self.h1 = nn.Parameter(low), nn.Parameter(high)
        self.w_x, self.w_0 = nn.Parameter(torch.ones(size)), nn.Parameter(torch.randn(size) / (levels + 2) ** 0.5)
        self.w = nn.Parameter(torch.randn(levels, size) / (levels + 2) ** 0.5)
        self.gate = nn.Linear(size, size, bias=False)
        self.output = nn.Linear(size, size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        mixed = multiresolution(x.transpose(1, 2), self.h0, self.h1, self.w_x, self.w_0, self.w)
        return self.output(mixed.transpose(1, 2) * silu(self.gate(x)))


class Block(nn.Module):
    """Mixer and gated perceptron, each after a norm and beside a residual path."""

    def __init__(self, size: int, inner: int, taps: int, levels: int):
        super().__init__()
        self.norm_1, self.norm_2 = nn.RMSNorm(size), nn.RMSNorm(size)
        self.mixer = Mixer(size, taps, levels)
        self.up = nn.Linear(size, inner, bias=False)
        self.gate = nn.Linear(size, inner, bias=False)
        self.down = nn.Linear(inner, size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``."""
        x = x + self.mixer(self.norm_1(x))
        read = self.norm_2(x)
        return x + self.down(silu(self.gate(read)) * self.up(read))


class Wavelet(Network):
    """The whole model."""

    head_names = ("lm_head",)
    continues = True
    packs = True

    def __init__(self, config: Config):
        super().__init__()
        size, levels = config["hidden_size"], levels_for(config["context"], config["taps"])
        self.embedding = nn.Embedding(config["vocab_size"], size)
        self.tags = TagVectors(config["tags"], size) if config["tags"] else None
        self.takes_tags = bool(config["tags"])
        self.blocks = nn.ModuleList(
            Block(size, config["ffn_size"], config["taps"], levels) for _ in range(config["num_layers"])
        )
        self.norm = nn.RMSNorm(size)
        self.lm_head = nn.Linear(size, config["vocab_size"], bias=False)
        self.reach = reach_of(levels, config["taps"])

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, L]`` to the normalised states ``[B, L, D]``; what stands to the right changes none of them."""
        x = self.embedding(input_ids)
        if self.tags is not None:
            x = x + self.tags.rows()
        for block in self.blocks:
            x = self.run_block(block, x)
        return self.norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, V]``."""
        return self.lm_head(states)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="wavelet",
        objective="causal",
        context_bp=None,
        context_tokens=None,
        bases_per_token=1,
        position_embedding="convolution",
        padding=True,
        strand="one strand, left to right; average scores over both strands",
        licence="trained here",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("gate", "output", "up", "down"),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Return one token a base."""
    return CharacterTokenizer(VOCABULARY, pad_id=0, mask_id=1)


FAMILY = Family(
    name="wavelet",
    model_types=("wavelet",),
    build=lambda config, attention: Wavelet(config),
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("sdpa",),
)

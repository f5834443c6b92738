"""RWKV-7 ("x070", Peng et al. 2025, arXiv:2503.14456) over single bases, under the published parameter names.

A recurrent model whose state does not grow with the sequence: what was read can be handed on from window to window.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, normalize

from glmflow.models.carried_state import CarriedNetwork
from glmflow.models.delta_rule import Step, recur_in_chunks, recur_in_records
from glmflow.models.families.small import VOCABULARY
from glmflow.models.interface import ModelCard
from glmflow.models.packed_rows import here, moved
from glmflow.models.registry import Config, Family
from glmflow.models.row_tags import TagVectors
from glmflow.models.settings.rwkv7 import configure
from glmflow.models.tokenizers import CharacterTokenizer

SLOWEST = -math.exp(-0.5)
"""Logarithm of the strongest decay of a step."""
GROUP_EPS = 64e-5


class LayerState(NamedTuple):
    """What a layer hands on: its last inputs ``[B, 1, D]`` (time mixing, channel mixing), and S ``[B, H, N, N]``."""

    time: Tensor
    channel: Tensor
    memory: Tensor


def shifted(x: Tensor, last: Tensor) -> Tensor:
    """Return the input of the token before, ``[B, T, D]``; before the first stands `last`, ``[B, 1, D]``.

    Before the first of each record of a packed row stands nothing.
    """
    if here() is not None:
        return moved(x.mT, 1).mT
    return torch.cat([last.to(x.dtype), x[:, :-1]], 1)


class TimeMix(nn.Module):
    """Mixing along the sequence."""

    def __init__(self, config: Config, layer: int):
        super().__init__()
        size, heads = config["hidden_size"], config["hidden_size"] // config["head_size"]
        self.heads, self.layer, self.chunk = heads, layer, config["chunk"]
        depth = 1 - layer / config["num_layers"]
        place = torch.arange(size) / size
        for name, power in (("r", 0.2), ("w", 0.9), ("k", 0.7), ("v", 0.7), ("a", 0.9), ("g", 0.2)):
            setattr(self, f"x_{name}", nn.Parameter((1 - place ** (power * depth))[None, None].clone()))
        for name, rank in config["ranks"].items():
            setattr(self, f"{name}1", nn.Parameter(torch.zeros(size, rank)))
            setattr(self, f"{name}2", nn.Parameter(nn.init.orthogonal_(torch.empty(rank, size), 0.1)))
        slow = -6 + 6 * place ** (1 + (1 - depth) ** 0.3)
        self.w0 = nn.Parameter((slow + 0.5)[None, None].clone())
        self.a0 = nn.Parameter(torch.zeros(1, 1, size))
        self.v0 = nn.Parameter(torch.ones(1, 1, size))
        self.k_k = nn.Parameter(torch.full((1, 1, size), 0.7))
        self.k_a = nn.Parameter(torch.ones(1, 1, size))
        self.r_k = nn.Parameter(torch.full((heads, config["head_size"]), -0.04))
        for name, gain in (("receptance", 0.5), ("key", 0.05), ("value", 0.5)):
            layer_of = nn.Linear(size, size, bias=False)
            nn.init.uniform_(layer_of.weight, -gain / math.sqrt(size), gain / math.sqrt(size))
            setattr(self, name, layer_of)
        self.output = nn.Linear(size, size, bias=False)
        nn.init.zeros_(self.output.weight)
        self.ln_x = nn.GroupNorm(heads, size, eps=GROUP_EPS)

    def forward(self, x: Tensor, first: Tensor | None, last: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``[B, T, D]`` to ``[B, T, D]``, with the first layer's values and the memory that is handed on."""
        before = shifted(x, last) - x
        r, w, k, v, a, g = (x + before * getattr(self, f"x_{name}") for name in "rwkvag")
        log_w = SLOWEST * torch.sigmoid(self.w0 + torch.tanh(w @ self.w1) @ self.w2)
        r, k, value = self.receptance(r), self.key(k), self.value(v)
        if first is None:
            first = value
        else:
            value = value + (first - value) * torch.sigmoid(self.v0 + (v @ self.v1) @ self.v2)
        a = torch.sigmoid(self.a0 + (a @ self.a1) @ self.a2)
        gate = torch.sigmoid(g @ self.g1) @ self.g2
        kk = normalize(self._by_head(k * self.k_k), dim=-1)
        k = k * (1 + (a - 1) * self.k_a)
        step = Step(*(self._by_head(part) for part in (r, log_w, k, value)), kk, self._by_head(a))
        precise = Step(*(part.to(memory.dtype) for part in step))
        chunk, records = min(self.chunk, max(1, x.shape[1])), here()
        if records is None:
            y, memory = recur_in_chunks(precise, memory, chunk)
        else:
            y, memory = recur_in_records(precise, memory, chunk, records)
        y = self.ln_x(y.transpose(1, 2).flatten(0, 1).flatten(1).to(x.dtype)).view_as(x)
        seen = (step.r * step.k * self.r_k[:, None]).sum(-1, keepdim=True) * step.v
        return self.output((y + seen.transpose(1, 2).flatten(2)) * gate), first, memory

    def _by_head(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class ChannelMix(nn.Module):
    """A perceptron of a token and the one before it."""

    def __init__(self, config: Config, layer: int):
        super().__init__()
        size, inner = config["hidden_size"], config["ffn_size"]
        power = (1 - layer / config["num_layers"]) ** 4
        self.x_k = nn.Parameter((1 - (torch.arange(size) / size) ** power)[None, None].clone())
        self.key = nn.Linear(size, inner, bias=False)
        self.value = nn.Linear(inner, size, bias=False)
        nn.init.orthogonal_(self.key.weight)
        nn.init.zeros_(self.value.weight)

    def forward(self, x: Tensor, last: Tensor) -> Tensor:
        """``[B, T, D]`` to ``[B, T, D]``."""
        return self.value(torch.relu(self.key(x + (shifted(x, last) - x) * self.x_k)) ** 2)


class Block(nn.Module):
    """Both, each after a norm and beside a residual path."""

    def __init__(self, config: Config, layer: int):
        super().__init__()
        size = config["hidden_size"]
        if layer == 0:
            self.ln0 = nn.LayerNorm(size)
        self.ln1, self.ln2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.att, self.ffn = TimeMix(config, layer), ChannelMix(config, layer)

    def forward(self, x: Tensor, first: Tensor | None, state: LayerState) -> tuple[Tensor, Tensor, LayerState]:
        """Return the new states, the first layer's values, and what is handed on."""
        read = layer_norm(x, *_norm(self.ln1))
        mixed, first, memory = self.att(read, first, state.time, state.memory)
        x = x + mixed
        channel = layer_norm(x, *_norm(self.ln2))
        return x + self.ffn(channel, state.channel), first, LayerState(read[:, -1:], channel[:, -1:], memory)


def _norm(norm: nn.LayerNorm) -> tuple:
    return norm.normalized_shape, norm.weight, norm.bias, norm.eps


class RWKV7(CarriedNetwork):
    """The whole model."""

    head_names = ("head",)
    packs = True

    def __init__(self, config: Config):
        super().__init__()
        size = config["hidden_size"]
        self.head_size = config["head_size"]
        self.emb = nn.Embedding(config["vocab_size"], size)
        nn.init.uniform_(self.emb.weight, -1e-1, 1e-1)
        self.tags = TagVectors(config["tags"], size) if config["tags"] else None
        self.takes_tags = bool(config["tags"])
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config["num_layers"]))
        self.ln_out = nn.LayerNorm(size)
        self.head = nn.Linear(size, config["vocab_size"], bias=False)

    def start(self, rows: int) -> list[LayerState]:
        """Return the state before the first token of `rows` sequences; recurrences are computed in float32 at least."""
        weight, size = self.emb.weight, self.emb.embedding_dim
        dtype = torch.promote_types(weight.dtype, torch.float32)
        memory = weight.new_zeros(rows, size // self.head_size, self.head_size, self.head_size, dtype=dtype)
        nothing = weight.new_zeros(rows, 1, size)
        return [LayerState(nothing, nothing, memory) for _ in self.blocks]

    def carry(self, input_ids: Tensor, states: list[LayerState]) -> tuple[Tensor, list[LayerState]]:
        """Go on from a state: the states of the tokens ``[B, T, D]``, and the state after the last of them."""
        x = self.emb(input_ids)
        x = self.blocks[0].ln0(x if self.tags is None else x + self.tags.rows())
        first, after = None, []
        for block, state in zip(self.blocks, states, strict=True):
            x, first, left = self.run_block(block, x, first, state)
            after.append(left)
        return self.ln_out(x), after

    def logits(self, states: Tensor) -> Tensor:
        """``[B, T, D]`` to ``[B, T, V]``."""
        return self.head(states)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="rwkv7",
        objective="causal",
        context_bp=None,
        context_tokens=None,
        bases_per_token=1,
        position_embedding="state-space",
        padding=True,
        strand="one strand, left to right; average scores over both strands",
        licence="trained here",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("receptance", "key", "value", "output"),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Return one token a base."""
    return CharacterTokenizer(VOCABULARY, pad_id=0, mask_id=1)


FAMILY = Family(
    name="rwkv7",
    model_types=("rwkv7",),
    build=lambda config, attention: RWKV7(config),
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("sdpa",),
)

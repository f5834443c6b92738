"""Diffusion transformers over bases: they fill in masked ones from both sides, a patch of bases per token.

Blocks of bidirectional attention whose norms are scaled, shifted and gated by a condition, from the identity on (adaLN-Zero;
Peebles and Xie 2023, arXiv:2212.09748), trained by masked discrete diffusion (`glmflow.models.masked_diffusion`; `objective:
masked_diffusion`). The network is not given the time: how much is masked can be seen (Sahoo et al. 2024).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad, silu

from glmflow.models.attention import attend
from glmflow.models.families.small import VOCABULARY
from glmflow.models.interface import ModelCard, Network
from glmflow.models.patch_layouts import Layout
from glmflow.models.registry import Config, Family
from glmflow.models.rotary import Rotary
from glmflow.models.row_tags import TagVectors
from glmflow.models.settings.dit import configure
from glmflow.models.tokenizers import CharacterTokenizer


class Block(nn.Module):
    """Attention and a perceptron behind norms that the condition scales, shifts and gates; at the start it changes nothing."""

    def __init__(self, size: int, heads: int, ratio: int, attention: str):
        super().__init__()
        self.heads, self.attention = heads, attention
        self.norm = nn.LayerNorm(size, elementwise_affine=False)
        for name in ("query", "key", "value", "output"):
            setattr(self, name, nn.Linear(size, size, bias=False))
        self.up, self.down = nn.Linear(size, ratio * size), nn.Linear(ratio * size, size)
        self.condition = nn.Linear(size, 6 * size)
        nn.init.zeros_(self.condition.weight)
        nn.init.zeros_(self.condition.bias)

    def forward(self, x: Tensor, condition: Tensor, cosines: Tensor, sines: Tensor, mask: Tensor | None) -> Tensor:
        """``[B, P, D]`` to ``[B, P, D]``; `condition` is ``[D]``, or ``[B, 1, D]`` of rows with tags."""
        shift, scale, gate, shift_2, scale_2, gate_2 = self.condition(silu(condition)).chunk(6, -1)
        read = self.norm(x) * (1 + scale) + shift
        query, key, value = (
            layer(read).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        query, key = Rotary.rotate(query, cosines, sines), Rotary.rotate(key, cosines, sines)
        mixed = attend(query, key, value, mask=mask, implementation=self.attention)
        x = x + gate * self.output(mixed.transpose(1, 2).flatten(2))
        return x + gate_2 * self.down(gelu(self.up(self.norm(x) * (1 + scale_2) + shift_2)))


class Patches(nn.Module):
    """From bases to patches and back: a base counts by its letter and by its place in the patch."""

    def __init__(self, vocabulary: int, size: int, layout: Layout):
        super().__init__()
        self.layout, self.vocabulary = layout, vocabulary
        self.embedding = nn.Embedding(layout.patch * vocabulary, size)
        self.gate = nn.Parameter(torch.ones(layout.patch, size))
        self.shift = nn.Parameter(torch.zeros(layout.patch, size))
        if layout.patch > 1:  # places of a patch differ from the beginning
            nn.init.normal_(self.gate)

    def forward(self, input_ids: Tensor) -> Tensor:
        """``int64[B, L]`` to ``[B, P, D]``."""
        slots = torch.arange(self.layout.patch, device=input_ids.device) * self.vocabulary
        embedded = self.embedding(self.layout.cut(input_ids) + slots)
        return embedded.sum(2) / self.layout.patch**0.5

    def unfold(self, x: Tensor) -> Tensor:
        """``[B, P, D]`` to a state a base, ``[B, L, D]``."""
        return self.layout.join(x[:, :, None] * self.gate + self.shift)


class DiffusionTransformer(Network):
    """The whole model."""

    head_names = ("lm_head",)

    def __init__(self, config: Config, attention: str):
        super().__init__()
        size, heads, width = config["hidden_size"], config["num_heads"], config["convolution"]
        self.layout = Layout(config["layout"], config["patch"], config["context"])
        self.patches = Patches(config["vocab_size"], size, self.layout)
        self.local = nn.Conv1d(size, size, width, padding=width // 2) if width else None
        self.dimensions = 1 if config["layout"] == "line" else 2
        self.rotary = Rotary(size // heads // self.dimensions, config["rope_theta"])
        self.unconditioned = nn.Parameter(torch.randn(size))
        self.tags = TagVectors(config["tags"], size) if config["tags"] else None
        self.takes_tags = bool(config["tags"])
        settings = (size, heads, config["mlp_ratio"], attention)
        self.blocks = nn.ModuleList(Block(*settings) for _ in range(config["num_layers"]))
        self.norm = nn.LayerNorm(size)
        self.lm_head = nn.Linear(size, config["vocab_size"], bias=False)

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, L]`` to the normalised states ``[B, L, D]``."""
        length = input_ids.shape[1]
        missing = -length % self.layout.unit
        if attention_mask is None and missing:
            attention_mask = torch.ones_like(input_ids)
        filled = pad(input_ids, (0, missing), value=VOCABULARY["[PAD]"])
        mask = None
        x = self.patches(filled)
        if attention_mask is not None:
            mask = self.layout.cut(pad(attention_mask, (0, missing))).amax(2)
            x = x * mask[..., None].to(x.dtype)
        if self.local is not None:
            x = x + self.local(x.transpose(1, 2)).transpose(1, 2)
        cosines, sines = self.turns(x)
        condition = self.unconditioned if self.tags is None else self.unconditioned + self.tags.rows()
        for block in self.blocks:
            x = self.run_block(block, x, condition, cosines, sines, mask)
        return self.norm(self.patches.unfold(x))[:, :length]

    def turns(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines of the patches' places, ``[P, head_dim]``; in a square half of a head turns by the row."""
        places = self.layout.positions(x.shape[1]).to(x.device)
        angles = (places[..., None] * self.rotary.inv_freq.float()).flatten(1)
        angles = torch.cat([angles, angles], -1)
        return angles.cos(), angles.sin()

    def logits(self, states: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, V]``."""
        return self.lm_head(states)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="dit",
        objective="masked",
        context_bp=config["context"],
        context_tokens=config["context"],
        bases_per_token=1,
        position_embedding="rope",
        padding=True,
        strand="one strand at a time: train on both, average predictions over both",
        licence="trained here",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("query", "key", "value", "output", "up", "down"),
        cannot={
            "extension": "its rotary positions are those of patches; use overlapping chunks",
            "generation": "it was not trained by masked diffusion; pretrain it with `objective: masked_diffusion`",
        },
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Return one token a base, whatever the patch."""
    return CharacterTokenizer(VOCABULARY, pad_id=0, mask_id=1)


FAMILY = Family(
    name="dit",
    model_types=("dit",),
    build=DiffusionTransformer,
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("flash_attention_2", "sdpa"),
)

"""Mamba (Gu & Dao 2023, arXiv:2312.00752) over single bases, under the names of transformers' `MambaForCausalLM`.

A selective state space: what a state keeps and lets go depends on the input, and its size does not depend on the length.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from glmflow.models.carried_state import CarriedNetwork, State
from glmflow.models.families.small import VOCABULARY
from glmflow.models.interface import ModelCard
from glmflow.models.mamba_mixer import SSM_DEFAULTS, Mamba, MixerState
from glmflow.models.registry import Config, Family
from glmflow.models.row_tags import TagVectors
from glmflow.models.settings.mamba import configure
from glmflow.models.tokenizers import CharacterTokenizer

EPS = 1e-5


class Block(nn.Module):
    """A layer behind a norm and beside a residual path."""

    def __init__(self, size: int, ssm: dict[str, Any]):
        super().__init__()
        self.norm = nn.RMSNorm(size, eps=EPS)
        self.mixer = Mamba(size, ssm)

    def forward(self, x: Tensor, state: MixerState | None) -> tuple[Tensor, MixerState | None]:
        """``[B, L, D]`` to ``[B, L, D]``, and the state after the last token where one was given."""
        if state is None:
            return x + self.mixer(self.norm(x)), None
        mixed, after = self.mixer.carry(self.norm(x), state)
        return x + mixed, after


class Backbone(nn.Module):
    """Embedding, layers and last norm."""

    def __init__(self, config: Config):
        super().__init__()
        ssm = SSM_DEFAULTS | {
            "d_state": config["state_size"],
            "d_conv": config["conv_kernel"],
            "expand": config["expand"],
            "dt_rank": config["time_step_rank"],
        }
        size = config["hidden_size"]
        self.embeddings = nn.Embedding(config["vocab_size"], size)
        self.layers = nn.ModuleList(Block(size, ssm) for _ in range(config["num_layers"]))
        self.norm_f = nn.RMSNorm(size, eps=EPS)


class MambaLanguageModel(CarriedNetwork):
    """The whole model."""

    head_names = ("lm_head",)
    keep_float32 = ("A_log", ".D", "dt_proj.weight", "dt_proj.bias")
    packs = True

    def __init__(self, config: Config):
        super().__init__()
        size = config["hidden_size"]
        self.backbone = Backbone(config)
        self.tags = TagVectors(config["tags"], size) if config["tags"] else None
        self.takes_tags = bool(config["tags"])
        self.lm_head = nn.Linear(size, config["vocab_size"], bias=False)
        for block in self.backbone.layers:  # as many terms are added up as there are layers
            block.mixer.out_proj.weight.data /= math.sqrt(config["num_layers"])

    def start(self, rows: int) -> State:
        """Return the state before the first token of `rows` sequences."""
        return [block.mixer.start(rows) for block in self.backbone.layers]

    def carry(self, input_ids: Tensor, states: State) -> tuple[Tensor, State]:
        """Go on from a state: the states of the tokens ``[B, T, D]``, and the state after the last of them."""
        x, after = self.backbone.embeddings(input_ids), []
        if self.tags is not None:
            x = x + self.tags.rows()
        for block, state in zip(self.backbone.layers, states, strict=True):
            x, left = self.run_block(block, x, state)
            after.append(left)
        return self.backbone.norm_f(x), after

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, T]`` to the normalised states ``[B, T, D]``: the same, and no state is made to be handed on."""
        return self.carry(input_ids, [None] * len(self.backbone.layers))[0]

    def logits(self, states: Tensor) -> Tensor:
        """``[B, T, D]`` to ``[B, T, V]``."""
        return self.lm_head(states)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="mamba",
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
        lora_targets=("in_proj", "x_proj", "out_proj"),
    )


def tokenizer(config: Config, folder: Path | None) -> CharacterTokenizer:
    """Return one token a base."""
    return CharacterTokenizer(VOCABULARY, pad_id=0, mask_id=1)


FAMILY = Family(
    name="mamba",
    model_types=("glmflow-mamba",),
    build=lambda config, attention: MambaLanguageModel(config),
    card=card,
    tokenizer=tokenizer,
    configure=configure,
    attention=("sdpa",),
)

"""GENA-LM BigBird (Fishman et al. 2025): block-sparse attention (Zaheer et al. 2020) over 4,096 byte-pair
tokens.

Sequences too short for the sparse pattern get full attention, decided again for every batch (transformers,
once it has seen a short one, stays with full attention for good). Under the sparse pattern the first and the
last block are seen by all, so that padding would change the result: long sequences of different lengths are
computed one by one.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from transformers import BigBirdConfig, BigBirdForMaskedLM

from glmflow.models.adapter import Adapter
from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard, Output
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import Tokenizer, tokenizer_from_file

HEAD = ("cls",)
UNUSED = ("bert.pooler",)
BASES_PER_TOKEN = 8.8
"""About 36 kb in 4,096 tokens (Fishman et al. 2025)."""


class BigBirdNetwork(HuggingFaceNetwork):
    """BigBird whose attention pattern depends on the present batch alone."""

    @property
    def longest_full(self) -> int:
        """Tokens up to which the sparse pattern does not fit and attention is full."""
        config = self.model.config
        return (5 + 2 * config.num_random_blocks) * config.block_size

    takes_positions = False

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, T]`` to ``[B, T, D]``, padding included, as transformers computes it."""
        sparse = self.model.config.attention_type == "block_sparse" and input_ids.shape[1] > self.longest_full
        self.model.bert.set_attention_type("block_sparse" if sparse else "original_full")
        return super().states(input_ids, attention_mask)


class BigBirdAdapter(Adapter):
    """The original's outputs from `forward`; states and scores that do not depend on what else is in the batch."""

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Output:
        """Compute what transformers computes, padding included."""
        states = super().hidden_states(input_ids, attention_mask, position_ids)
        return Output(self.network.logits(states) if self.has_head else None, states)

    def hidden_states(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """``[B, T]`` to ``[B, T, D]``: row by row where padding would change the attention pattern."""
        padded = attention_mask is not None and not bool(attention_mask.all())
        if not padded or input_ids.shape[1] <= self.network.longest_full:
            return super().hidden_states(input_ids, attention_mask, position_ids)
        states = [self.network.states(row[keep][None])[0] for row, keep in zip(input_ids, attention_mask.bool())]
        return torch.nn.utils.rnn.pad_sequence(states, batch_first=True)


def native(config: Config) -> BigBirdConfig:
    """Return transformers' configuration; its attention pattern is set before every batch."""
    return BigBirdConfig(**without(config))


def build(config: Config, attention: str) -> BigBirdNetwork:
    """Return a network with random weights."""
    return BigBirdNetwork(random_model(BigBirdForMaskedLM, native(config), attention), HEAD, UNUSED)


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> BigBirdNetwork:
    """Read published or saved weights."""
    ignore = r"pooler|seq_relationship|cls\.predictions\.decoder\.bias"
    model = read_model(BigBirdForMaskedLM, native(config), folder, dtype, attention, ignore=ignore, head=HEAD)
    return BigBirdNetwork(model, HEAD, UNUSED)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    tokens = config["max_position_embeddings"]
    return ModelCard(
        family="gena_bigbird",
        objective="masked",
        context_bp=int(BASES_PER_TOKEN * (tokens - 2)),
        context_tokens=tokens,
        bases_per_token=BASES_PER_TOKEN,
        position_embedding="learned",
        padding=True,
        strand="one strand at a time: average predictions over both",
        licence="MIT",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("query", "value"),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """Read the published ``tokenizer.json``."""
    return tokenizer_from_file(folder)


FAMILY = Family(
    name="gena_bigbird",
    model_types=("big_bird",),
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
    adapter=BigBirdAdapter,
    attention=("eager",),
)

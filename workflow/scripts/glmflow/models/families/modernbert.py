"""ModernBERT encoders of DNA (ModernBERT: Warner et al. 2024): ModernGENA, ModernBERT-DNA,
plant-dnamodernbert.

Rotary positions, and local attention in all but every n-th layer.
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import ModernBertConfig, ModernBertForMaskedLM

from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import Tokenizer, tokenizer_from_file

HEAD = ("head", "decoder")
BASES_PER_TOKEN = 5.0
"""Rough: the published vocabularies differ (byte pairs or single bases)."""


def native(config: Config) -> ModernBertConfig:
    """Return transformers' configuration."""
    return ModernBertConfig(**without(config, "position_embedding_type"))


def build(config: Config, attention: str) -> HuggingFaceNetwork:
    """Return a network with random weights."""
    return HuggingFaceNetwork(random_model(ModernBertForMaskedLM, native(config), attention), HEAD)


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> HuggingFaceNetwork:
    """Read published or saved weights."""
    model = read_model(ModernBertForMaskedLM, native(config), folder, dtype, attention, head=HEAD)
    return HuggingFaceNetwork(model, HEAD)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    tokens = config["max_position_embeddings"]
    return ModelCard(
        family="modernbert",
        objective="masked",
        context_bp=int(BASES_PER_TOKEN * (tokens - 2)),
        context_tokens=tokens,
        bases_per_token=BASES_PER_TOKEN,
        position_embedding="rope",
        padding=True,
        strand="one strand at a time: average predictions over both",
        licence="differs between checkpoints; see the model's page",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("Wqkv", "Wo"),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """Read the published ``tokenizer.json``."""
    return tokenizer_from_file(folder)


FAMILY = Family(
    name="modernbert",
    model_types=("modernbert",),
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
)

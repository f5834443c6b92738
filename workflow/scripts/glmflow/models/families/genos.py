"""Genos 1.2B and 10B: sparse mixtures of experts over single bases, Mixtral's architecture, trained to 1 Mb
of context.
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import MixtralConfig, MixtralForCausalLM

from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import Tokenizer, tokenizer_from_file

HEAD = ("lm_head",)


def native(config: Config) -> MixtralConfig:
    """Return transformers' configuration; the size of a head is given, which some rotary extensions of transformers
    need.
    """
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    return MixtralConfig(**{**without(config), "head_dim": head_dim})


def build(config: Config, attention: str) -> HuggingFaceNetwork:
    """Return a network with random weights."""
    return HuggingFaceNetwork(random_model(MixtralForCausalLM, native(config), attention), HEAD)


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> HuggingFaceNetwork:
    """Read published or saved weights; transformers fuses the experts' matrices on reading and splits them on
    writing.
    """
    return HuggingFaceNetwork(read_model(MixtralForCausalLM, native(config), folder, dtype, attention, head=HEAD), HEAD)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    return ModelCard(
        family="genos",
        objective="causal",
        context_bp=config["max_position_embeddings"],
        context_tokens=config["max_position_embeddings"],
        bases_per_token=1,
        position_embedding="rope",
        padding=True,
        strand="one strand at a time: average predictions over both",
        licence="Apache-2.0",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("q_proj", "k_proj", "v_proj", "o_proj"),
        lora_parameters=("experts.gate_up_proj", "experts.down_proj"),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """Read the published ``tokenizer.json``: ids are always the checkpoint's own."""
    return tokenizer_from_file(folder)


FAMILY = Family(
    name="genos",
    model_types=("mixtral",),
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
)

"""GROVER (Sanabria et al. 2024): a BERT encoder over 600 byte-pair tokens of the human genome."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM

from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import Tokenizer, tokenizer_from_file

HEAD = ("cls",)
BASES_PER_TOKEN = 4.1
"""Mean over the human genome of the published vocabulary of 601 tokens (Sanabria et al. 2024)."""


def matches(config: Config) -> bool:
    """Tell a BERT without GENA-LM's norms before the layers and without MosaicBERT's ALiBi."""
    return config.get("model_type") == "bert" and not {"pre_layer_norm", "alibi_starting_size"} & set(config)


def build(config: Config, attention: str) -> HuggingFaceNetwork:
    """Return a network with random weights."""
    return HuggingFaceNetwork(random_model(BertForMaskedLM, BertConfig(**without(config)), attention), HEAD)


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> HuggingFaceNetwork:
    """Read published or saved weights; the pooler and next-sentence head of the file are not used."""
    native = BertConfig(**without(config))
    ignore = r"pooler|seq_relationship"
    return HuggingFaceNetwork(
        read_model(BertForMaskedLM, native, folder, dtype, attention, ignore=ignore, head=HEAD), HEAD
    )


def card(config: Config) -> ModelCard:
    """Describe the model."""
    tokens = config["max_position_embeddings"]
    return ModelCard(
        family="grover",
        objective="masked",
        context_bp=int(BASES_PER_TOKEN * (tokens - 2)),
        context_tokens=tokens,
        bases_per_token=BASES_PER_TOKEN,
        position_embedding="learned",
        padding=True,
        strand="one strand at a time: average predictions over both",
        licence="none found; see the page of the model",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("query", "value"),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """Read the published ``tokenizer.json``."""
    return tokenizer_from_file(folder)


FAMILY = Family(
    name="grover",
    matches=matches,
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
)

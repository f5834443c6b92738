"""GENERator (Wu et al. 2025): Llama over 6-mers. The file of remote code that its configuration names is not
needed.

A base is predicted from whole 6-mers to its left: the reading frame is laid so that a 6-mer ends right before
it, and the probabilities of the next 6-mer are summed by their first base, as its authors score variants.
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import KmerTokenizer, kmers, read_vocabulary

HEAD = ("lm_head",)
K = 6
SPECIAL = """
    <oov> <s> </s> <pad> <mask> <bog> <eog> <bok> <eok> <+> <-> <cds> <pseudo> <tRNA> <rRNA> <ncRNA>
    <miscRNA> <mam> <vrt> <inv> <pln> <fng> <prt> <arc> <bct> <mit> <plt> <plm> <vir> <sp0> <sp1> <sp2>
"""


def native(config: Config) -> LlamaConfig:
    """Return transformers' configuration."""
    return LlamaConfig(**without(config))


def build(config: Config, attention: str) -> HuggingFaceNetwork:
    """Return a network with random weights."""
    return HuggingFaceNetwork(random_model(LlamaForCausalLM, native(config), attention), HEAD)


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> HuggingFaceNetwork:
    """Read published or saved weights."""
    return HuggingFaceNetwork(read_model(LlamaForCausalLM, native(config), folder, dtype, attention, head=HEAD), HEAD)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    tokens = config["max_position_embeddings"]
    return ModelCard(
        family="generator",
        objective="causal",
        context_bp=K * (tokens - 1),
        context_tokens=tokens,
        bases_per_token=K,
        position_embedding="rope",
        padding=True,
        strand="one strand at a time: average predictions over both",
        licence="MIT",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("q_proj", "k_proj", "v_proj", "o_proj"),
    )


def tokenizer(config: Config, folder: Path | None) -> KmerTokenizer:
    """``<s>`` and 6-mers over the letters in the order A, T, C, G; one ``<oov>`` for a 6-mer with N and for a
    remainder.
    """
    if folder is not None and (folder / "vocab.txt").exists():
        vocab = read_vocabulary(folder / "vocab.txt")
    else:
        vocab = {token: index for index, token in enumerate([*SPECIAL.split(), *kmers(K, "ATCG")])}
    special = {"pad_id": vocab["<pad>"], "mask_id": vocab["<mask>"], "unknown_id": vocab["<oov>"]}
    return KmerTokenizer(vocab, K, single_bases=False, prefix=[vocab["<s>"]], **special)


FAMILY = Family(
    name="generator",
    matches=lambda config: config.get("model_type") == "llama",
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
)

"""Nucleotide Transformer v1 and v2 (Dalla-Torre et al. 2024): ESM encoders over 6-mers.

v1: learned positions, GELU, and ESM's token dropout: masked tokens are zeroed and the embeddings rescaled by
the share of masked tokens, so that scores depend on how many tokens of a window are masked. v2: rotary
positions and a gated feed-forward without biases (SwiGLU: Shazeer 2020), which transformers' ESM does not
have.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import silu
from transformers import EsmConfig, EsmForMaskedLM
from transformers.models.esm.modeling_esm import EsmIntermediate

from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard
from glmflow.models.registry import Config, Family
from glmflow.models.tokenizers import KmerTokenizer, kmers, read_vocabulary

HEAD = ("lm_head",)
UNUSED = ("esm.contact_head",)
V1_VOCABULARY = 4105
NOT_NEEDED = r"contact_head|position_embeddings\.weight$"


class GatedEsm(EsmForMaskedLM):
    """ESM with v2's feed-forward: one layer makes gate and value, ``W (silu(a) * b)``, without biases."""

    def __init__(self, config: EsmConfig):
        super().__init__(config)
        for layer in self.esm.encoder.layer:
            size, inner = config.hidden_size, config.intermediate_size
            layer.intermediate = GatedIntermediate(config)
            layer.output.dense = nn.Linear(inner, size, bias=config.add_bias_fnn)
        self.post_init()


class GatedIntermediate(EsmIntermediate):
    """The first half gates the second; the published name of the fused layer is ``dense``."""

    def __init__(self, config: EsmConfig):
        super().__init__(config)
        self.dense = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=config.add_bias_fnn)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, T, D]`` to ``[B, T, inner]``."""
        gate, value = self.dense(x).chunk(2, -1)
        return silu(gate) * value


def matches(config: Config) -> bool:
    """ESM with the k-mer vocabulary; some v2 configurations name no ``model_type``."""
    esm = config.get("model_type") == "esm" or "EsmForMaskedLM" in config.get("architectures", [])
    return esm and not config.get("is_folding_model") and _k(config) is not None


def _k(config: Config) -> int | None:
    """Length of the k-mers, from the size of the vocabulary: k-mers, single bases, N and special tokens."""
    return {V1_VOCABULARY: 6, 4107: 6, 75: 3}.get(config.get("vocab_size"))


def _kind(config: Config) -> tuple[type[EsmForMaskedLM], EsmConfig]:
    """Class and configuration of v1, or of v2 (which has the key ``add_bias_fnn``)."""
    kind = GatedEsm if "add_bias_fnn" in config else EsmForMaskedLM
    return kind, EsmConfig(**without(config, "model_type"))


def build(config: Config, attention: str) -> HuggingFaceNetwork:
    """Return a network with random weights."""
    return HuggingFaceNetwork(random_model(*_kind(config), attention), HEAD, UNUSED)


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> HuggingFaceNetwork:
    """Read published or saved weights."""
    model = read_model(*_kind(config), folder, dtype, attention, ignore=NOT_NEEDED, head=HEAD)
    return HuggingFaceNetwork(model, HEAD, UNUSED)


def card(config: Config) -> ModelCard:
    """Describe the model. Positions are counted from ``pad_token_id + 1``, so that two of them are never
    used.
    """
    rotary = config.get("position_embedding_type") == "rotary"
    tokens = config["max_position_embeddings"] - config.get("pad_token_id", 1) - 1
    k = _k(config)
    return ModelCard(
        family="nucleotide_transformer",
        objective="masked",
        context_bp=k * (tokens - 1),
        context_tokens=tokens,
        bases_per_token=k,
        position_embedding="rope" if rotary else "learned",
        padding=True,
        strand="one strand at a time: average predictions over both",
        licence="CC BY-NC-SA 4.0 (non-commercial)",
        hidden_size=config["hidden_size"],
        vocab_size=config["vocab_size"],
        lora_targets=("query", "value"),
    )


def tokenizer(config: Config, folder: Path | None) -> KmerTokenizer:
    """``<cls>`` and 6-mers over the letters in the order A, T, C, G; bases alone before an N and at the
    end.
    """
    if folder is not None and (folder / "vocab.txt").exists():
        vocab = read_vocabulary(folder / "vocab.txt")
    else:
        first, last = ["<unk>", "<pad>", "<mask>", "<cls>"], ["<eos>", "<bos>"]
        pieces = [*kmers(_k(config), "ATCG"), *"ATCGN"]
        v1 = config["vocab_size"] == V1_VOCABULARY
        order = [*first, *pieces, *last] if v1 else [*first, *last, *pieces]
        vocab = {token: index for index, token in enumerate(order)}
    k = max(len(token) for token in vocab if re.fullmatch("[ACGT]+", token))
    special = {"pad_id": vocab["<pad>"], "mask_id": vocab["<mask>"], "unknown_id": vocab["<unk>"]}
    return KmerTokenizer(vocab, k, single_bases=True, prefix=[vocab["<cls>"]], **special)


FAMILY = Family(
    name="nucleotide_transformer",
    matches=matches,
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
)

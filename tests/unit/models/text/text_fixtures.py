"""Tiny text and DNA models with what the originals computed from them."""

import json
import os
from pathlib import Path

import pytest
import torch
from glmflow.models.text.conversation import DNA_TOKENS
from glmflow.models.text.text_loading import TextTokenizer, load_tokenizer, new_text_model, new_tokenizer
from safetensors.torch import load_file
from tokenizers import Tokenizer


def fixtures():
    """Return the folder of fixtures, or skip where it is not there."""
    root = os.environ.get("GLMFLOW_TEST_DATA")
    if not root or not (folder := Path(root) / "diagnosis/expected").exists():
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no diagnosis")
    return folder


def expected(name):
    """Return a fixture."""
    return json.loads((fixtures() / f"{name}.json").read_text())


def published_tokenizer():
    """Return the tokenizer of the fixtures with the ids of DNA behind its own."""
    tokenizer = Tokenizer.from_file(str(fixtures() / "tiny/tokenizer.json"))
    tokenizer.add_special_tokens(list(DNA_TOKENS))
    return TextTokenizer(tokenizer)


def part_of(weights, prefix):
    """Return the tensors under a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def tiny_esm(weights, config):
    """Return the encoder of the fixtures."""
    from transformers import EsmConfig, EsmModel

    model = EsmModel(EsmConfig(**{key: value for key, value in config.items() if key != "transformers_version"}), False)
    model.load_state_dict(part_of(weights, "dna_model.esm."), strict=False)
    return model.eval()


def tiny_models():
    """Return the text model, the encoder and the projection of the fixtures."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = json.loads((fixtures() / "tiny/config.json").read_text())
    weights = load_file(fixtures() / "tiny/model.safetensors")
    text = Qwen3ForCausalLM(Qwen3Config(**{k: v for k, v in config["text"].items() if k != "transformers_version"}))
    lost = text.load_state_dict(part_of(weights, "text_model."), strict=False)
    assert set(lost.missing_keys) <= {"lm_head.weight"} and not lost.unexpected_keys
    text.tie_weights()
    projection = torch.nn.Linear(16, 32)
    projection.load_state_dict(part_of(weights, "dna_projection."))
    return text.eval(), tiny_esm(weights, config["dna"]), projection


def own_models(layers=2, hidden=32, seed=0):
    """Return a small text model made here and its tokenizer."""
    tokenizer = new_tokenizer(["Which disease does the variant near ADORA cause?", "Answer: amber fever"] * 3, 320)
    return new_text_model(tokenizer.size, hidden, layers, 4, seed).eval(), tokenizer


__all__ = ["expected", "fixtures", "load_tokenizer", "own_models", "part_of", "published_tokenizer", "tiny_models"]

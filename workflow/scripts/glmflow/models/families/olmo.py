"""OLMo over byte-pair tokens: BPE OLMo checkpoints, and Omni-DNA (Li et al. 2025) in the layout of ai2-olmo.

Both become transformers classes: OLMo where the norms have no parameters, Llama where they are RMS norms with
weights. In ai2-olmo's files one matrix holds query, key and value, and one the two halves of the gated
feed-forward (value first, gate second).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, OlmoConfig, OlmoForCausalLM, PretrainedConfig, PreTrainedModel

from glmflow.errors import InputError
from glmflow.models.huggingface import HuggingFaceNetwork, random_model, read_model, save_model, without
from glmflow.models.interface import ModelCard
from glmflow.models.registry import Config, Family, read_record
from glmflow.models.tokenizers import Tokenizer, tokenizer_from_file
from glmflow.models.weights import read_state

HEAD = ("lm_head",)
AI2 = "olmo-gfm"
BASES_PER_TOKEN = 5.0
"""Rough, for vocabularies of 4,096 byte pairs; `bases_per_token` of a configuration says it of its own."""


def configure(config: Config) -> Config:
    """Fill in the layout that a configuration of one's own has, that of transformers."""
    return {"model_type": "olmo", **config}


def native(config: Config) -> tuple[type[PreTrainedModel], PretrainedConfig]:
    """Class and configuration of transformers.

    Raises
    ------
    InputError
        An ai2-olmo variant that neither class computes.
    """
    if config["model_type"] != AI2:
        return OlmoForCausalLM, OlmoConfig(**without(config, "bases_per_token"))
    norm, weights = config.get("layer_norm_type", "default"), bool(config.get("layer_norm_with_affine", True))
    plain = {"alibi": False, "include_bias": False, "attention_layer_norm": False, "rope": True}
    odd = [f"{key}: {config[key]}" for key, value in plain.items() if bool(config.get(key, value)) != value]
    if config.get("activation_type", "swiglu") != "swiglu":
        odd.append(f"activation_type: {config['activation_type']}")
    if config.get("block_type", "sequential") != "sequential":
        odd.append(f"block_type: {config['block_type']}")
    if (norm, weights) not in (("default", False), ("rms", True)) or config.get("bias_for_layer_norm"):
        odd.append(f"layer_norm_type: {norm} {'with' if weights else 'without'} weights")
    if odd:
        raise InputError(f"this OLMo variant is not supported ({', '.join(odd)})", where="config.json")
    heads = config["n_heads"]
    shared = {
        "vocab_size": config.get("embedding_size") or config["vocab_size"],
        "hidden_size": config["d_model"],
        "intermediate_size": _feed_forward(config) // 2,
        "num_hidden_layers": config["n_layers"],
        "num_attention_heads": heads,
        "num_key_value_heads": _key_value_heads(config),
        "max_position_embeddings": config["max_sequence_length"],
        "rope_parameters": {"rope_type": "default", "rope_theta": float(config.get("rope_theta", 10000.0))},
        "tie_word_embeddings": bool(config.get("weight_tying", True)),
        "pad_token_id": config.get("pad_token_id"),
        "eos_token_id": config.get("eos_token_id"),
        "bos_token_id": None,
    }
    if norm == "rms":
        if config.get("clip_qkv"):
            raise InputError("this OLMo variant is not supported (clip_qkv with RMS norms)", where="config.json")
        return LlamaForCausalLM, LlamaConfig(**shared, rms_norm_eps=config.get("layer_norm_eps", 1e-5))
    return OlmoForCausalLM, OlmoConfig(**shared, clip_qkv=config.get("clip_qkv"))


def convert(state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Rename ai2-olmo's tensors to transformers' and split the fused ones."""
    head_dim = config["d_model"] // config["n_heads"]
    split = (config["d_model"], *[head_dim * _key_value_heads(config)] * 2)
    renamed = {
        "attn_out": "self_attn.o_proj",
        "ff_out": "mlp.down_proj",
        "attn_norm": "input_layernorm",
        "ff_norm": "post_attention_layernorm",
    }
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        parts = name.removeprefix("model.").removeprefix("transformer.").split(".")
        if parts[0] != "blocks":
            whole = {"wte": "model.embed_tokens", "ln_f": "model.norm", "ff_out": "lm_head"}[parts[0]]
            found[f"{whole}.weight"] = tensor
            continue
        layer, kind = f"model.layers.{parts[1]}", parts[2]
        if kind == "att_proj":
            for letter, part in zip("qkv", tensor.split(split)):
                found[f"{layer}.self_attn.{letter}_proj.weight"] = part
        elif kind == "ff_proj":
            value, gate = tensor.chunk(2)
            found[f"{layer}.mlp.up_proj.weight"] = value
            found[f"{layer}.mlp.gate_proj.weight"] = gate
        else:
            found[f"{layer}.{renamed[kind]}.weight"] = tensor
    return {name: tensor.contiguous() for name, tensor in found.items()}


def _feed_forward(config: Config) -> int:
    """Rows of the fused feed-forward matrix."""
    return config.get("mlp_hidden_size") or config["mlp_ratio"] * config["d_model"]


def _key_value_heads(config: Config) -> int:
    """Heads of keys and values: as many as of queries, fewer, or one."""
    return config.get("n_kv_heads") or (1 if config.get("multi_query_attention") else config["n_heads"])


def build(config: Config, attention: str) -> HuggingFaceNetwork:
    """Return a network with random weights."""
    return HuggingFaceNetwork(random_model(*native(config), attention), HEAD)


def load(folder: Path, config: Config, dtype: torch.dtype, attention: str) -> HuggingFaceNetwork:
    """Read published or saved weights."""
    published = read_record(folder).get("layout") != "network"
    state = convert(read_state(folder), config) if config["model_type"] == AI2 and published else None
    return HuggingFaceNetwork(read_model(*native(config), folder, dtype, attention, head=HEAD, state=state), HEAD)


def card(config: Config) -> ModelCard:
    """Describe the model."""
    _, shown = native(config)
    bases = float(config.get("bases_per_token", BASES_PER_TOKEN))
    return ModelCard(
        family="olmo",
        objective="causal",
        context_bp=int(bases * shown.max_position_embeddings),
        context_tokens=shown.max_position_embeddings,
        bases_per_token=bases,
        position_embedding="rope",
        padding=True,
        strand="one strand at a time: average predictions over both",
        licence="MIT (Omni-DNA)",
        hidden_size=shown.hidden_size,
        vocab_size=shown.vocab_size,
        lora_targets=("q_proj", "k_proj", "v_proj", "o_proj"),
    )


def tokenizer(config: Config, folder: Path | None) -> Tokenizer:
    """Read the published ``tokenizer.json``."""
    return tokenizer_from_file(folder)


FAMILY = Family(
    name="olmo",
    model_types=("olmo", AI2),
    configure=configure,
    build=build,
    load=load,
    save=save_model,
    card=card,
    tokenizer=tokenizer,
)

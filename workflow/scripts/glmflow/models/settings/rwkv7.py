"""Settings of RWKV-7."""

from __future__ import annotations

from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import Config, complete
from glmflow.models.sizes.rwkv7 import RANKS

DEFAULTS: dict[str, Any] = {
    "model_type": "rwkv7",
    "hidden_size": 128,
    "num_layers": 4,
    "head_size": 64,
    "ffn_size": None,
    "ranks": None,
    "chunk": 32,
    "context": 1024,
    "vocab_size": 8,
    "tags": (),
}
LONGEST = 128
"""Tokens of a chunk: a decay is exp(-0.6065) at least, and the inverse of 146 of them is beyond float32."""


def configure(config: Config) -> Config:
    """Fill in defaults and check.

    Raises
    ------
    InputError
        An unknown key, or sizes that do not go together.
    """
    config = complete("rwkv7", config, DEFAULTS)
    size, head = config["hidden_size"], config["head_size"]
    if size % head:
        raise InputError(f"hidden_size {size} is no multiple of head_size {head}", fix="Make it one.")
    if not 1 <= config["chunk"] <= LONGEST:
        raise InputError(f"chunk {config['chunk']} is not between 1 and {LONGEST}", fix="Take 32.")
    ranks = {name: max(32, round(factor * size**0.5 / 32) * 32) for name, factor in RANKS.items()}
    return config | {"ffn_size": config["ffn_size"] or 4 * size, "ranks": {**ranks, **(config["ranks"] or {})}}

"""Number of parameters of RWKV-7, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RANKS = {"w": 2.5, "a": 2.5, "v": 1.7, "g": 5.0}
"""Ranks of the low-rank parts, in roots of the hidden size and rounded to 32."""


def parameters(config: Mapping[str, Any]) -> int:
    """Return the number of parameters without the language-model head."""
    d, layers, inner = _d(config), config["num_layers"], _inner(config)
    given = config.get("ranks") or {}
    ranks = sum(given.get(name, max(32, round(factor * d**0.5 / 32) * 32)) for name, factor in RANKS.items())
    # Shifts (6), offsets of decay, removal and value (3), k_k, k_a, r_k, and the norm by heads (2); four matrices.
    time = 4 * d * d + 2 * d * ranks + 14 * d
    return layers * (time + 2 * d * inner + d + 4 * d) + config["vocab_size"] * d + 4 * d


def sizes(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return width, depth and width of the feed-forward networks."""
    return _d(config), config["num_layers"], _inner(config)


def kept(shape: Any, length: int, bf16: bool) -> float:
    """Return the bytes kept of a sequence for the backward pass."""
    return 4 * length * shape.layers * (30 * shape.hidden + 4 * shape.inner) * (0.8 if bf16 else 1)


def products(shape: Any, length: int) -> float:
    """Return the multiplications of a forward pass: the weights, and per token and layer a state of 64 values a channel."""
    return length * (shape.parameters + shape.layers * shape.hidden * 64 * 4)


def _d(config: Mapping[str, Any]) -> int:
    return int(config["hidden_size"])


def _inner(config: Mapping[str, Any]) -> int:
    return int(config.get("ffn_size") or 4 * _d(config))

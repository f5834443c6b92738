"""Number of parameters of gated wavelets, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def parameters(config: Mapping[str, Any]) -> int:
    """Return the number of parameters without the language-model head."""
    d, taps, inner = int(config["hidden_size"]), config["taps"], _inner(config)
    levels = max(1, math.ceil(math.log2((config["context"] - 1) / (taps - 1) + 1)))
    mixer = 2 * d * taps + d * (levels + 2) + 2 * d * d
    return config["num_layers"] * (mixer + 3 * d * inner + 2 * d) + config["vocab_size"] * d + d


def sizes(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return width, depth and width of the feed-forward networks."""
    return int(config["hidden_size"]), config["num_layers"], _inner(config)


def kept(shape: Any, length: int, bf16: bool) -> float:
    """Return the bytes kept of a sequence for the backward pass: at each level two filtered sequences and their taps."""
    levels = max(1, math.ceil(math.log2(shape.context or length)))
    return 4 * length * shape.layers * ((8 + 6 * levels) * shape.hidden + 4 * shape.inner) * (0.8 if bf16 else 1)


def products(shape: Any, length: int) -> float:
    """Return the multiplications of a forward pass: each weight meets each base."""
    return length * shape.parameters


def _inner(config: Mapping[str, Any]) -> int:
    return int(config.get("ffn_size") or 8 * round(config["hidden_size"] / 3))

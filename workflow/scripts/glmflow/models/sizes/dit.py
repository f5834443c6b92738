"""Number of parameters of diffusion transformers, and what their patches cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parameters(config: Mapping[str, Any]) -> int:
    """Return the number of parameters without the language-model head."""
    d, ratio, patch = int(config["hidden_size"]), config["mlp_ratio"], config["patch"]
    block = 4 * d * d + 2 * ratio * d * d + (ratio + 1) * d + 6 * d * d + 6 * d
    local = config["convolution"] * d * d + d if config["convolution"] else 0
    return config["num_layers"] * block + local + patch * (config["vocab_size"] + 2) * d + 3 * d


def sizes(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return width, depth and width of the feed-forward networks."""
    d = int(config["hidden_size"])
    return d, config["num_layers"], config["mlp_ratio"] * d


def kept(shape: Any, length: int, bf16: bool) -> float:
    """Return the bytes kept of a sequence for the backward pass, as if each base were a token: an upper bound with patches."""
    return 4 * length * shape.layers * (12.15 * shape.hidden + 2 * shape.inner) * (0.7 if bf16 else 1)


def products(shape: Any, length: int) -> float:
    """Return the multiplications of a forward pass, as if each base were a token: an upper bound with patches."""
    return length * (shape.parameters + shape.layers * 2 * shape.hidden * length)

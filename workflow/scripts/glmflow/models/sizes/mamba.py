"""Number of parameters of Mamba, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

STATES = 16
"""States a channel, the default; `products` reckons with them."""


def parameters(config: Mapping[str, Any]) -> int:
    """Return the number of parameters without the language-model head."""
    d, states = int(config["hidden_size"]), config["state_size"]
    inner, rank = config["expand"] * d, config.get("time_step_rank") or math.ceil(d / 16)
    # Into signal and gate, out; taps and their bias; step, what enters and what is read; rates, and what goes past the scan.
    layer = 3 * d * inner + inner * (config["conv_kernel"] + 1) + inner * (rank + 2 * states) + (rank + 1) * inner
    return config["num_layers"] * (layer + inner * (states + 1) + d) + config["vocab_size"] * d + d


def sizes(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return width, depth and width inside of the layers."""
    return int(config["hidden_size"]), config["num_layers"], config["expand"] * int(config["hidden_size"])


def kept(shape: Any, length: int, bf16: bool) -> float:
    """Return the bytes kept of a sequence for the backward pass."""
    return 4 * length * shape.layers * (2 * shape.hidden + 11 * shape.inner) * (0.8 if bf16 else 1)


def products(shape: Any, length: int) -> float:
    """Return the multiplications of a forward pass: the weights, and per token and channel three for each state."""
    return length * (shape.parameters + shape.layers * shape.inner * STATES * 3)

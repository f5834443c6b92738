"""Size of the promoter network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parameters(config: Mapping[str, Any]) -> int:
    """Return the number of parameters without the language-model head."""
    filters, channels = config["filters"], config["channels"]
    motifs = filters * (4 * config["width"] + 1)
    return motifs + 2 * filters * 2 + channels * (2 * filters * config["reach"] + 1) + 2 * channels


def sizes(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the width of the states, the number of blocks and the width inside of them."""
    return config["channels"], 1, 2 * config["filters"]


def kept(shape: Any, length: int, bf16: bool) -> float:
    """Return the bytes kept of a sequence for the backward pass: sites at every base, the rest at every bin."""
    return 4 * length * (5 + 2.33 * shape.inner + 1.25 * shape.hidden)


def products(shape: Any, length: int) -> float:
    """Return the multiplications of a forward pass: every weight meets every base."""
    return length * shape.active

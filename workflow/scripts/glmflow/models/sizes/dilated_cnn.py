"""Size of the dilated U-net."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parameters(config: Mapping[str, Any]) -> int:
    """Return the number of parameters without the language-model head."""
    fine, middle, coarse = config["channels"]

    def layer(inputs: int, outputs: int, width: int) -> int:
        return inputs * outputs * width + outputs

    stem = layer(5, fine, config["stem_width"]) + layer(fine, middle, 5) + layer(middle, coarse, 5)
    trunk = config["blocks"] * (layer(coarse, coarse, 3) + layer(coarse, coarse, 1) + 4 * coarse)
    up = layer(coarse, middle, 1) + layer(middle, middle, 5) + layer(middle, fine, 1) + layer(fine, fine, 9)
    return stem + trunk + up + 2 * (fine + middle + coarse + middle + fine)


def sizes(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the width of the states, the number of blocks and the width inside of them."""
    return config["channels"][0], config["blocks"], config["channels"][2]


def kept(shape: Any, length: int, bf16: bool) -> float:
    """Return the bytes kept of a sequence for the backward pass."""
    per_base = 11.4 * shape.hidden + shape.layers * shape.inner * 6 / 32
    return 4 * length * per_base * (0.72 if bf16 else 1)


def products(shape: Any, length: int) -> float:
    """Return the multiplications of a forward pass: most weights meet one base in 32."""
    return length * shape.parameters / 8

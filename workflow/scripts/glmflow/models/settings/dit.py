"""Settings of diffusion transformers, and the squares that sequences are laid into."""

from __future__ import annotations

import math
from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import Config, complete

DEFAULTS: dict[str, Any] = {
    "model_type": "dit",
    "hidden_size": 128,
    "num_layers": 4,
    "num_heads": 4,
    "mlp_ratio": 4,
    "patch": 1,
    "layout": "line",
    "convolution": 9,
    "context": 1024,
    "rope_theta": 10000.0,
    "vocab_size": 8,
    "tags": (),
}
LAYOUTS = ("line", "grid", "hilbert")


def edges(layout: str, patch: int, context: int) -> tuple[int, int]:
    """Return the widths, in bases, of the square that a sequence is laid into and of a patch of it; 0 and 1 of a line."""
    return (0, 1) if layout == "line" else (math.isqrt(context), math.isqrt(patch))


def configure(config: Config) -> Config:
    """Fill in defaults and check.

    Raises
    ------
    InputError
        An unknown key, or sizes that do not go together.
    """
    config = complete("dit", config, DEFAULTS, or_none={"convolution"})
    if config["layout"] not in LAYOUTS:
        raise InputError(f"layout {config['layout']!r} is not known", fix=f"Take one of {', '.join(LAYOUTS)}.")
    _check_square(config["layout"], config["patch"], config["context"])
    parts = config["num_heads"] * (2 if config["layout"] == "line" else 4)
    if config["hidden_size"] % parts:
        fix = f"Make it a multiple of {parts}."
        raise InputError(f"hidden_size {config['hidden_size']} does not make {config['num_heads']} heads", fix=fix)
    if config["convolution"] and config["convolution"] % 2 == 0:
        raise InputError(f"convolution {config['convolution']} has no middle", fix="Make it odd, or 0 for none.")
    return config


def _check_square(layout: str, patch: int, context: int) -> None:
    """Refuse patches that are no squares, or do not fill the square of the context."""
    if layout == "line":
        return
    side, edge = edges(layout, patch, context)
    if edge**2 != patch:
        raise InputError(f"patch {patch} is no square of bases", fix="Take 1, 4 or 16.")
    if side**2 != context or side % edge:
        fix = f"Take {max(edge, round(side / edge) * edge) ** 2}, or `layout: line`."
        raise InputError(f"context {context} is no square of patches of {edge} x {edge} bases", fix=fix)
    if layout == "hilbert" and (side & (side - 1) or edge & (edge - 1)):
        what = f"context {context} and patch {patch} are squares of sides {side} and {edge}"
        raise InputError(
            f"{what}: a Hilbert curve needs powers of two", fix="Take 256, 1024 or 4096, or `layout: grid`."
        )

"""Settings of gated multiresolution convolutions."""

from __future__ import annotations

from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import Config, complete

DEFAULTS: dict[str, Any] = {
    "model_type": "wavelet",
    "hidden_size": 128,
    "num_layers": 4,
    "ffn_size": None,
    "taps": 2,
    "context": 1024,
    "vocab_size": 8,
    "tags": (),
}


def configure(config: Config) -> Config:
    """Fill in defaults and check.

    Raises
    ------
    InputError
        An unknown key, or filters of no use.
    """
    config = complete("wavelet", config, DEFAULTS)
    if not 2 <= config["taps"] <= 4:
        raise InputError(f"taps {config['taps']} is not 2 to 4", fix="Take 2, a pair of neighbours at each level.")
    return config | {"ffn_size": config["ffn_size"] or 8 * round(config["hidden_size"] / 3)}

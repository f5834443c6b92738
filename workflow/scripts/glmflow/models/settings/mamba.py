"""Settings of Mamba."""

from __future__ import annotations

import math
from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import Config, complete

DEFAULTS: dict[str, Any] = {
    "model_type": "glmflow-mamba",
    "hidden_size": 128,
    "num_layers": 4,
    "state_size": 16,
    "conv_kernel": 4,
    "expand": 2,
    "time_step_rank": None,
    "context": 1024,
    "vocab_size": 8,
    "tags": (),
}


def configure(config: Config) -> Config:
    """Fill in defaults and check.

    Raises
    ------
    InputError
        An unknown key, or a convolution without taps.
    """
    config = complete("mamba", config, DEFAULTS)
    if config["conv_kernel"] < 2:
        raise InputError(f"conv_kernel {config['conv_kernel']} is no convolution", fix="Take 2 to 4.")
    return config | {"time_step_rank": config["time_step_rank"] or math.ceil(config["hidden_size"] / 16)}

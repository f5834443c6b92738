"""Settings of the U-net over bases."""

from __future__ import annotations

from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import Config, complete

DEFAULTS: dict[str, Any] = {
    "model_type": "glmflow-dilated-cnn",
    "channels": [24, 48, 64],
    "stem_width": 15,
    "blocks": 8,
    "vocab_size": 8,
}


def configure(config: Config) -> Config:
    """Fill in defaults and check.

    Raises
    ------
    InputError
        An unknown key, or not three numbers of channels.
    """
    config = complete("dilated_cnn", config, DEFAULTS, or_none={"blocks"})
    if len(config["channels"]) != 3:
        raise InputError("channels of dilated_cnn are not three", fix="Give those at 1, 4 and 32 bp.")
    return config

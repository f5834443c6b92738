"""Settings of the convolutional network for promoters."""

from __future__ import annotations

from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import Config, complete

DEFAULTS: dict[str, Any] = {
    "model_type": "glmflow-promoter-cnn",
    "filters": 16,
    "width": 9,
    "bin": 8,
    "channels": 48,
    "reach": 5,
    "vocab_size": 8,
}


def configure(config: Config) -> Config:
    """Fill in defaults and check.

    Raises
    ------
    InputError
        An unknown key, or a filter without a middle.
    """
    config = complete("promoter_cnn", config, DEFAULTS)
    for key in ("width", "reach"):
        if config[key] % 2 == 0:
            raise InputError(f"{key} {config[key]} of promoter_cnn has no middle", fix="Make it odd.")
    return config

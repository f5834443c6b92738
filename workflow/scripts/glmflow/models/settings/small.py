"""Settings of small transformers."""

from __future__ import annotations

from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import Config, complete

DEFAULTS: dict[str, Any] = {
    "model_type": "glmflow-small",
    "causal": False,
    "hidden_size": 64,
    "num_layers": 2,
    "num_heads": 2,
    "mlp_ratio": 4,
    "convolution": 9,
    "kmer": 1,
    "context": 512,
    "rope_theta": 10000.0,
    "dropout": 0.0,
    "vocab_size": 8,
    "tags": (),
}


def configure(config: Config) -> Config:
    """Fill in defaults and check.

    Raises
    ------
    InputError
        An unknown key, or sizes that do not go together.
    """
    config = complete("small", config, DEFAULTS, also={"extension"}, or_none={"convolution"})
    if config["hidden_size"] % (2 * config["num_heads"]):
        raise InputError(
            f"hidden_size {config['hidden_size']} does not make {config['num_heads']} heads of even size",
            fix="Make it a multiple of twice num_heads.",
        )
    if not 1 <= config["kmer"] <= 8:
        raise InputError(f"kmer {config['kmer']} is not 1 to 8", fix="Take 1 (single bases), or 3 to 6.")
    if not config["causal"] and config["convolution"] and config["convolution"] % 2 == 0:
        raise InputError(f"convolution {config['convolution']} of a masked model has no middle", fix="Make it odd.")
    return config

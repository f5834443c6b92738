"""Low-rank adaptation: two small matrices beside some of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glmflow.models.facts import Facts

WORDS = "LoRA"
HAS = "low-rank adapters"
KEYS = frozenset({"rank", "alpha", "dropout", "targets", "experts"})


def trained(layers: int, hidden: int, inner: int, settings: Mapping[str, Any]) -> int:
    """Return the number of trained parameters: of four projections a layer, which is what most families adapt."""
    return layers * 4 * 2 * settings["rank"] * hidden


def misfit(facts: Facts, settings: Mapping[str, Any]) -> str | None:
    """Return why a family cannot be adapted so; None where it can."""
    if settings["experts"] and not facts.experts:
        return f"{facts.family} has no experts that could be adapted; leave `experts` out"
    return None

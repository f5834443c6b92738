"""IA3: a learned factor for each channel of keys, values and the inner activations of feed-forward networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glmflow.models.facts import Facts

WORDS = "IA3"
HAS = "scaled activations"
KEYS: frozenset[str] = frozenset()


def trained(layers: int, hidden: int, inner: int, settings: Mapping[str, Any]) -> int:
    """Return the number of trained parameters: a factor for each channel (keys of fewer heads than queries have fewer)."""
    return layers * (2 * hidden + inner)


def misfit(facts: Facts, settings: Mapping[str, Any]) -> str | None:
    """Return why a family cannot be adapted so; None where it can."""
    return facts.without_ia3 and f"{facts.without_ia3}; take kind lora"

"""What a run's model is, for the report: kept in `cost.json` beside what the run cost."""

from __future__ import annotations

import re
from typing import Any

from glmflow.config.efficient import efficient
from glmflow.models.adapted_layers import Coverage
from glmflow.models.adapter import Adapter
from glmflow.models.attention import why_no_flash
from glmflow.models.chunking import describe


def describe_model(adapter: Adapter, window_bp: int, coverage: Coverage | None = None) -> dict[str, Any]:
    """Return what a reader of results must know of the model behind them.

    Parameters
    ----------
    adapter
        The model.
    window_bp
        Length of the task's windows.
    coverage
        What is trained of layers that LoRA or another such way adapts, where one was applied.
    """
    card = adapter.card
    return {
        "family": card.family,
        "objective": card.objective,
        "context_bp": card.context_bp,
        "position_embedding": card.position_embedding,
        "strand": card.strand,
        "licence": card.licence,
        "cannot": dict(card.cannot),
        "attention": attention_taken(adapter),
        "chunking": describe(card, window_bp),
        "adapted": None if coverage is None else adapted(coverage),
    }


def attention_taken(adapter: Adapter) -> str:
    """Say which attention a model takes, and why not flash-attention 2 where it does not."""
    if adapter.card.position_embedding in ("convolution", "state-space"):
        return "no attention layers"
    if adapter.attention == "flash_attention_2":
        return adapter.attention
    return f"{adapter.attention} ({why_no_flash(adapter.compute_dtype) or 'the family has no flash-attention 2'})"


def adapted(coverage: Coverage) -> dict[str, Any]:
    """Return how a model is adapted, which layers, and how many parameters are trained for it."""
    return {
        "by": efficient(coverage.kind).WORDS,
        "layers": layers(coverage),
        "trainable": coverage.trainable,
    }


def layers(coverage: Coverage) -> dict[str, int]:
    """Count the adapted layers by the last part of their names, with what holds it where that is a number (``ffn.1``)."""
    last = [re.search(r"[^.]*(\.\d+)*$", name)[0] for name in coverage.modules]
    return {name: last.count(name) for name in dict.fromkeys(last)}

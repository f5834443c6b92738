"""Names that families of models have for the same setting of a configuration."""

from __future__ import annotations

from collections.abc import Collection

WIDTH = ("hidden_size", "d_model")
LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
INNER = ("intermediate_size", "d_inner", "inner_mlp_size", "mlp_hidden_size")
HEADS = ("num_attention_heads", "num_heads", "n_heads")
CONTEXT = ("max_position_embeddings", "max_seq_len", "max_seqlen", "context")


def own_name(key: str, known: Collection[str]) -> str | None:
    """Return the name that a family has for what another family calls `key`; None where there is none, or it is its own."""
    alike = next((names for names in (WIDTH, LAYERS, INNER, HEADS, CONTEXT) if key in names), ())
    return next((name for name in alike if name in known and name != key), None)

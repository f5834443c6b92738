"""Text models: the list of published ones (`config/text_models.yaml`), where their folders are, and their sizes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .published import LISTED, read_checkpoints

TEXTS = LISTED.with_name("text_models.yaml")
"""The list of the repository; not there where the package is installed without it."""


def listed_text_models() -> dict[str, dict[str, Any]]:
    """Return the published text models by name; empty where there is no list."""
    return read_checkpoints(TEXTS) if TEXTS.is_file() else {}


def is_folder(text: str) -> bool:
    """Return whether a text model is given as a folder, not by its name."""
    return "/" in text


def folder_of(text: str) -> str:
    """Return the folder of a text model: where a published one is downloaded to, or the folder that is given."""
    return text if is_folder(text) else f"resources/models/{text}"


class TextShape(NamedTuple):
    """Sizes of a decoder whose feed-forward networks are gated (Qwen3, Llama)."""

    hidden: int
    layers: int
    inner: int
    heads: int
    shared: int
    head: int
    vocabulary: int
    tied: bool

    def linear(self) -> list[tuple[int, int]]:
        """Return inputs and outputs of the linear layers of one layer."""
        read, shared = self.heads * self.head, self.shared * self.head
        attention = [(self.hidden, read), (self.hidden, shared), (self.hidden, shared), (read, self.hidden)]
        return [*attention, (self.hidden, self.inner), (self.hidden, self.inner), (self.inner, self.hidden)]

    @property
    def parameters(self) -> int:
        """Return the number of all parameters, norms of queries and keys included (Qwen3)."""
        layer = sum(a * b for a, b in self.linear()) + 2 * self.hidden + 2 * self.head
        return self.layers * layer + (1 if self.tied else 2) * self.vocabulary * self.hidden + self.hidden

    def adapters(self, rank: int) -> int:
        """Return the parameters of low-rank adapters of every linear layer but the last."""
        return self.layers * sum(rank * (a + b) for a, b in self.linear())


def small_shape(hidden: int, layers: int, heads: int, vocabulary: int) -> TextShape:
    """Return the sizes of a small text model that is made here (`glmflow.models.text.text_loading.new_text_model`)."""
    return TextShape(hidden, layers, 2 * hidden, heads, max(1, heads // 2), hidden // heads, vocabulary, True)


def text_shape(text: str) -> TextShape | None:
    """Return the sizes of a published text model, or of a folder; None where nothing says them."""
    config: Mapping[str, Any] | None = listed_text_models().get(text, {}).get("config")
    path = Path(folder_of(text)) / "config.json"
    if config is None and path.is_file():
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            config = None
    if not config or not {"hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size"} <= set(config):
        return None
    heads = int(config.get("num_attention_heads") or 1)
    return TextShape(
        *(int(config[name]) for name in ("hidden_size", "num_hidden_layers", "intermediate_size")),
        heads,
        int(config.get("num_key_value_heads") or heads),
        int(config.get("head_dim") or config["hidden_size"] // heads),
        int(config["vocab_size"]),
        bool(config.get("tie_word_embeddings", False)),
    )

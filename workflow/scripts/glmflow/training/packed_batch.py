"""Tokens of items, some of which hold several records side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glmflow.models.adapter import Adapter
from glmflow.models.interface import Tokens

from .stream import Item


def tokens_of(items: Sequence[Item], adapter: Adapter) -> tuple[Tokens, dict[str, Tensor]]:
    """Return the tokens of items, and `records` of the batch (``int64[B, T]``, -1 where nothing is) where any item is packed.

    Each record (``ends`` of an item: where its records end, in bases) is tokenized as it would be alone.
    """
    if not any("ends" in item for item in items):
        return adapter.tokenize([item["sequence"] for item in items]), {}
    parts = [list(_records(item)) for item in items]
    single = adapter.tokenizer
    assert single is not None
    found = adapter.tokenize([text for row in parts for text in row])
    lengths = found.attention_mask.sum(1).tolist()
    rows = [sum(lengths[at : at + len(row)]) for at, row in zip(_firsts(parts), parts)]
    ids = torch.full((len(items), max(rows)), single.pad_id or 0)
    mask, records = torch.zeros_like(ids), torch.full_like(ids, -1)
    covering = torch.full((len(items), max(len(item["sequence"]) for item in items)), -1)
    number = 0
    for row, texts in enumerate(parts):
        token = base = 0
        for record, text in enumerate(texts):
            end = token + lengths[number]
            ids[row, token:end] = found.input_ids[number, : lengths[number]]
            mask[row, token:end], records[row, token:end] = 1, record
            covering[row, base : base + len(text)] = found.token_of_base[number, : len(text)] + token
            token, base, number = end, base + len(text), number + 1
    return Tokens(ids, mask, covering), {"records": records}


def _records(item: Item) -> list[str]:
    ends = item.get("ends", [len(item["sequence"])])
    return [item["sequence"][start:end] for start, end in zip([0, *ends[:-1]], ends)]


def _firsts(parts: Sequence[Sequence[str]]) -> list[int]:
    """Return the number of the first record of each row."""
    found = [0]
    for row in parts[:-1]:
        found.append(found[-1] + len(row))
    return found

"""Sequences padded on the left and read without a mask, as the published protocols of HyenaDNA and Caduceus do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmflow.errors import InputError
from glmflow.models.chunking import DEFAULT_OVERLAP, rows_of
from glmflow.models.interface import Model, Tokens
from glmflow.models.tokenizers import Pieces, clean


def padded_on_the_left(adapter: Model, sequences: Sequence[str | np.ndarray], length: int) -> Tokens:
    """Return a batch whose shorter sequences have padding before them, which counts as bases: all have `length` or more.

    Its states are those of a model that reads the padding, and pooling goes over it, which changes what a model predicts.
    """
    tokenizer = adapter.tokenizer
    pieces = []
    for sequence in sequences:
        ids = tokenizer.pieces(clean(sequence)).ids
        before = np.full(max(0, length - len(ids)), tokenizer.pad_id, np.int64)
        pieces.append(Pieces(np.concatenate([before, ids]), np.arange(len(before) + len(ids))))
    return rows_of(adapter, pieces, DEFAULT_OVERLAP)


def require_left_padding(adapter: Model) -> None:
    """Stop where a family cannot be padded so.

    Raises
    ------
    InputError
        It has no tokens of single bases, no padding token, or a special token before a sequence.
    """
    tokenizer, card = adapter.tokenizer, adapter.card
    if tokenizer is None or card.bases_per_token != 1 or tokenizer.pad_id is None or tokenizer.prefix:
        what = f"{card.family} cannot be padded on the left, which is known of models of single bases alone"
        raise InputError(what, where="train.padding", fix="Say padding: null.")

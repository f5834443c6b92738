"""Windows longer than a model's context: overlapping chunks, stitched back per base.

A sequence is tokenized whole and its tokens are cut into chunks of the model's context, each with the
family's special tokens, the last one flush with the end. Neighbours overlap. Each base takes its state from
the chunk in which its token has most context: for a masked model the chunk whose nearer edge is farthest
away, for a causal model the one that starts earliest. The ends of the sequence itself are no edges. So at an
overlap of 25 % every base sees at least an eighth of the context on both sides (masked), or a quarter of it
on its left (causal), unless the sequence ends before.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
import torch

from glmflow.errors import InputError
from glmflow.models.interface import Model, ModelCard, Tokens
from glmflow.models.tokenizers import Pieces

logger = logging.getLogger(__name__)

DEFAULT_OVERLAP = 0.25


class BeyondContextError(InputError):
    """A sequence has more tokens than the model takes at a time, and was not to be cut into chunks."""


def chunk_starts(tokens: int, size: int, overlap: float) -> np.ndarray:
    """Return the first token of each chunk, ``int64[C]``: every chunk has `size` tokens, the last ends with
    the sequence.

    Raises
    ------
    InputError
        `overlap` is not in 0 .. 1 (1 excluded).
    """
    if not 0 <= overlap < 1:
        raise InputError(f"overlap of chunks is {overlap}", fix="Give a share from 0 to below 1.")
    if tokens <= size:
        return np.zeros(1, np.int64)
    stride = max(1, math.floor(size * (1 - overlap)))
    starts = np.arange(0, tokens - size, stride)
    return np.append(starts, tokens - size)


def owners(tokens: int, starts: np.ndarray, size: int, causal: bool) -> np.ndarray:
    """Return for each token the chunk in which it has most context, ``int64[T]``; the earlier one where two
    are equal.
    """
    position = np.arange(tokens)[None]
    first = starts[:, None]
    last = np.minimum(first + size, tokens) - 1
    left = np.where(first == 0, tokens, position - first)
    right = np.where((last == tokens - 1) | causal, tokens, last - position)
    inside = (position >= first) & (position <= last)
    return np.where(inside, np.minimum(left, right), -1).argmax(0)


def room(adapter: Model) -> int | None:
    """Return how many tokens of a sequence the context holds beside the special ones; None: any number."""
    tokenizer, context = adapter.tokenizer, adapter.card.context_tokens
    return None if context is None else context - len(tokenizer.prefix) - len(tokenizer.suffix)


def rows_of(adapter: Model, pieces: Sequence[Pieces], overlap: float | None) -> Tokens:
    """Lay tokenized sequences out as rows of a batch: one a sequence, or one a chunk.

    Parameters
    ----------
    adapter
        The model.
    pieces
        The tokenized sequences, without special tokens.
    overlap
        Share of a chunk in common with the next; None: a sequence beyond the context is refused, and of a family that
        cannot pad, sequences of several lengths (with chunks these are computed length by length, see
        `Adapter.states_per_base`).
    """
    tokenizer, card = adapter.tokenizer, adapter.card
    longest = max(len(one.ids) for one in pieces)
    size = room(adapter) or longest
    if longest > size:
        _refuse_or_log(adapter, pieces, size, overlap)
    starts = [chunk_starts(len(one.ids), size, overlap or 0.0) for one in pieces]
    rows = [
        [*tokenizer.prefix, *one.ids[start : start + size], *tokenizer.suffix]
        for one, first in zip(pieces, starts)
        for start in first
    ]
    width = max(map(len, rows))
    if not card.padding and overlap is None and min(map(len, rows)) < width:
        reason = "the original ignores the attention mask; batch sequences of one length"
        raise adapter.refuse("sequences of several lengths in one batch", reason)
    input_ids = np.full((len(rows), width), tokenizer.pad_id or 0, np.int64)
    attention_mask = np.zeros_like(input_ids)
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = row
        attention_mask[index, : len(row)] = 1
    token_of_base = np.full((len(pieces), max(len(one.token_of_base) for one in pieces)), -1)
    for index, (one, first) in enumerate(zip(pieces, starts)):
        owner = owners(len(one.ids), first, size, card.objective == "causal")
        place = owner * width + len(tokenizer.prefix) + np.arange(len(one.ids)) - first[owner]
        token_of_base[index, : len(one.token_of_base)] = place[one.token_of_base]
    arrays = (torch.from_numpy(array) for array in (input_ids, attention_mask, token_of_base))
    return Tokens(*arrays, None if len(rows) == len(pieces) else tuple(map(len, starts)))


def describe(card: ModelCard, window_bp: int, overlap: float = DEFAULT_OVERLAP) -> str | None:
    """Say in a sentence how a window is cut for a model; None where it fits. Exact where a token has a fixed
    length.
    """
    if card.context_tokens is None or card.context_bp is None or window_bp <= card.context_bp:
        return None
    chunks = len(chunk_starts(window_bp, card.context_bp, overlap))
    return (
        f"{card.family} sees {card.context_bp:,} bp at a time: a window of {window_bp:,} bp is computed in "
        f"about {chunks} chunks that overlap by {overlap:.0%}, each base taken where it has most context"
    )


def _refuse_or_log(adapter: Model, pieces: Sequence[Pieces], size: int, overlap: float | None) -> None:
    """Refuse a sequence beyond the context, or say once a model that it is cut into chunks."""
    one = max(pieces, key=lambda piece: len(piece.ids))
    length = f"a sequence of {len(one.token_of_base):,} bp has {len(one.ids):,} tokens"
    limit = f"{adapter.card.family} takes {size:,}"
    if overlap is None:
        raise BeyondContextError(f"{length}, {limit}", fix="Give chunk=True, or take a shorter window.")
    if not getattr(adapter, "chunking_logged", False):
        adapter.chunking_logged = True
        logger.warning(
            "%s, %s: computed in %d chunks overlapping by %d %%, each base taken where it has most context",
            length,
            limit,
            len(chunk_starts(len(one.ids), size, overlap)),
            round(100 * overlap),
        )

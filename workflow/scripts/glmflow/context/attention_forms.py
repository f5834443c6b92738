"""Attention forms that bound the distance a model sees instead of rescaling its frequencies: ReRoPE, dual chunk.

Rotary scores depend on the difference of two positions, ``q_i R(p_i - p_j) k_j``. Both forms give
different pairs of tokens different positions: each is a list of pieces, every pair belonging to one.
Nothing is trained. Scores are computed for a block of queries at a time, so memory grows linearly with
the length; the cost is that of one attention a piece, without fused kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..errors import InputError

QUERIES_AT_A_TIME = 256


class Piece(NamedTuple):
    """Positions of queries and keys, ``[T]`` each, for the pairs ``applies(i, j)`` of query and key indices."""

    query_position: Tensor
    key_position: Tensor
    applies: Callable[[Tensor, Tensor], Tensor]


def rerope_pieces(length: int, window: int, device: torch.device | None = None) -> list[Piece]:
    """Bound the distance at `window` on both sides (ReRoPE, Su 2023, described in arXiv 2309.00071's code)."""
    index = torch.arange(length, device=device)
    zero, bound = torch.zeros_like(index), torch.full_like(index, window)
    return [
        Piece(index, index, lambda i, j: (i - j).abs() < window),
        Piece(bound, zero, lambda i, j: i - j >= window),
        Piece(zero, bound, lambda i, j: j - i >= window),
    ]


def dual_chunk_pieces(
    length: int, chunk_size: int, local_window: int, device: torch.device | None = None
) -> list[Piece]:
    """Keep positions within a chunk, bound them across chunks (An et al. 2024, arXiv 2402.17463).

    With ``c = chunk_size - local_window`` a key is at ``j mod c``; a query is at ``i mod c`` for its
    own chunk, at ``min(i mod c + c, chunk_size)`` for the chunk before, so that neighbours across the
    border keep their distance, and at ``chunk_size`` for all earlier ones. For keys that come after the
    query the two swap their parts.
    """
    c = chunk_size - local_window
    index = torch.arange(length, device=device)
    near = index % c
    next_chunk, far = (near + c).clamp(max=chunk_size), torch.full_like(index, chunk_size)
    return [
        Piece(near, near, lambda i, j: i // c == j // c),
        Piece(next_chunk, near, lambda i, j: i // c == j // c + 1),
        Piece(far, near, lambda i, j: i // c > j // c + 1),
        Piece(near, next_chunk, lambda i, j: j // c == i // c + 1),
        Piece(near, far, lambda i, j: j // c > i // c + 1),
    ]


def pieces_of(
    length: int,
    original_length: int,
    form: str,
    window: int | None = None,
    device: torch.device | None = None,
) -> list[Piece]:
    """Return the pieces of an attention form for `length` tokens.

    Parameters
    ----------
    length, original_length
        Tokens of the input, and of the longest training sequence.
    form
        ``rerope`` or ``dual_chunk``.
    window
        ReRoPE: largest distance (half the original length where not given). Dual chunk: tokens across a
        border that keep their distance (an eighth).
    """
    if form == "rerope":
        return rerope_pieces(length, original_length // 2 if window is None else window, device)
    if form == "dual_chunk":
        return dual_chunk_pieces(length, original_length, original_length // 8 if window is None else window, device)
    raise InputError(f"there is no attention form '{form}'", fix="Take rerope or dual_chunk.")


def rotate(x: Tensor, position: Tensor, frequencies: Tensor) -> Tensor:
    """Turn the first ``2 * pairs`` features of ``x [..., T, D]`` by ``position [T] * frequencies [pairs]``."""
    turned, rest = x[..., : 2 * len(frequencies)], x[..., 2 * len(frequencies) :]
    angle = position[:, None].float() * frequencies.float()
    cos, sin = angle.cos().repeat(1, 2), angle.sin().repeat(1, 2)
    first, second = turned.float().chunk(2, -1)
    turned = turned.float() * cos + torch.cat([-second, first], -1) * sin
    return torch.cat([turned.to(x.dtype), rest], -1)


def piecewise_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    frequencies: Tensor,
    pieces: list[Piece],
    causal: bool,
    keep: Tensor | None = None,
    scaling: float | None = None,
) -> Tensor:
    """Attend with each pair's score taken from its piece.

    Parameters
    ----------
    query, key, value
        ``[B, heads, T, D]``, not rotated.
    frequencies
        ``[pairs]``.
    pieces
        From `pieces_of`.
    causal
        Whether a query sees no later key.
    keep
        bool ``[B, T]``: keys that are no padding.
    scaling
        Of the scores; ``D ** -0.5`` where not given.

    Returns
    -------
    Tensor
        ``[B, heads, T, D]``.
    """
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    rotated = [
        (rotate(query, piece.query_position, frequencies), rotate(key, piece.key_position, frequencies), piece.applies)
        for piece in (pieces[:3] if causal else pieces)
    ]
    index = torch.arange(query.shape[-2], device=query.device)
    outputs = []
    for rows in index.split(QUERIES_AT_A_TIME):
        i, j = rows[:, None], index[None]
        scores = query.new_full((*query.shape[:-2], len(rows), len(index)), -math.inf)
        for turned_query, turned_key, applies in rotated:
            if (here := applies(i, j)).any():
                scores = torch.where(here, turned_query[..., rows, :] @ turned_key.mT * scaling, scores)
        if causal:
            scores = scores.masked_fill(j > i, -math.inf)
        if keep is not None:
            scores = scores.masked_fill(~keep[:, None, None, :], torch.finfo(scores.dtype).min)
        outputs.append(scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value)
    return torch.cat(outputs, -2)


def install(
    model: nn.Module, frequencies: Callable[[], Tensor], original_length: int, form: str, window: int | None
) -> Callable[[], None]:
    """Make a transformers model, or the one inside a wrapper, attend in a form; return what undoes it.

    The model hands over queries and keys that are rotated already, at consecutive positions from 0;
    they are turned back first.

    Raises
    ------
    InputError
        Where the form is not known, or the model is none of transformers' or has layers of local attention.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import flash_attention_mask

    pieces_of(1, original_length, form, window)
    fixed = InputError(
        f"{type(model).__name__} has no exchangeable attention", fix="Take a method that changes frequencies."
    )
    inner = next((module for module in model.modules() if hasattr(module, "set_attn_implementation")), None)
    if inner is None:
        raise fixed
    config = inner.config
    if getattr(config, "sliding_window", None) or getattr(config, "local_attention", None):
        raise InputError(
            f"{type(inner).__name__} has layers of local attention, which '{form}' would make global",
            fix="Take a method that changes frequencies.",
        )

    def attend(module, query, key, value, attention_mask=None, scaling=None, **_):
        length = query.shape[-2]
        if key.shape[-2] != length:
            raise InputError(f"attention form '{form}' does not generate with a cache", fix="Set use_cache: false.")
        index = torch.arange(length, device=query.device)
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        theta = frequencies()
        attended = piecewise_attention(
            rotate(query, -index, theta),
            rotate(key, -index, theta),
            value,
            theta,
            pieces_of(length, original_length, form, window, query.device),
            causal=getattr(module, "is_causal", False),
            keep=None if attention_mask is None else attention_mask.bool(),
            scaling=scaling,
        )
        return attended.transpose(1, 2).contiguous(), None

    name, before = f"glmflow_{form}_{id(model)}", config._attn_implementation
    AttentionInterface.register(name, attend)
    # Without a mask function of its own an attention is given no mask at all; this one hands on the padding, [B, T].
    AttentionMaskInterface.register(name, flash_attention_mask)
    inner.set_attn_implementation(name)
    if config._attn_implementation != name:  # transformers only warns
        raise fixed
    return lambda: inner.set_attn_implementation(before)

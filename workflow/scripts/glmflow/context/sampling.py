"""What is drawn for every batch while an extended model is tuned: a scale, or positions.

Framework-neutral: a sampler is called with the length of the batch and a numpy generator; the caller
gives ``positions`` to the model as ``position_ids`` and ``scale`` to `Extension.set_scale`. With
positions that skip, always pass an ``attention_mask`` too: transformers otherwise takes each skip for
the start of another packed sequence and lets no attention cross it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..errors import InputError


class Draw(NamedTuple):
    """What one batch is tuned with."""

    positions: NDArray | None = None
    scale: float | None = None


Sampler = Callable[[int, Generator], Draw]

DRAWS_POSITIONS = ("clex", "pose")


def gene_scale(length: int, rng: Generator, original_length: int, factor: float) -> int:
    """Draw the scale of a GeNE batch: a multiple of what the batch needs, up to the factor (Li et al. 2024).

    With ``n = ceil(length / original_length)`` and ``S = factor // n`` the scale is ``k n``; `k` is 1
    or S with probability a quarter each and anything between otherwise, or uniform on 1..S where S is
    at most 4.
    """
    needed = max(1, -(-length // original_length))
    most = max(1, int(factor // needed))
    if most <= 4:
        return int(rng.integers(1, most + 1)) * needed
    weights = np.full(most, 0.5 / (most - 2))
    weights[[0, -1]] = 0.25
    return int(rng.choice(np.arange(1, most + 1), p=weights)) * needed


def skipped_positions(length: int, rng: Generator, target_length: int, chunks: int = 2) -> NDArray[np.int64]:
    """Draw positions of `length` tokens that reach up to `target_length` by skips between chunks (PoSE).

    Within a chunk positions are consecutive, so distances between neighbours stay as they are; the
    offsets of the chunks after the first are sorted draws from 0..target_length - length (Zhu et al.
    2023, arXiv 2309.10400).
    """
    room = _room(length, target_length)
    offsets = np.concatenate([[0], np.sort(rng.integers(0, room + 1, chunks - 1))])
    chunk = np.arange(length) * chunks // length
    return np.arange(length) + offsets[chunk]


def scattered_positions(length: int, rng: Generator, original_length: int, factor: int) -> NDArray:
    """Draw sorted positions that fill ``t`` original lengths, `t` uniform on 1..factor (CLEX).

    ``length * t`` positions are thinned to `length`, the last one kept, and divided by ``length /
    original_length`` where that is above 1 (they are fractions then), so that none lies beyond the target. As
    published with arXiv 2310.16450, whose lengths are multiples of the original one.
    """
    stretch = int(rng.integers(1, int(factor) + 1))
    last = length * stretch - 1
    positions = np.append(np.sort(rng.choice(last, length - 1, replace=False)), last)
    divisor = length / original_length
    return positions / divisor if divisor > 1 else positions


def sampler(method: str, factor: float, original_length: int, **settings) -> Sampler | None:
    """Return what `method` draws for a batch while it is tuned, or None where it draws nothing.

    The arguments are those of `extend`; a base or a unit among them is ignored.

    Raises
    ------
    InputError
        Positions would be drawn beside an attention form, which counts positions itself.
    """
    if method in DRAWS_POSITIONS and settings.get("attention"):
        raise InputError(
            f"{method} draws positions, and attention form '{settings['attention']['form']}' counts its own",
            fix=f"Take a method that draws none (not {' or '.join(DRAWS_POSITIONS)}), or no attention form.",
        )
    if method == "gene":
        return lambda length, rng: Draw(scale=gene_scale(length, rng, original_length, factor))
    if method == "clex":
        return lambda length, rng: Draw(scattered_positions(length, rng, original_length, int(factor)))
    if method == "pose":
        target = round(factor * original_length)
        return lambda length, rng: Draw(skipped_positions(length, rng, target))
    return None


def _room(length: int, target_length: int) -> int:
    """Return how far positions of `length` tokens can be shifted within the target length."""
    if length > target_length:
        raise InputError(
            f"tuning windows of {length} tokens are longer than the target length {target_length}",
            fix="Tune on shorter windows or take a larger factor.",
        )
    return target_length - length

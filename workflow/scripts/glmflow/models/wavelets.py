"""A causal convolution of several resolutions: one short filter pair, applied again with doubled gaps at each level.

Shi, Wang and Fox 2023 (arXiv:2305.01638): ``a_0 = x``, ``a_j[t] = sum_k h0[k] a_(j-1)[t - k 2^(j-1)]``, ``b_j`` likewise
with h1, and ``y = w_x x + w_0 a_J + sum_j w_j b_j``. The cost is that of L log L.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from glmflow.models.continuation import before
from glmflow.models.packed_rows import moved


def levels_for(reach: int, taps: int) -> int:
    """Return how many levels see `reach` bases, the present one among them: ceil(log2((reach - 1) / (taps - 1) + 1))."""
    if taps < 2 or reach < 1:
        raise ValueError(f"{taps} taps and a reach of {reach}: at least 2 and 1")
    return max(1, math.ceil(math.log2((reach - 1) / (taps - 1) + 1)))


def reach_of(levels: int, taps: int) -> int:
    """Return how many bases the levels see, the present one among them."""
    return (taps - 1) * (2**levels - 1) + 1


def multiresolution(x: Tensor, h0: Tensor, h1: Tensor, w_x: Tensor, w_0: Tensor, w: Tensor) -> Tensor:
    """Convolve each channel.

    Parameters
    ----------
    x
        ``[B, D, L]``.
    h0, h1
        Low- and high-pass filter, ``[D, K]``; the first tap meets the present.
    w_x, w_0
        Weights of the input and of the coarsest level, ``[D]``.
    w
        Weights of the details, ``[J, D]``.
    """
    new = x.shape[-1]
    coarse = x = before(x, 2, reach_of(len(w), h0.shape[1]) - 1)
    y = w_x[:, None] * x
    for level, weight in enumerate(w):
        apart = [moved(coarse, tap * 2**level) for tap in range(h0.shape[1])]
        detail = sum(h1[:, tap, None] * part for tap, part in enumerate(apart))
        coarse = sum(h0[:, tap, None] * part for tap, part in enumerate(apart))
        y = y + weight[:, None] * detail
    return (y + w_0[:, None] * coarse)[..., -new:]


def start_filters(channels: int, taps: int) -> tuple[Tensor, Tensor]:
    """Return Haar's filters, a mean and a difference of neighbours, ``[channels, taps]`` each; further taps are zero."""
    low, high = torch.zeros(channels, taps), torch.zeros(channels, taps)
    low[:, :2] = 0.5
    high[:, 0], high[:, 1] = 0.5, -0.5
    return low, high

"""Causal convolutions of long sequences, one filter a channel: directly for a few taps, by Fourier transform
for many.

A filter as long as the sequence costs L^2 directly and L log L by transform (Poli et al. 2023,
arXiv:2302.10866). Sizes are rounded up to products of 2, 3 and 5, since a transform of a length with a large
prime factor is several times slower.
"""

from __future__ import annotations

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional

# Numbers transformed at once. More channels than fit are taken in groups, which bounds what the transforms
# hold.
TRANSFORM = 2**28


def short_convolution(x: Tensor, taps: Tensor, bias: Tensor | None = None) -> Tensor:
    """Causal depthwise convolution with few taps, as networks state them: the last tap meets the present.

    Parameters
    ----------
    x
        ``[batch, D, L]``.
    taps
        ``[D, 1, K]``: ``y[t] = sum_k taps[k] x[t - K + 1 + k]`` (a correlation, with zeros before the start).
    bias
        ``[D]``.
    """
    return functional.conv1d(x, taps, bias, padding=taps.shape[-1] - 1, groups=taps.shape[0])[..., : x.shape[-1]]


def long_convolution(x: Tensor, filters: Tensor) -> Tensor:
    """Causal depthwise convolution by Fourier transform, in float32 at least: ``y[t] = sum_s filters[s] x[t -
    s]``.

    Parameters
    ----------
    x
        ``[batch, D, L]``.
    filters
        ``[D, K]``; what reaches beyond L has no effect.

    Returns
    -------
    ``[batch, D, L]`` in the dtype of `x`.
    """
    batch, channels, length = x.shape
    filters = filters[:, :length]
    # Circular convolution wraps round; with this many points nothing wraps onto the first `length` of them.
    size = next_fast_len(length + filters.shape[1] - 1, real=True)
    group = max(1, TRANSFORM // (batch * size))
    if group >= channels:
        return _transformed(x, filters, size)
    pairs = zip(x.split(group, 1), filters.split(group), strict=True)
    return torch.cat([_transformed(part, taps, size) for part, taps in pairs], 1)


def _transformed(x: Tensor, filters: Tensor, size: int) -> Tensor:
    """One group of channels: a product of spectra."""
    precision = torch.promote_types(x.dtype, torch.float32)
    with torch.autocast(x.device.type, enabled=False):
        spectrum = torch.fft.rfft(x.to(precision), n=size) * torch.fft.rfft(filters.to(precision), n=size)
        return torch.fft.irfft(spectrum, n=size)[..., : x.shape[-1]].to(x.dtype)

"""Causal convolutions of long sequences: directly for a few taps, by Fourier transform for many.

A filter as long as the sequence costs L^2 directly and L log L by transform (Poli et al. 2023,
arXiv:2302.10866). Sizes are rounded up to products of 2, 3 and 5, since a transform of a length with a large
prime factor is several times slower.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional

from glmflow.models.continuation import as_read, before

# Numbers transformed at once. More channels than fit are taken in groups, which bounds what the transforms
# hold.
TRANSFORM = 2**28


def short_convolution(x: Tensor, taps: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve each channel causally with a few taps, as networks state them: the last tap meets the present.

    Parameters
    ----------
    x
        ``[batch, D, L]``.
    taps
        ``[D, 1, K]``: ``y[t] = sum_k taps[k] x[t - K + 1 + k]`` (a correlation, with zeros before the start).
    bias
        ``[D]``.
    """
    width, length = taps.shape[-1], x.shape[-1]
    x = before(x, 2, width - 1)
    kernel = _kernel(x.device.type) if 2 <= width <= 4 else None
    if kernel is not None:
        return kernel(x.contiguous(), taps[:, 0], bias)[..., -length:]
    return functional.conv1d(x, taps, bias, padding=width - 1, groups=taps.shape[0])[..., : x.shape[-1]][..., -length:]


@functools.cache
def _kernel(device: str) -> Callable[..., Tensor] | None:
    """Return the kernel of the causal-conv1d package (2 to 4 taps): on a GPU, where it can be imported."""
    if device != "cuda":
        return None
    try:
        from causal_conv1d import causal_conv1d_fn
    except ImportError:
        return None
    return causal_conv1d_fn


def long_convolution(x: Tensor, filters: Tensor) -> Tensor:
    """Convolve each channel causally by Fourier transform: ``y[t] = sum_s filters[s] x[t - s]``.

    Computed in float32 at least.

    Parameters
    ----------
    x
        ``[batch, D, L]``.
    filters
        ``[G, K]``, where G divides D: as many neighbouring channels share a filter. What reaches beyond L has
        no effect.

    Returns
    -------
    ``[batch, D, L]`` in the dtype of `x`.
    """
    new = x.shape[-1]
    x, filters = before(x, 2), as_read(filters)
    batch, channels, length = x.shape
    filters = filters[:, :length]
    sharing = channels // filters.shape[0]
    # Circular convolution wraps round; with this many points nothing wraps onto the first `length` of them.
    size = next_fast_len(length + filters.shape[1] - 1, real=True)
    group = max(1, TRANSFORM // (batch * size * sharing))
    if group >= filters.shape[0]:
        return _transformed(x, filters, size)[..., -new:]
    pairs = zip(x.split(group * sharing, 1), filters.split(group), strict=True)
    return torch.cat([_transformed(part, taps, size) for part, taps in pairs], 1)[..., -new:]


def _transformed(x: Tensor, filters: Tensor, size: int) -> Tensor:
    """One group of channels: a product of spectra."""
    precision = torch.promote_types(x.dtype, torch.float32)
    sharing = x.shape[1] // filters.shape[0]
    with torch.autocast(x.device.type, enabled=False):
        response = torch.fft.rfft(filters.to(precision), n=size)
        if sharing > 1:
            response = response.repeat_interleave(sharing, 0)
        spectrum = torch.fft.rfft(x.to(precision), n=size) * response
        return torch.fft.irfft(spectrum, n=size)[..., : x.shape[-1]].to(x.dtype)

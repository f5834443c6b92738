"""Which tokens each layer of a stack of dilated convolutions has to compute, where few of the last one are read.

A convolution of k taps that are d apart reads k tokens of the layer before it. Seen from one masked token backwards
through dilations 32, 16, 8 …, these are a lattice that grows denser: the last layers have a handful to compute.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

DENSE = 0.5
"""Share of a stretch from which on all of it is computed: a convolution of the whole is faster than one of picked tokens."""


def taps(convolution: nn.Conv1d) -> NDArray[np.int64]:
    """Return where a convolution reads, relative to its token, `int64[k]`; k is odd."""
    k, d = convolution.kernel_size[0], convolution.dilation[0]
    return (np.arange(k) - k // 2) * d


def tokens_needed(places: NDArray, convolutions: Sequence[nn.Conv1d], length: int) -> list[NDArray[np.int64]]:
    """Return the tokens that go into each layer, sorted, and last those that come out of the last one.

    Parameters
    ----------
    places
        Tokens that are read of the last layer.
    length
        Tokens of the sequence; what would lie outside is zero.
    """
    found = [np.unique(places).astype(np.int64)]
    for convolution in reversed(convolutions):
        some = np.unique(found[-1][:, None] + taps(convolution))
        some = some[(some >= 0) & (some < length)]
        span = np.arange(some[0], some[-1] + 1)
        found.append(span if convolution.groups > 1 or len(some) > DENSE * len(span) else some)
    return found[::-1]


def convolved(
    convolution: nn.Conv1d, x: Tensor, before: NDArray[np.int64], after: NDArray[np.int64], length: int
) -> Tensor:
    """Return a convolution, without padding of its own, at some tokens: `[B, C, before]` to `[B, D, after]`.

    Parameters
    ----------
    before, after
        The tokens that are given and wanted, sorted; zeros lie beyond the sequence.
    """
    weight, bias, reads = convolution.weight, convolution.bias, taps(convolution)
    if convolution.groups == 1 and not (_whole(before) and _whole(after)):
        wanted = after[:, None] + reads
        at = np.searchsorted(before, wanted)
        at[(wanted < 0) | (wanted >= length)] = len(before)  # a row of zeros
        rows = pad(x, (0, 1)).transpose(1, 2)[:, torch.from_numpy(at.reshape(-1)).to(x.device)]
        rows = rows.reshape(len(x), len(after), -1)
        found = rows @ weight.permute(2, 1, 0).reshape(rows.shape[-1], -1)
        return (found if bias is None else found + bias).transpose(1, 2)
    first, last = int(after[0] + reads[0]), int(after[-1] + reads[-1] + 1)
    begin, end = int(before[0]), int(before[-1]) + 1
    seen = x[..., max(first, begin) - begin : min(last, end) - begin]
    seen = pad(seen, (max(begin, first) - first, last - min(end, last)))
    found = conv1d(seen, weight, bias, dilation=convolution.dilation, groups=convolution.groups)
    return found if _whole(after) else found[..., torch.from_numpy(after - after[0]).to(x.device)]


def _whole(tokens: NDArray[np.int64]) -> bool:
    """Whether tokens are all of a stretch."""
    return len(tokens) == tokens[-1] - tokens[0] + 1

"""Convolutions against their sums written out."""

import pytest
import torch
from glmflow.models import convolution
from glmflow.models.convolution import long_convolution, short_convolution


def summed(x, filters):
    """y[t] = sum_s filters[s] x[t - s]."""
    filters = filters.repeat_interleave(x.shape[1] // filters.shape[0], 0)
    y = torch.zeros_like(x)
    for lag in range(min(filters.shape[1], x.shape[-1])):
        y[..., lag:] = y[..., lag:] + filters[:, lag, None] * x[..., : x.shape[-1] - lag]
    return y


def tensors(*shapes):
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("length", [1, 2, 41, 64])
@pytest.mark.parametrize("taps", [1, 16, 41, 100])
@pytest.mark.parametrize("groups", [6, 2, 1])
def test_long(length, taps, groups):
    x, filters = tensors((2, 6, length), (groups, taps))
    found, expected = long_convolution(x, filters), summed(x, filters)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-10)
    weights = torch.randn_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad(found, (x, filters), weights), torch.autograd.grad(expected, (x, filters), weights)
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize("groups", [6, 3])
def test_channels_in_groups_give_the_same(groups, monkeypatch):
    x, filters = tensors((2, 6, 50), (groups, 50))
    expected = long_convolution(x, filters)
    monkeypatch.setattr(convolution, "TRANSFORM", 800)
    torch.testing.assert_close(long_convolution(x, filters), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("length", [997, 1021, 32769])
def test_no_transform_has_a_length_with_a_large_prime(length, monkeypatch):
    sizes = []
    original = torch.fft.rfft
    monkeypatch.setattr(torch.fft, "rfft", lambda x, n: (sizes.append(n), original(x, n=n))[1])
    long_convolution(torch.randn(1, 1, length), torch.randn(1, length))
    for size in sizes:
        for prime in (2, 3, 5):
            while size % prime == 0:
                size //= prime
        assert size == 1


def test_half_precision_is_transformed_in_float32():
    x, filters = (t.detach().bfloat16() for t in tensors((1, 4, 300), (4, 300)))
    found = long_convolution(x, filters)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), summed(x.double(), filters.double()), atol=0.05, rtol=1e-2)


@pytest.mark.parametrize("length", [1, 3, 20])
def test_short_is_a_causal_correlation(length):
    x, taps, bias = tensors((2, 6, length), (6, 1, 4), (6,))
    expected = summed(x, taps[:, 0].flip(-1)) + bias[:, None]
    torch.testing.assert_close(short_convolution(x, taps, bias), expected)


def test_the_fused_kernel_is_given_its_own_layout(monkeypatch):
    """causal-conv1d takes [batch, D, L], taps [D, K] and a bias, for 2 to 4 taps."""

    def kernel(x, taps, bias):
        assert x.is_contiguous() and taps.shape == (6, 4)
        return summed(x, taps.flip(-1)) + bias[:, None]

    x, taps, bias = tensors((2, 20, 6), (6, 1, 4), (6,))
    x = x.transpose(1, 2)
    expected, seven = short_convolution(x, taps, bias), torch.randn(6, 1, 7, dtype=torch.float64)
    without = short_convolution(x, seven)
    monkeypatch.setattr(convolution, "_kernel", lambda device: kernel)
    torch.testing.assert_close(short_convolution(x, taps, bias), expected)
    torch.testing.assert_close(short_convolution(x, seven), without)

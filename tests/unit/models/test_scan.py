"""The selective scan against its definition, a loop over positions."""

import pytest
import torch
from family_checks import Largest
from glmflow.models import scan
from glmflow.models.scan import selective_scan


def loop(u, delta, A, B, C):
    """Mamba's recurrence as Gu & Dao (2023) state it, position by position."""
    state, outputs = 0, []
    for t in range(u.shape[1]):
        decay = torch.exp(delta[:, t, :, None] * A)
        state = decay * state + delta[:, t, :, None] * B[:, t, None, :] * u[:, t, :, None]
        outputs.append((state * C[:, t, None, :]).sum(-1))
    return torch.stack(outputs, 1)


def arguments(length, batch=2, channels=5, states=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(length)
    shapes = [(batch, length, channels)] * 2 + [(channels, states)] + [(batch, length, states)] * 2
    u, delta, A, B, C = (torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes)
    return [x.requires_grad_() for x in (u, delta.abs(), -A.abs(), B, C)]


# One segment; several, the last one shorter; stretches side by side that do not divide the segment; a row each.
SPLITS = [(2**20, 1), (500, 1), (1000, 120), (4000, 300), (30, 1)]


@pytest.fixture(params=SPLITS, ids=str)
def split(request, monkeypatch):
    segment, step = request.param
    monkeypatch.setitem(scan.SEGMENT, "cpu", segment)
    monkeypatch.setitem(scan.STEP, "cpu", step)


@pytest.mark.usefixtures("split")
@pytest.mark.parametrize("length", [1, 2, 7, 64, 101])
def test_values_and_gradients_are_those_of_the_loop(length):
    inputs = arguments(length)
    found, expected = selective_scan(*inputs), loop(*inputs)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-10)
    weights = torch.randn_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad(found, inputs, weights), torch.autograd.grad(expected, inputs, weights)
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-11, rtol=1e-9)


@pytest.mark.usefixtures("split")
def test_gradients_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(selective_scan, arguments(9, batch=1, channels=2, states=2))


def test_float32_is_as_good_as_float32_gets():
    inputs = arguments(3000, batch=1)
    expected = loop(*inputs)
    found = selective_scan(*(x.detach().float() for x in inputs))
    torch.testing.assert_close(found.double(), expected, atol=2e-5, rtol=1e-4)


def test_strong_decay_does_not_underflow_into_nan():
    u, delta, A, B, C = (x.detach().float() for x in arguments(2000, batch=1))
    found = selective_scan(u, delta * 100, A * 100, B, C)
    assert found.isfinite().all()


def test_bfloat16_is_computed_in_float32():
    inputs = [x.detach() for x in arguments(200)]
    rounded = [x.bfloat16() for x in inputs]
    found = selective_scan(*rounded)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), loop(*(x.double() for x in rounded)), atol=1e-2, rtol=1e-2)


def test_the_states_of_a_whole_sequence_are_never_held(monkeypatch):
    monkeypatch.setitem(scan.SEGMENT, "cpu", 2**16)
    length, channels, states = 2048, 64, 16
    inputs = arguments(length, batch=1, channels=channels, states=states, dtype=torch.float32)
    with Largest() as largest:
        selective_scan(*inputs).sum().backward()
    assert largest.elements < length * channels * states / 8


def test_the_fused_kernel_is_given_its_own_layout(monkeypatch):
    """mamba_ssm's selective_scan_fn takes channels before positions, all sequences in one dtype, A in float32."""

    def kernel(u, delta, A, B, C):
        assert all(x.is_contiguous() and x.dtype == u.dtype for x in (delta, B, C)) and A.dtype == torch.float32
        positions_first = (x.transpose(1, 2) for x in (u, delta))
        return loop(*positions_first, A, B.transpose(1, 2), C.transpose(1, 2)).transpose(1, 2)

    inputs = [x.detach().float() for x in arguments(30)]
    expected = selective_scan(*inputs)
    monkeypatch.setattr(scan, "_kernel", lambda device: kernel)
    torch.testing.assert_close(selective_scan(*inputs), expected, atol=1e-5, rtol=1e-4)

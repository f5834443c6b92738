"""The selective scan of Mamba (Gu & Dao 2023, arXiv:2312.00752, section 3.2) in plain torch, or by its CUDA
kernel.

Each channel d carries N states that decay at a rate the input chooses::

    h[t, n] = exp(delta[t] A[n]) h[t-1, n] + delta[t] B[t, n] u[t]
    y[t]    = sum_n C[t, n] h[t, n]

The states of a whole sequence, ``[L, N, D]``, are N times larger than its activations, so they are never held
at once. The sequence is cut into *segments* that fit a budget; only the states at the cuts are kept, and the
backward pass recomputes the rest. Within a segment the recurrence is run in ``sides`` stretches side by side,
because a step over a few hundred numbers costs as much as one over ten thousand: first every stretch from a
state of zero, which tells what each adds, then once more from the states so found.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Numbers in one [time, batch, N, D] tensor of a segment: what fits the cache on a CPU; on a GPU what fills
# the device.
SEGMENT = {"cpu": 2**20, "cuda": 2**26}
# Numbers updated in one step of the recurrence, enough to outweigh the cost of a call.
STEP = {"cpu": 2**14, "cuda": 2**20}

CARRIED = 256
"""Positions between two states that are handed on: what is left of a state is held at all of them."""


def selective_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Run the selective scan over a batch of sequences, in float32 at least.

    Parameters
    ----------
    u, delta
        Input and step size, ``[batch, L, D]``.
    A
        Decay rates, ``[D, N]``, negative.
    B, C
        How the input enters each state and how each state is read, ``[batch, L, N]``.

    Returns
    -------
    ``[batch, L, D]`` in the dtype of `u`.
    """
    kernel = _kernel(u.device.type)
    with torch.autocast(u.device.type, enabled=False):
        if kernel is not None:
            sequences = (x.to(u.dtype).transpose(1, 2).contiguous() for x in (u, delta, B, C))
            u, delta, B, C = sequences  # channels before positions, one dtype
            return kernel(u, delta, A.float(), B, C).transpose(1, 2)
        precision = torch.promote_types(u.dtype, torch.float32)
        delta, A, B, C = (x.to(precision) for x in (delta, A, B, C))
        return _SelectiveScan.apply(u, delta, A, B, C)


def carried_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Run the selective scan from a state on, in stretches of `CARRIED` positions.

    The recurrence is linear in the state: what a stretch gives is what it gives from a state of zeros and what is left of the
    state at each of its positions. No exponent is positive, so that nothing can grow without bound.

    Parameters
    ----------
    state
        ``[batch, N, D]``, before the first position; the others as of `selective_scan`.

    Returns
    -------
    ``[batch, L, D]`` in the dtype of `u`, and the state after the last position.
    """
    outputs, rates = [], A.to(state.dtype).t()
    for start in range(0, u.shape[1], CARRIED):
        here = slice(start, start + CARRIED)
        own = [part[:, here] for part in (u, delta, B, C)]
        alone = selective_scan(own[0], own[1], A, own[2], own[3])
        inputs, steps, enters, reads = (part.to(state.dtype) for part in own)
        passed = steps.cumsum(1)[:, :, None]
        left = (passed * rates).exp()  # of the state before the stretch, at each position
        outputs.append((alone + torch.einsum("btn,btnd,bnd->btd", reads, left, state)).to(u.dtype))
        kept = ((passed[:, -1:] - passed) * rates).exp()  # of what enters at each position, after the stretch
        state = left[:, -1] * state + torch.einsum("btnd,btd,btn->bnd", kept, steps * inputs, enters)
    return torch.cat(outputs, 1), state


@functools.cache
def _kernel(device: str) -> Callable[..., Tensor] | None:
    """Return the fused kernel of the mamba_ssm package: on a GPU, where it can be imported."""
    if device != "cuda":
        return None
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
    except ImportError:
        return None
    return selective_scan_fn


class _SelectiveScan(torch.autograd.Function):
    """The scan segment by segment, with the adjoint recurrence as its gradient.

    Time comes first inside a segment, ``[T, batch, N, D]``: a step of the recurrence is then one contiguous
    block.
    """

    @staticmethod
    def forward(ctx, u, delta, A, B, C):
        batch, length, channels = u.shape
        rows, sides = _segment_shape(length, batch * A.numel(), u.device.type)
        rates = A.t().contiguous()
        state = delta.new_zeros(batch, A.shape[1], channels)
        entries, y = [], torch.empty_like(u)
        for start in range(0, length, rows):
            segment = _Segment(u, delta, B, C, slice(start, start + rows), sides)
            entries.append(state)
            states = segment.drive()
            _recur(segment.decay(rates), states, state, segment.stretch_decay(rates), sides)
            state = states[-1].clone()
            y[:, start : start + rows] = segment.read(states)
        ctx.save_for_backward(u, delta, A, B, C, torch.stack(entries))
        ctx.rows, ctx.sides = rows, sides
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        """Adjoint of the recurrence: g[t] = C[t] dy[t] + decay[t+1] g[t+1], run from the end to the start.

        Then d(drive)[t] = g[t] and d(decay)[t] = g[t] h[t-1]; the rest is the product rule.
        """
        u, delta, A, B, C, entries = ctx.saved_tensors
        rows, sides = ctx.rows, ctx.sides
        rates = A.t().contiguous()
        du, ddelta, dB, dC = (torch.empty_like(x) for x in (u, delta, B, C))
        drates = torch.zeros_like(rates)
        later = torch.zeros_like(entries[0])  # g of the first position after the segment
        with torch.autocast(u.device.type, enabled=False):
            for index in reversed(range(len(entries))):
                where = slice(index * rows, (index + 1) * rows)
                segment = _Segment(u, delta, B, C, where, sides)
                grad_y = segment.take(dy)
                decay = segment.decay(rates, following=True)  # one row more: the decay into the next segment
                states = torch.cat([entries[index][None], segment.drive()])
                _recur(decay[:-1], states[1:], entries[index], segment.stretch_decay(rates), sides)
                dC[:, where] = segment.give(_over_channels(grad_y, states[1:]))

                adjoint = segment.C[..., None] * grad_y[:, :, None]
                _recur(decay[1:], adjoint, later, segment.stretch_decay(rates, shift=1), sides, backwards=True)
                later = adjoint[0].clone()
                dB[:, where] = segment.give(_over_channels(segment.inflow, adjoint))
                dinflow = _over_states(segment.B, adjoint)

                dexponent = adjoint.mul_(states[:-1]).mul_(decay[:-1])
                du[:, where] = segment.give(dinflow * segment.delta)
                ddelta[:, where] = segment.give(dinflow * segment.u + (dexponent * rates).sum(2))
                drates += dexponent.mul_(segment.delta[:, :, None]).sum((0, 1))
        return du, ddelta, drates.t(), dB, dC


class _Segment:
    """A stretch of the inputs with time first, lengthened with zero steps to a multiple of `sides`.

    A zero step size leaves the state as it is (decay 1, nothing added), so the lengthening changes nothing.
    """

    def __init__(self, u: Tensor, delta: Tensor, B: Tensor, C: Tensor, where: slice, sides: int):
        self.where, self.sides = where, sides
        self.length = len(range(*where.indices(u.shape[1])))
        self.rows = -(-self.length // sides) * sides
        self.dtype = delta.dtype
        self.u, self.delta, self.B, self.C = (self.take(x) for x in (u, delta, B, C))
        self.inflow = self.delta * self.u
        after = delta[:, where.stop : where.stop + 1].transpose(0, 1) if where.stop < delta.shape[1] else None
        self.delta_after = torch.zeros_like(self.delta[:1]) if after is None else after

    def take(self, x: Tensor) -> Tensor:
        """``[batch, L, ...]`` to this segment's ``[rows, batch, ...]``."""
        x = x[:, self.where].transpose(0, 1).to(self.dtype)
        return torch.nn.functional.pad(x, (0, 0, 0, 0, 0, self.rows - self.length)).contiguous()

    def give(self, x: Tensor) -> Tensor:
        """Undo `take`."""
        return x[: self.length].transpose(0, 1)

    def decay(self, rates: Tensor, following: bool = False) -> Tensor:
        """``exp(delta A)``, ``[rows, batch, N, D]``; with `following` a row more for the position after the
        segment.
        """
        delta = torch.cat([self.delta, self.delta_after]) if following else self.delta
        return (delta[:, :, None] * rates).exp_()

    def stretch_decay(self, rates: Tensor, shift: int = 0) -> Tensor:
        """How much of a state is left after each whole stretch, ``[sides, batch, N, D]``."""
        delta = torch.cat([self.delta, self.delta_after])[shift : shift + self.rows]
        return (delta.unflatten(0, (self.sides, -1)).sum(1)[:, :, None] * rates).exp_()

    def drive(self) -> Tensor:
        """Return what enters the states, ``[rows, batch, N, D]``."""
        return self.B[..., None] * self.inflow[:, :, None]

    def read(self, states: Tensor) -> Tensor:
        """``[batch, length, D]``: the states read through C."""
        return self.give(_over_states(self.C, states))


def _recur(
    decay: Tensor, drive: Tensor, entry: Tensor, stretch_decay: Tensor, sides: int, backwards: bool = False
) -> None:
    """Turn `drive` into the states ``h[t] = decay[t] h[t-1] + drive[t]`` in place, from ``h[-1] = entry``.

    `backwards` runs time from the last row to the first. `stretch_decay` is the product of `decay` over each
    stretch.
    """
    decays = decay.unflatten(0, (sides, -1)).unbind(1)
    drives = drive.unflatten(0, (sides, -1)).unbind(1)
    steps, stretches = range(len(drives)), range(sides)
    if backwards:
        steps, stretches = steps[::-1], stretches[::-1]
    starts = entry[None]
    if sides > 1:
        starts = torch.zeros_like(stretch_decay)
        for t in steps:
            torch.addcmul(drives[t], decays[t], starts, out=starts)
        carried = entry
        for k in stretches:
            end = torch.addcmul(starts[k], stretch_decay[k], carried)
            starts[k] = carried
            carried = end
    state = starts
    for t in steps:
        state = torch.addcmul(drives[t], decays[t], state, out=drives[t])


def _over_states(weights: Tensor, states: Tensor) -> Tensor:
    """``sum_n weights[t, b, n] states[t, b, n, d]``."""
    return torch.matmul(weights[:, :, None], states)[:, :, 0]


def _over_channels(values: Tensor, states: Tensor) -> Tensor:
    """``sum_d values[t, b, d] states[t, b, n, d]``."""
    return torch.matmul(states, values[..., None])[..., 0]


def _segment_shape(length: int, numbers_a_position: int, device: str) -> tuple[int, int]:
    """Rows of a segment and the stretches run side by side in it."""
    rows = min(length, max(1, SEGMENT.get(device, SEGMENT["cuda"]) // numbers_a_position))
    segments = -(-length // rows)
    rows = -(-length // segments)
    sides = min(STEP.get(device, STEP["cuda"]) // numbers_a_position, int(rows**0.5))
    sides = max(1, sides)
    return -(-rows // sides) * sides, sides

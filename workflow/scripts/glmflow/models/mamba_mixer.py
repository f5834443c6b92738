"""The layer of Mamba (Gu & Dao 2023, arXiv:2312.00752): a short convolution, then a selective scan, behind a gate.

Parameters have the published names, so that checkpoints of several layouts hold them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmflow.models.convolution import short_convolution
from glmflow.models.packed_rows import apart, here
from glmflow.models.scan import carried_scan, selective_scan

SSM_DEFAULTS: dict[str, Any] = {
    "d_state": 16,
    "d_conv": 4,
    "expand": 2,
    "dt_rank": "auto",
    "dt_min": 0.001,
    "dt_max": 0.1,
    "dt_init_floor": 1e-4,
    "dt_scale": 1.0,
    "conv_bias": True,
    "bias": False,
}


class MixerState(NamedTuple):
    """What a layer hands on: the last inputs of its convolution ``[B, K - 1, E]``, and the states of the scan ``[B, N, E]``."""

    signal: Tensor
    memory: Tensor


class Mamba(nn.Module):
    """A selective state space along the sequence, ``[B, L, D]`` to ``[B, L, D]``; position t sees positions up to t.

    `in_proj` widens each position to a signal and a gate. The signal is smoothed by a short convolution;
    from it, `x_proj` makes the step size (in a bottleneck of `dt_rank` numbers, widened by `dt_proj`), and
    what enters the states (B) and is read from them (C).
    """

    def __init__(self, width: int, ssm: dict[str, Any]):
        super().__init__()
        inner, self.states = ssm["expand"] * width, ssm["d_state"]
        self.rank = math.ceil(width / 16) if ssm["dt_rank"] == "auto" else ssm["dt_rank"]
        self.in_proj = nn.Linear(width, 2 * inner, bias=ssm["bias"])
        self.conv1d = nn.Conv1d(inner, inner, ssm["d_conv"], groups=inner, bias=ssm["conv_bias"])
        self.x_proj = nn.Linear(inner, self.rank + 2 * self.states, bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        # Rates -1 ... -N in every channel, a range of memories; their logarithm is what is learned (Gu & Dao, 3.6).
        self.A_log = nn.Parameter(torch.arange(1.0, self.states + 1).log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, width, bias=ssm["bias"])
        self._initialise_steps(ssm)

    def _initialise_steps(self, ssm: dict[str, Any]) -> None:
        """Draw step sizes log-uniformly from `dt_min` to `dt_max`: the bias is their inverse softplus."""
        spread = ssm["dt_scale"] * self.rank**-0.5
        nn.init.uniform_(self.dt_proj.weight, -spread, spread)
        low, high = math.log(ssm["dt_min"]), math.log(ssm["dt_max"])
        step = torch.empty_like(self.dt_proj.bias).uniform_(low, high).exp().clamp(min=ssm["dt_init_floor"])
        self.dt_proj.bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, D]`` to ``[B, L, D]``; of packed rows each record as if it stood alone."""
        records = here()
        if records is None:
            return self._mix(x, None)[0]
        row, place, laid = apart(x, records)
        return self._mix(laid, None)[0][row, place]

    def start(self, rows: int) -> MixerState:
        """Return the state before the first position of `rows` sequences; the scan computes in float32 at least."""
        taps, inner = self.conv1d.weight, len(self.conv1d.weight)
        dtype = torch.promote_types(taps.dtype, torch.float32)
        memory = taps.new_zeros(rows, self.states, inner, dtype=dtype)
        return MixerState(taps.new_zeros(rows, taps.shape[-1] - 1, inner), memory)

    def carry(self, x: Tensor, state: MixerState) -> tuple[Tensor, MixerState]:
        """Go on from a state: ``[B, L, D]`` to ``[B, L, D]``, and the state after the last position."""
        mixed, after = self._mix(x, state)
        assert after is not None
        return mixed, after

    def _mix(self, x: Tensor, state: MixerState | None) -> tuple[Tensor, MixerState | None]:
        signal, gate = self.in_proj(x).chunk(2, dim=-1)
        read = signal if state is None else torch.cat([state.signal.to(signal.dtype), signal], 1)
        smooth = short_convolution(read.transpose(1, 2), self.conv1d.weight, self.conv1d.bias)
        signal = functional.silu(smooth[..., -x.shape[1] :]).transpose(1, 2)
        step, B, C = self.x_proj(signal).split((self.rank, self.states, self.states), dim=-1)
        after = None
        with torch.autocast(x.device.type, enabled=False):
            # In float32: a step of 0.001 is the softplus of -6.9, which bf16 knows to 0.03.
            step = functional.softplus(self.dt_proj(step.to(self.dt_proj.weight.dtype)))
            rates = -self.A_log.exp()
            if state is None:
                scanned = selective_scan(signal, step, rates, B, C)
            else:
                scanned, memory = carried_scan(signal, step, rates, B, C, state.memory)
                after = MixerState(read[:, read.shape[1] - state.signal.shape[1] :], memory)
            scanned = (scanned + signal * self.D).to(gate.dtype)
        return self.out_proj(scanned * functional.silu(gate)), after

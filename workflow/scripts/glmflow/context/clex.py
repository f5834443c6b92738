"""CLEX: rotary frequencies that solve a learned differential equation in the stretch of the context."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError
from .frequencies import Rotary

ACTIVATIONS = {"silu": functional.silu, "tanh": torch.tanh}


class FrequencyField(nn.Module):
    """Log-frequencies ``z`` that drift with the stretch ``t`` of the context (CLEX, arXiv 2310.16450).

    ``dz/dt = d log ntk(t) / dt + gain down(act(up(z + log ntk(t))))`` with ``z(1) = log theta`` and
    ``ntk(t)`` the NTK-aware frequencies at factor ``2 t - 1``. The first term integrates to ``log
    ntk(t)``, so only what is learned on top of it, ``u = z - log ntk``, is integrated numerically
    (Runge-Kutta of order 4). `down` begins at zero: before tuning the field is NTK-aware exactly.

    Parameters
    ----------
    rotary
        The trained embedding.
    param_factor
        Width of the hidden layer over ``head_dim``.
    activation
        ``silu`` or ``tanh``.
    step
        Largest step of the integration, in units of `t`.
    gain
        Factor on what is learned, 1 as published. Adam moves every weight by about the learning rate, whatever its
        gradient, and the field adds that up over its width and over the whole stretch: at 1e-3 (published: 2e-5) one
        update can multiply slow frequencies several times at a stretch of 16, and many updates drive them away.
    """

    def __init__(
        self,
        rotary: Rotary,
        param_factor: int = 1,
        activation: str = "silu",
        step: float = 0.25,
        gain: float = 1.0,
    ):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise InputError(f"CLEX has no activation '{activation}'", fix=f"Take {' or '.join(ACTIVATIONS)}.")
        pairs = rotary.head_dim // 2
        self.up = nn.Linear(pairs, param_factor * rotary.head_dim, bias=False)
        self.down = nn.Linear(param_factor * rotary.head_dim, pairs, bias=False)
        nn.init.zeros_(self.down.weight)
        self.activation, self.step, self.gain = activation, step, gain
        self.log_theta = torch.log(torch.from_numpy(rotary.theta)).float()
        self.exponent = torch.from_numpy(2 * rotary.pair / (rotary.head_dim - 2)).float()

    def forward(self, stretch: float) -> Tensor:
        """Return the frequencies ``[head_dim / 2]`` at a stretch from 1 on, differentiable in the weights."""
        u = torch.zeros_like(self.up.weight[0])
        steps = math.ceil((stretch - 1) / self.step)
        for index in range(steps):
            u = self._advance(u, 1 + index * (stretch - 1) / steps, (stretch - 1) / steps)
        return torch.exp(self._log_ntk(stretch).to(u) + u)

    def _log_ntk(self, stretch: float) -> Tensor:
        return self.log_theta - self.exponent * math.log(2 * stretch - 1)

    def _slope(self, u: Tensor, stretch: float) -> Tensor:
        state = u + 2 * self._log_ntk(stretch).to(u)
        return self.gain * self.down(ACTIVATIONS[self.activation](self.up(state)))

    def _advance(self, u: Tensor, stretch: float, step: float) -> Tensor:
        """Take one Runge-Kutta step of order 4."""
        first = self._slope(u, stretch)
        second = self._slope(u + step / 2 * first, stretch + step / 2)
        third = self._slope(u + step / 2 * second, stretch + step / 2)
        fourth = self._slope(u + step * third, stretch + step)
        return u + step / 6 * (first + 2 * second + 2 * third + fourth)

"""Rotary positions (Su et al. 2021) for the families whose attention is written here."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glmflow.models.continuation import offset
from glmflow.models.packed_rows import here


class Rotary(nn.Module):
    """Cosines and sines of the angles ``position * base ** (-2 d / head_dim)``, computed in float32.

    Attributes
    ----------
    inv_freq
        ``float32[head_dim / 2]``, radians a position. Context extension writes over it.
    attention_scaling
        Factor on cosines and sines (YaRN's temperature; Peng et al. 2023).
    """

    def __init__(self, head_dim: int, base: float = 10000.0):
        super().__init__()
        self.head_dim, self.base = head_dim, base
        self.attention_scaling = 1.0
        self.reset_buffers()

    def reset_buffers(self) -> None:
        """Compute the frequencies, which no checkpoint of ours holds."""
        exponents = torch.arange(0, self.head_dim, 2, dtype=torch.float32, device="cpu") / self.head_dim
        self.register_buffer("inv_freq", self.base**-exponents, persistent=False)

    def forward(self, x: Tensor, positions: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute cosines and sines in float32, whatever the type of `x`: bf16 holds an angle's cosine to 0.4 % only.

        Parameters
        ----------
        x
            States ``[B, L, D]``.
        positions
            ``[L]``, or ``[B, L]`` where sequences of a batch differ; 0, 1, 2 ... of each record by default.

        Returns
        -------
        Two tensors ``[L, head_dim]`` or ``[B, 1, L, head_dim]``, which `rotate` takes.
        """
        if positions is None and (records := here()) is not None:
            positions = records.places
        if positions is None:
            positions = torch.arange(x.shape[1], device=x.device) + offset()
        angles = positions.float()[..., None] * self.inv_freq.float()
        angles = torch.cat([angles, angles], -1)
        if positions.dim() == 2:
            angles = angles[:, None]
        return angles.cos() * self.attention_scaling, angles.sin() * self.attention_scaling

    @staticmethod
    def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        """Turn each pair (d, d + head_dim / 2) of ``[B, heads, L, head_dim]`` by its position's angle; rounded once."""
        first, second = x.chunk(2, -1)
        return (x * cosines + torch.cat([-second, first], -1) * sines).to(x.dtype)

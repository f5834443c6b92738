"""Rotary positions (Su et al. 2021) for the families whose attention is written here."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines ``[L, head_dim]`` for states ``[B, L, D]``, in their type."""
        positions = torch.arange(x.shape[1], dtype=torch.float32, device=x.device)
        angles = positions[:, None] * self.inv_freq.float()[None]
        angles = torch.cat([angles, angles], -1)
        cosines, sines = angles.cos() * self.attention_scaling, angles.sin() * self.attention_scaling
        return cosines.to(x.dtype), sines.to(x.dtype)

    @staticmethod
    def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        """Turn each pair (d, d + head_dim / 2) of ``[B, heads, L, head_dim]`` by its position's angle."""
        first, second = x.chunk(2, -1)
        return x * cosines + torch.cat([-second, first], -1) * sines

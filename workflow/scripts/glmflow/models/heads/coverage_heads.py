"""Heads that turn the states of single bases into tracks: `[B, L, D]` to `[B, n_tracks, L]`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus


class TrackHead(nn.Module):
    """The convolutional head of the Genos RNA-seq track models: a non-negative signal at every base.

    `D -> D/4 -> D/16 -> n_tracks` by convolutions of width 3, 3 (dilated by 2) and 1, so that a base sees
    three neighbours on each side; then `softplus(x) * softplus(scale)`, with one learned `scale` a track.
    Both factors are positive, hence so is the signal, and the scale lets a track's magnitude be learned apart
    from its shape.

    All biases start at zero: states of zero give `softplus(0) ** 2 = 0.480453` at the first step.

    Parameters
    ----------
    dim
        Width `D` of the states.
    n_tracks
        Number of tracks predicted together.
    dropout
        Probability of dropping a channel value after each of the two hidden layers.

    References
    ----------
    Genos: a human-centric genomic foundation model (GigaScience, 2025).
    """

    def __init__(self, dim: int, n_tracks: int = 1, dropout: float = 0.1):
        super().__init__()
        wide, narrow = max(1, dim // 4), max(1, dim // 16)
        self.layers = nn.Sequential(
            nn.Conv1d(dim, wide, kernel_size=3, padding=1),
            nn.BatchNorm1d(wide),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Conv1d(wide, narrow, kernel_size=3, padding=2, dilation=2),
            nn.BatchNorm1d(narrow),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Conv1d(narrow, n_tracks, kernel_size=1),
        )
        self.scale = nn.Parameter(torch.zeros(n_tracks))
        _zero_biases(self)

    def forward(self, states: Tensor) -> Tensor:
        """Return the tracks, `[B, n_tracks, L]`, from states `[B, L, D]`."""
        return _positive(self.layers(states.transpose(1, 2)), self.scale)


class LinearTrackHead(nn.Module):
    """The smallest track head: one linear read-out of each base's state, made positive as in `TrackHead`.

    What it reaches is what the states themselves hold, since it cannot combine neighbouring bases.

    Parameters
    ----------
    dim
        Width `D` of the states.
    n_tracks
        Number of tracks predicted together.
    """

    def __init__(self, dim: int, n_tracks: int = 1):
        super().__init__()
        self.read_out = nn.Conv1d(dim, n_tracks, kernel_size=1)
        self.scale = nn.Parameter(torch.zeros(n_tracks))
        _zero_biases(self)

    def forward(self, states: Tensor) -> Tensor:
        """Return the tracks, `[B, n_tracks, L]`, from states `[B, L, D]`."""
        return _positive(self.read_out(states.transpose(1, 2)), self.scale)


def _positive(signal: Tensor, scale: Tensor) -> Tensor:
    """Return `softplus(signal) * softplus(scale)`, `[B, T, L]`; in float32: bfloat16 keeps 3 digits."""
    return softplus(signal.float()) * softplus(scale.float())[:, None]


def _zero_biases(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv1d):
            nn.init.zeros_(layer.bias)


HEADS = {"track": TrackHead, "linear": LinearTrackHead}

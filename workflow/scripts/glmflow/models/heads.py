"""Heads: what turns the hidden states of a backbone into tracks or numbers.

Every head takes `states`, `[B, L, D]`, one state per base (or per token, where the target is one number a
sequence), and knows nothing of the backbone they come from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool1d, softplus


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


class ExpressionHead(nn.Module):
    """One number a sequence, from states pooled with weights that depend on the place alone.

    The window is cut into `bins` of equal length, each with its mean state; a positive weight a bin, learned, says how
    much the place counts (a promoter acts near the TSS, wherever its motifs lie). A linear read-out and a small
    perceptron are added. With one bin it is the plain mean.

    Parameters
    ----------
    dim
        Width `D` of the states.
    bins
        Number of places that are told apart.
    hidden
        Width of the perceptron's hidden layer.
    """

    def __init__(self, dim: int, bins: int = 1, hidden: int = 64):
        super().__init__()
        self.place = nn.Parameter(torch.full((bins,), 0.5413))  # softplus of it is 1
        self.linear = nn.Linear(dim, 1)
        self.perceptron = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, 1))

    def bin(self, states: Tensor) -> Tensor:
        """Return mean states of the bins, `[S, bins, D]`, of states `[S, L, D]`; this part has no weights."""
        return adaptive_avg_pool1d(states.transpose(1, 2), len(self.place)).transpose(1, 2)

    def pool(self, binned: Tensor) -> Tensor:
        """Return the pooled state of each sequence, `[S, D]`, of binned ones `[S, bins, D]`."""
        return torch.einsum("sbd,b->sd", binned, softplus(self.place).to(binned.dtype)) / len(self.place)

    def read(self, pooled: Tensor) -> Tensor:
        """Return the value of each pooled state: `[..., D]` to `[...]`."""
        return (self.linear(pooled) + self.perceptron(pooled)).squeeze(-1).float()

    def forward(self, states: Tensor) -> Tensor:
        """Return the value of each sequence, `[S]`, from states `[S, L, D]`."""
        return self.read(self.pool(self.bin(states)))


def _positive(signal: Tensor, scale: Tensor) -> Tensor:
    """Return `softplus(signal) * softplus(scale)`, `[B, T, L]`; in float32: bfloat16 keeps 3 digits."""
    return softplus(signal.float()) * softplus(scale.float())[:, None]


def _zero_biases(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv1d):
            nn.init.zeros_(layer.bias)

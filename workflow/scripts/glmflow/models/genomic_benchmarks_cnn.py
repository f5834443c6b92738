"""The convolutional network that Genomic Benchmarks publishes as its baseline."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

LETTERS = "ACGTN"
PADDING = len(LETTERS)
SHORTEST = 64
"""Bases that its three convolutions and poolings need."""


class GenomicBenchmarksCNN(nn.Module):
    """Three convolutions of 16, 8 and 4 channels and width 8, each halved, then two linear layers on all positions.

    As published (Gresova et al. 2023, BMC Genomic Data 24:25): no activation after the second and third convolution nor
    between the linear layers. Its output there passes a sigmoid before a loss that applies another one; here it is the
    logits, so that probabilities are right.

    Parameters
    ----------
    length
        Bases of the longest sequence; shorter ones are padded on the right.
    outputs
        Classes, or 1 for a number.
    dim
        Width of the embedding of a letter.
    """

    def __init__(self, length: int, outputs: int, dim: int = 100):
        super().__init__()
        self.length = max(length, SHORTEST)
        self.embedding = nn.Embedding(PADDING + 1, dim, padding_idx=PADDING)
        self.convolutions = nn.Sequential(
            *(nn.Conv1d(dim, 16, 8), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2)),
            *(nn.Conv1d(16, 8, 8), nn.BatchNorm1d(8), nn.MaxPool1d(2)),
            *(nn.Conv1d(8, 4, 8), nn.BatchNorm1d(4), nn.MaxPool1d(2)),
        )
        positions = self.length
        for _ in range(3):
            positions = (positions - 7) // 2
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(4 * positions, 512), nn.Linear(512, outputs))

    def forward(self, letters: Tensor) -> Tensor:
        """Return logits `[B, outputs]` of letters `[B, length]` (see `encode`)."""
        return self.dense(self.convolutions(self.embedding(letters).transpose(1, 2)))


def encode(sequences: list[np.ndarray], length: int) -> Tensor:
    """Return sequences (uint8 codes) as numbers of letters, `[n, length]`, uint8, padded on the right."""
    table = np.full(256, LETTERS.index("N"), np.uint8)
    table[list(LETTERS.encode())] = range(len(LETTERS))
    found = np.full((len(sequences), max(length, SHORTEST)), PADDING, np.uint8)
    for row, sequence in enumerate(sequences):
        found[row, : len(sequence)] = table[sequence]
    return torch.from_numpy(found)

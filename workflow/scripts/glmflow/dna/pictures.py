"""Sequences as pictures: the chaos game of k-mers, and the walk of bases in a plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.canonical import Sequence

from .kmer_tables import coded

STEPS = np.array([[0.5, -np.sqrt(3) / 2], [np.sqrt(3) / 2, 0.5], [np.sqrt(3) / 2, -0.5], [0.5, np.sqrt(3) / 2]])
"""The step of A, C, G and T in `walk` (Yau et al. 2003): purines go down, pyrimidines up."""
RIGHT, UP = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
"""Corners of A (0, 0), C (0, 1), G (1, 1), T (1, 0) as x and y (Jeffrey 1990)."""


def chaos_game(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Arrange counts of k-mers as in the chaos game representation (Jeffrey 1990; Deschavanne et al. 1999).

    Parameters
    ----------
    table
        Counts `[4**k]` (see `kmer_tables.counts`).

    Returns
    -------
    int64[2**k, 2**k]
        Row y from the side of A and T to that of C and G, column x from A and C to G and T. The last base of a k-mer
        chooses the quadrant, the first one the last cell. Its sum is the number of k-mers.
    """
    k = (table.size.bit_length() - 1) // 2
    numbers = np.arange(table.size)
    x = y = np.zeros(table.size, np.int64)
    for place in range(k):  # the first base of a k-mer is the most significant digit of its number
        base = (numbers >> (2 * (k - 1 - place))) & 3
        x, y = x | (RIGHT[base] << place), y | (UP[base] << place)
    picture = np.zeros((2**k, 2**k), np.int64)
    picture[y, x] = table
    return picture


def walk(sequence: Sequence) -> NDArray[np.float64]:
    """Return the positions of a walk with a step a base, `[L, 2]`; letters other than A, C, G and T stand still."""
    codes = coded(sequence)
    steps = np.where(codes[:, None] >= 0, STEPS[codes], 0.0)
    return np.cumsum(steps, axis=0)


def walk_distance(one: Sequence, other: Sequence) -> float:
    """Return the root mean square distance of two walks, divided by the root of their length.

    Raises
    ------
    ValueError
        They are of different lengths: what remains of two walks grows with the length.
    """
    first, second = walk(one), walk(other)
    if first.shape != second.shape:
        raise ValueError(f"walks of {len(first)} and {len(second)} bases: cut them to one length")
    return float(np.sqrt(((first - second) ** 2).sum(1).mean() / len(first)))

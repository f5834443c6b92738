"""Bases of many intervals of a genome, each stretch fetched once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NEAR = 1024
"""Intervals that lie this near each other are fetched as one."""


class Genome(Protocol):
    """What is read of a genome: `glmflow.genome.reference.Reference`, or sequences of a table."""

    contigs: Mapping[str, int]

    def fetch(self, chrom: str, start: int, end: int) -> NDArray[np.uint8]:
        """Return ASCII codes of upper case A, C, G, T and N; N past the ends."""
        ...


class Stretches:
    """The bases under some intervals.

    Parameters
    ----------
    genome
        Where they are fetched.
    names
        Contig names by number.
    contig, start, end
        `int64[n]`: the intervals, 0-based half-open; they may reach past the ends of a contig (N there).

    Attributes
    ----------
    codes
        `uint8[bases]`: all stretches, one behind another.
    zero
        `int64[n]`: where in `codes` position 0 of an interval's contig would lie: base p of it is `codes[zero + p]`.
    """

    def __init__(self, genome: Genome, names: Sequence[str], contig: NDArray, start: NDArray, end: NDArray):
        self.zero = np.zeros(len(contig), np.int64)
        order = np.lexsort((start, contig))
        if not len(order):
            self.codes = np.zeros(0, np.uint8)
            return
        contigs, starts = contig[order], start[order]
        reached = _running_maximum(contigs, end[order])
        fresh = np.ones(len(order), bool)
        fresh[1:] = (contigs[1:] != contigs[:-1]) | (starts[1:] > reached[:-1] + NEAR)
        first = np.flatnonzero(fresh)
        last = np.append(first[1:], len(order)) - 1
        pieces = [genome.fetch(names[contigs[i]], int(starts[i]), int(reached[j])) for i, j in zip(first, last)]
        self.codes = np.concatenate(pieces)
        begin = np.cumsum([0, *map(len, pieces[:-1])])
        self.zero[order] = (begin - starts[first])[np.cumsum(fresh) - 1]


def _running_maximum(contigs: NDArray, ends: NDArray) -> NDArray:
    """Return how far the intervals up to each one reach, on its contig; sorted by contig."""
    lowest = ends.min()
    span = ends.max() - lowest + 1
    number = np.cumsum(np.append(0, contigs[1:] != contigs[:-1]))
    return np.maximum.accumulate(ends - lowest + number * span) - number * span + lowest

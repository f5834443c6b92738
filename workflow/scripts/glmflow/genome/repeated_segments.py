"""DNA in which far context helps: a Markov background with copies of earlier segments, and where real DNA repeats.

Most bases of a genome can be guessed from a few neighbours or not at all; what a long context adds is
mostly repeats. Sequences are ``uint8`` ASCII codes as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from glmflow.bases import reverse_complement

BASES = np.frombuffer(b"ACGT", np.uint8)
RECOGNISED = 8
"""Bases of a copy after which it can be distinguished from background: the copy counts as a repeat from the next one on."""


class Windows(NamedTuple):
    """Sequences, and which of their bases continue a copy of something earlier in the window."""

    sequence: NDArray[np.uint8]
    repeat: NDArray[np.bool_]


def markov_chain(rng: Generator, order: int = 3, concentration: float = 2.0) -> NDArray[np.float64]:
    """Draw transition probabilities ``[4 ** order, 4]``; the default has an entropy of about 1.25 nats per base."""
    return rng.dirichlet(np.full(4, concentration), 4**order)


def markov_sequences(chain: NDArray[np.float64], windows: int, length: int, rng: Generator) -> NDArray[np.uint8]:
    """Draw ``[windows, length]`` bases of a Markov chain from a random start."""
    states = len(chain)
    thresholds = chain.cumsum(axis=1)[:, :3]
    state = rng.integers(0, states, windows)
    base = np.empty((windows, length), np.uint8)
    for position, uniform in enumerate(rng.random((length, windows))):
        base[:, position] = (uniform[:, None] > thresholds[state]).sum(axis=1)
        state = (4 * state + base[:, position]) % states
    return BASES[base]


def plant_copies(
    background: NDArray[np.uint8],
    rng: Generator,
    gap: float = 18,
    length: tuple[int, int] = (16, 32),
    substitutions: float = 0.01,
) -> Windows:
    """Overwrite stretches of each window by copies of segments drawn uniformly from all that lies before them.

    Parameters
    ----------
    background
        Sequences ``[windows, T]``.
    gap
        Mean number of bases between two copies (geometric).
    length
        Shortest and longest copy.
    substitutions
        Chance of a base to be copied wrongly.

    Returns
    -------
    Windows
        With `repeat` from the ninth base of each copy on.
    """
    sequence = background.copy()
    repeat = np.zeros(sequence.shape, bool)
    for row, marks in zip(sequence, repeat):
        start = length[0] + rng.geometric(1 / gap)
        while (size := min(rng.integers(length[0], length[1] + 1), start)) <= len(row) - start:
            source = rng.integers(0, start - size + 1)
            row[start : start + size] = substitute(row[source : source + size], substitutions, rng)
            marks[start + RECOGNISED : start + size] = True
            start += size + rng.geometric(1 / gap)
    return Windows(sequence, repeat)


def substitute(sequence: NDArray[np.uint8], rate: float, rng: Generator) -> NDArray[np.uint8]:
    """Replace each base by one of the three others with probability `rate`."""
    code = np.searchsorted(BASES, sequence)
    hit = rng.random(sequence.shape) < rate
    return np.where(hit, BASES[(code + rng.integers(1, 4, sequence.shape)) % 4], sequence)


def find_repeats(sequence: NDArray[np.uint8], k: int = 16) -> NDArray[np.int64]:
    """Say for each base how far back the `k` bases before it last occurred.

    Whether the base itself continues that earlier copy plays no part, so that the bases marked are
    those that copying would predict, rightly or wrongly.

    Parameters
    ----------
    sequence
        One sequence; k-mers with other letters than A, C, G, T never match.
    k
        At most 31.

    Returns
    -------
    ndarray
        int64 ``[T]``, 0 where they did not occur before.
    """
    distance = np.zeros(len(sequence), np.int64)
    if len(sequence) <= k:
        return distance
    code = np.searchsorted(BASES, sequence).clip(max=3)
    known = np.lib.stride_tricks.sliding_window_view(np.isin(sequence, BASES), k).all(axis=1)
    kmer = np.lib.stride_tricks.sliding_window_view(code, k) @ (4 ** np.arange(k, dtype=np.int64))
    start = np.flatnonzero(known)
    order = start[np.argsort(kmer[start], kind="stable")]
    same = kmer[order[1:]] == kmer[order[:-1]]
    later, earlier = order[1:][same], order[:-1][same]
    inside = later + k < len(sequence)
    distance[later[inside] + k] = (later - earlier)[inside]
    return distance


class Needle(NamedTuple):
    """Two windows that end with the same segment: one holds a copy of it before, the control does not."""

    repeat: NDArray[np.uint8]
    control: NDArray[np.uint8]
    distance: int
    variant: str


VARIANTS = ("exact", "mutated", "reverse_complement")


def needles(
    background: NDArray[np.uint8],
    rng: Generator,
    distances: Sequence[int],
    segment: int = 64,
    variants: Sequence[str] = VARIANTS,
    substitutions: float = 0.05,
) -> list[Needle]:
    """Hide a copy of each window's last bases at growing distances before them.

    Parameters
    ----------
    background
        Sequences ``[trials, T]``; every one is used at every distance and in every variant, so that
        they are paired.
    distances
        Bases from the start of the hidden copy to the start of the last segment: at least `segment`, at most
        ``T - segment``.
    segment
        Bases of the segment.
    variants
        Of `VARIANTS`: the copy as it is, with substitutions, or of the other strand.
    substitutions
        Chance of a base of a ``mutated`` copy to differ.
    """
    found = []
    last = background.shape[1] - segment
    for window in background:
        query = window[last:]
        copies = {
            "exact": query,
            "mutated": substitute(query, substitutions, rng),
            "reverse_complement": reverse_complement(query),
        }
        for variant in variants:
            for distance in distances:
                planted = window.copy()
                planted[last - distance : last - distance + segment] = copies[variant]
                found.append(Needle(planted, window, distance, variant))
    return found

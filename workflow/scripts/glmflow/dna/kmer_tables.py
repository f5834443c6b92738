"""Counts of k-mers, and how far two of them are apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.canonical import Sequence, as_bases

CODE = np.full(256, -1, dtype=np.int64)
"""0 to 3 for the ASCII codes of A, C, G and T; -1 for all others."""
CODE[np.frombuffer(b"ACGT", dtype=np.uint8)] = range(4)


def coded(sequence: Sequence) -> NDArray[np.int64]:
    """Return 0 to 3 for A, C, G and T of either case (U is T), and -1 for every other letter, `[L]`."""
    return CODE[as_bases(sequence)]


def kmer_index(sequence: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
    """Return the index of the k-mer that starts at each base, `[L]`; -1 where it holds an N or passes the end.

    k-mers are numbered in the order of A, C, G, T, the first base being the most significant digit. `sequence`: ASCII
    codes in upper case.
    """
    return index_of_codes(CODE[sequence], k)


def index_of_codes(codes: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the same of `coded` bases `[L]`."""
    index = np.full(len(codes), -1, dtype=np.int64)
    length = len(codes) - k + 1
    if length < 1:
        return index
    value = np.zeros(length, np.int64)
    bad = np.zeros(length, bool)
    for place in range(k):
        own = codes[place : place + length]
        value = 4 * value + own
        bad |= own < 0
    index[:length] = np.where(bad, -1, value)
    return index


def counts(sequences: Iterable[Sequence], k: int, both_strands: bool = False) -> NDArray[np.int64]:
    """Return how often each k-mer occurs in sequences, overlapping ones included, `[4**k]`.

    Parameters
    ----------
    both_strands
        Add the counts of the reverse complements; no k-mer lies across the join.
    """
    total = np.zeros(4**k, np.int64)
    for sequence in sequences:
        index = index_of_codes(coded(sequence), k)
        total += np.bincount(index[index >= 0], minlength=4**k)
    return total + total[opposite(k)] if both_strands else total


def opposite(k: int) -> NDArray[np.int64]:
    """Return the index of the reverse complement of each k-mer, `[4**k]`."""
    left, turned = np.arange(4**k), np.zeros(4**k, np.int64)
    for _ in range(k):
        turned = 4 * turned + 3 - left % 4
        left = left // 4
    return turned


def names(k: int) -> list[str]:
    """Return all k-mers in the order of their indices."""
    return ["".join("ACGT"[(number >> (2 * place)) & 3] for place in range(k - 1, -1, -1)) for number in range(4**k)]


def divergence(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return the Jensen-Shannon divergence of two tables of counts in bits (Lin 1991), half a count added to every cell.

    0 for equal shares, 1 at most. Two samples of one source are apart by about `cells / counts`: compare with what real
    sequences of the same length have.
    """
    return shares_divergence(smoothed(one), smoothed(other))


def smoothed(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each cell, `(c + 1/2) / (N + cells / 2)`."""
    return (table + 0.5) / (table.sum() + 0.5 * table.size)


def shares_divergence(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the Jensen-Shannon divergence of two tables of positive shares in bits."""
    middle = (one + other) / 2
    return float((one * np.log2(one / middle)).sum() / 2 + (other * np.log2(other / middle)).sum() / 2)


def entropy(table: NDArray[np.int64]) -> float:
    """Return the Shannon entropy of counts in bits: of k-mers 2 k at most; NaN of no counts."""
    if not table.sum():
        return float("nan")
    shares = table[table > 0] / table.sum()
    return float(-(shares * np.log2(shares)).sum())


def gc_share(sequence: Sequence) -> float:
    """Return the share of G and C among A, C, G and T; NaN where there is none."""
    found = np.bincount(coded(sequence) + 1, minlength=5)[1:]
    return float(found[1:3].sum() / found.sum()) if found.sum() else float("nan")

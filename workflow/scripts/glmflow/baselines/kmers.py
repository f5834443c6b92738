"""Counts of k-mers along a sequence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CODE = np.full(256, -1, dtype=np.int64)
_CODE[np.frombuffer(b"ACGT", dtype=np.uint8)] = range(4)


def kmer_index(sequence: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
    """Return the index of the k-mer that starts at each base, `[L]`; -1 where it holds an N or passes the end.

    k-mers are numbered in the order of A, C, G, T, the first base being the most significant digit.
    """
    code = _CODE[sequence]
    index = np.full(len(code), -1, dtype=np.int64)
    if len(code) < k:
        return index
    windows = np.lib.stride_tricks.sliding_window_view(code, k)
    value = windows @ (4 ** np.arange(k - 1, -1, -1))
    index[: len(value)] = np.where((windows >= 0).all(axis=1), value, -1)
    return index


def kmer_counts(sequence: NDArray[np.uint8], k: int, size: int) -> NDArray[np.float32]:
    """Count k-mers in consecutive bins of `size` bases, `[ceil(L / size), 4**k]`; a k-mer belongs to the bin it starts in."""
    index = kmer_index(sequence, k)
    bins = -(-len(sequence) // size)
    where = np.arange(len(sequence)) // size
    known = index >= 0
    flat = np.bincount(where[known] * 4**k + index[known], minlength=bins * 4**k)
    return flat.reshape(bins, 4**k).astype(np.float32)

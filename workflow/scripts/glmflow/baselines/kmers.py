"""Counts of k-mers along a sequence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmflow.dna.kmer_tables import kmer_index

__all__ = ["kmer_counts", "kmer_index"]


def kmer_counts(sequence: NDArray[np.uint8], k: int, size: int) -> NDArray[np.float32]:
    """Count k-mers in consecutive bins of `size` bases, `[ceil(L / size), 4**k]`; a k-mer belongs to the bin it starts in."""
    index = kmer_index(sequence, k)
    bins = -(-len(sequence) // size)
    where = np.arange(len(sequence)) // size
    known = index >= 0
    flat = np.bincount(where[known] * 4**k + index[known], minlength=bins * 4**k)
    return flat.reshape(bins, 4**k).astype(np.float32)

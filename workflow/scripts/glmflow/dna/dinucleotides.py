"""Odds of dinucleotides, the genomic signature of Karlin and Burge (1995)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .kmer_tables import opposite


def odds(bases: NDArray[np.int64], pairs: NDArray[np.int64], symmetric: bool = True) -> NDArray[np.float64]:
    """Return rho = f(xy) / (f(x) f(y)) of all dinucleotides, `[16]`; NaN where a base does not occur.

    Parameters
    ----------
    bases, pairs
        Counts of bases `[4]` and of dinucleotides `[16]`, on one strand.
    symmetric
        Of both strands together (rho*).
    """
    if symmetric:
        bases, pairs = bases + bases[opposite(1)], pairs + pairs[opposite(2)]
    share = bases / max(1, bases.sum())
    expected = np.outer(share, share).ravel()
    return np.divide(pairs / max(1, pairs.sum()), expected, out=np.full(16, np.nan), where=expected > 0)


def odds_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return delta*: the mean absolute difference of two signatures, over dinucleotides that both have."""
    known = np.isfinite(one) & np.isfinite(other)
    return float(np.abs(one - other)[known].mean()) if known.any() else float("nan")

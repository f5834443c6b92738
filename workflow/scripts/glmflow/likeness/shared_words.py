"""21-mers that a group of pieces shares within itself and with real sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from glmflow.dna import minhash


def shared_words(pieces: Sequence[str], real: NDArray[np.uint64]) -> list[NDArray[np.float64]]:
    """Return of each piece its 21-mers that another piece of the group holds, and all of them; then what it adds to the group's.

    The third and fourth number are its 21-mers, and those among them that `real` holds (sorted hashes), each divided by the
    pieces of the group that hold it: summed over the group each 21-mer counts once.
    """
    sets = [minhash.hashes([piece]) for piece in pieces]
    kinds, times = np.unique(np.concatenate([np.zeros(0, np.uint64), *sets]), return_counts=True)
    known = np.isin(kinds, real, assume_unique=True)
    rows = []
    for own in sets:
        place = np.searchsorted(kinds, own)
        once = 1 / times[place]
        rows.append(np.array([(times[place] > 1).sum(), len(own), once.sum(), once[known[place]].sum()], float))
    return rows


def jaccard(sums: NDArray[np.float64], real: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return common 21-mers over all of a group and the real reference, whose number is `real["words"]`."""
    every = sums[..., 2] + real["words"][0] - sums[..., 3]
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 3] / every


def real_held(sums: NDArray[np.float64], real: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the share of the real reference's 21-mers that a group holds."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 3] / real["words"][0]


def identity(sums: NDArray[np.float64], real: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the identity that the share of a group's 21-mers in real sequences implies, C^(1/21); 0 where nothing is shared."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums[..., 3] / sums[..., 2]) ** (1 / minhash.K)

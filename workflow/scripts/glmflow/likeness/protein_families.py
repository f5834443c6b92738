"""Which families of proteins two groups of pieces code for: shares, numbers and use of families by profile hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .motif_sets import in_common

Sums = NDArray[np.float64]
"""Of `family_counts` over pieces, `[..., 3 + m]`."""
BASES, PROTEINS, MATCHED, FIRST = 0, 1, 2, 3
"""Places of bases, proteins, proteins with a hit, and the first family."""


def family_counts(hits: Sequence[Sequence[int]], families: int, bases: int) -> NDArray[np.float64]:
    """Return what is counted of a piece: its bases, proteins, proteins with a hit, and the hits of each family, `[3 + m]`.

    Parameters
    ----------
    hits
        Of each protein the families that have a hit in it, 0 to m - 1.
    families
        How many there are, m.
    bases
        Length of the piece.
    """
    found = np.zeros(FIRST + families)
    found[[BASES, PROTEINS, MATCHED]] = bases, len(hits), sum(len(own) > 0 for own in hits)
    for own in hits:
        found[[FIRST + family for family in own]] += 1
    return found


def matched_share(sums: Sums, real: Mapping[str, Sums]) -> NDArray[np.float64]:
    """Return the share of proteins that have a hit to any family; not a number where there is no protein."""
    with np.errstate(invalid="ignore"):
        return sums[..., MATCHED] / sums[..., PROTEINS]


def hits_per_kb(sums: Sums, real: Mapping[str, Sums]) -> NDArray[np.float64]:
    """Return the hits of proteins to families per 1,000 bases; a protein of two families counts twice."""
    return 1000 * sums[..., FIRST:].sum(-1) / sums[..., BASES]


def families_found(sums: Sums, real: Mapping[str, Sums]) -> NDArray[np.float64]:
    """Return how many families have a hit. It grows with the number of pieces: compare groups of as many."""
    return (sums[..., FIRST:] > 0).sum(-1).astype(float)


def real_families_held(sums: Sums, real: Mapping[str, Sums]) -> NDArray[np.float64]:
    """Return the share of the families of real pieces that have a hit; not a number where real pieces have none."""
    known = real["families"][FIRST:] > 0
    with np.errstate(invalid="ignore"):
        return ((sums[..., FIRST:] > 0) & known).sum(-1) / np.float64(known.sum())


def use_in_common(sums: Sums, real: Mapping[str, Sums]) -> NDArray[np.float64]:
    """Return what two groups have in common of the hits per base of each family, 1 where they are the same (`in_common`)."""
    own, other = (of[..., FIRST:] / of[..., BASES : BASES + 1] for of in (sums, real["families"]))
    return in_common(own, other)

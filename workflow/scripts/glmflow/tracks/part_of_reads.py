"""Tracks that hold a part of the reads of another: where it has fewer of them, it never has more at any base."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

APART = 150
"""Bases from one compared base to the next, so that few reads lie at both."""
EXPECTED = 12.0
"""Bases, of those compared, at which a measurement of its own would have more than the other, from which on none is no chance."""
ODD = 1e-3
"""Share of values that are no multiple of the least one, and of bases where a part has more, at most."""
FEWER = 0.95
"""Share of the other's reads that a part of them has at most."""


def parts_of_reads(values: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of tracks of which the second holds a part of the reads of the first, whatever their units.

    Of two measurements of n reads at a base, the second has binomially many by its share of all (Przyborowski and Wilenski
    1940, Biometrika 31:313), and so more than the first at some bases: the fewer reads, the more often.

    Parameters
    ----------
    values
        `[bases, tracks]`: of adjacent bases.
    """
    counts = [_counts(column) for column in values.T]
    for a, first in enumerate(counts):
        for b, second in enumerate(counts):
            if first is None or second is None or a == b or not second.sum() <= FEWER * first.sum():
                continue
            more = np.count_nonzero(second > first)
            if more <= ODD * np.count_nonzero(second) and _expected(first[::APART], second[::APART]) >= EXPECTED:
                yield a, b


def _counts(values: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return values as numbers of reads; None where they are no multiples of the least one, or negative."""
    known = values[values != 0].astype(np.float64)
    if not len(known) or known.min() < 0:
        return None
    counts = known / known.min()
    if np.mean(np.abs(counts - np.round(counts)) > ODD * np.maximum(counts, 1)) > ODD:
        return None
    return np.round(values / known.min())


def _expected(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return at how many bases per second measurement, independent of the first, would have more."""
    both = first + second
    share = second.sum() / max(both.sum(), 1.0)
    return float(binom.sf(np.floor(both / 2), both, share).sum())

"""Regions that no key binds, drawn from the rest of the genome: as they come, or alike in GC and accessible."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .region_universe import REGION, in_order, merged_intervals

DRAWS = 100
"""Places that are looked at for each region."""
GRID = 16
"""Bases between places that are drawn: GC is counted in these."""
ALIKE = 0.02
"""Largest difference in GC of a pair."""
UNKNOWN = 0.1
"""Largest share of bases that are not known."""
TRIED = 5
"""Places of the right GC whose accessibility is looked up for each region."""
OPEN = 0.25
"""Quantile of the accessibility of bound regions that one of the others has to reach."""

Accessibility = Callable[[pd.DataFrame], NDArray[np.float64]]
"""Accessibility of regions in the cell that they are most accessible in."""


def negative_regions(
    regions: pd.DataFrame,
    peaks: pd.DataFrame,
    contigs: Mapping[str, int],
    fetch: Callable[[str, int, int], NDArray[np.uint8]],
    matched: bool,
    accessibility: Accessibility | None = None,
    seed: int = 1,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return one unbound region for each region, of its contig and width, and how many were not found.

    Parameters
    ----------
    regions, peaks
        `chrom`, `start`, `end`: none of what is drawn shares a base with either.
    fetch
        Bases of the genome, uint8 ASCII.
    matched
        Take the place of the most alike GC (a difference of at most `ALIKE`), and where `accessibility` is given one that is as
        accessible in some cell as three quarters of the regions.
    """
    rng = np.random.default_rng(seed)
    least = -np.inf
    if matched and accessibility is not None:
        least = float(np.quantile(accessibility(regions), OPEN))
    parts, lacking = [], 0
    for chrom, own in regions.groupby("chrom", sort=True):
        found = _of_contig(
            own, peaks[peaks["chrom"] == chrom], contigs[chrom], fetch, matched, accessibility, least, rng
        )
        parts.append(found)
        lacking += len(own) - len(found)
    drawn = in_order(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame(columns=REGION)
    return drawn, {"regions without a place for an unbound one": lacking} if lacking else {}


def _of_contig(own, peaks, length, fetch, matched, accessibility, least, rng) -> pd.DataFrame:
    """Return the unbound regions of a contig (`negative_regions`)."""
    chrom = own["chrom"].iloc[0]
    bases = fetch(chrom, 0, length)
    gc, known = (_counts(np.isin(bases, np.frombuffer(letters, np.uint8))) for letters in (b"CG", b"ACGT"))
    start, end = own["start"].to_numpy(np.int64), own["end"].to_numpy(np.int64)
    width = end - start
    last = np.maximum((length - width) // GRID, 0)
    place = rng.integers(0, last[:, None] + 1, (len(own), DRAWS)) * GRID
    stop = place + width[:, None]
    taken = merged_intervals(
        np.append(start, peaks["start"].to_numpy(np.int64)), np.append(end, peaks["end"].to_numpy(np.int64))
    )
    free = (stop <= length) & _free(place, stop, *taken)
    share, there = _share(gc, known, place, width[:, None])
    free &= there >= 1 - UNKNOWN
    if matched:
        wanted = _share(gc, known, start, width)[0]
        apart = np.where(free, np.abs(share - wanted[:, None]), np.inf)
        order = np.argsort(apart, axis=1, kind="stable")[:, :TRIED]
        usable = np.take_along_axis(apart, order, axis=1) <= ALIKE
    else:
        order = np.argsort(~free, axis=1, kind="stable")[:, :TRIED]
        usable = np.take_along_axis(free, order, axis=1)
    places = np.take_along_axis(place, order, axis=1)
    if np.isfinite(least):
        row, column = np.nonzero(usable)
        asked = pd.DataFrame({"chrom": chrom, "start": places[row, column], "end": places[row, column] + width[row]})
        usable[row, column] = accessibility(asked) >= least
    starts: list[int] = []
    ends: list[int] = []  # of what is chosen, which is disjoint: both ascend
    for row in range(len(own)):
        for first in places[row][usable[row]].tolist():
            at, stop_at = bisect_right(ends, first), first + int(width[row])
            if at == len(starts) or starts[at] >= stop_at:
                starts.insert(at, first)
                ends.insert(at, stop_at)
                break
    return pd.DataFrame({"chrom": chrom, "start": starts, "end": ends})


def _counts(which: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many bases there are before each place of the grid."""
    padded = np.append(which, np.zeros(-len(which) % GRID, bool))
    return np.append(0, np.cumsum(padded.reshape(-1, GRID).sum(axis=1)))


def _share(
    gc: NDArray[np.int64], known: NDArray[np.int64], start: NDArray[np.int64], width: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return GC of the known bases from each place on, and the share of known bases, to the next place of the grid."""
    first = start // GRID
    last = np.minimum(first + np.maximum(1, np.rint(width / GRID).astype(np.int64)), len(gc) - 1)
    there = known[last] - known[first]
    return (gc[last] - gc[first]) / np.maximum(there, 1), there / np.maximum((last - first) * GRID, 1)


def _free(start, end, taken_start, taken_end) -> NDArray[np.bool_]:
    """Return which intervals share no base with what is taken (disjoint, ascending)."""
    place = np.searchsorted(taken_end, start, "right")
    return np.append(taken_start, np.iinfo(np.int64).max)[place] >= end

"""Intervals of one table that overlap others, by coordinates; strands do not count."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.packed import ranges

MOST_PAIRS = 20_000_000
"""Pairs that are listed; more are counted only."""


def overlapping_pairs(regions: pd.DataFrame, margin: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the pairs of rows whose intervals share a base, each once, and how many there are.

    Parameters
    ----------
    regions
        `chrom`, `start`, `end` (0-based half-open).
    margin
        Bases between two intervals that still count as an overlap.

    Returns
    -------
    first, second : int64[pairs]
        Rows; empty if there are more than `MOST_PAIRS`.
    pairs : int
    """
    order, contig, start, end = _sorted(regions)
    # Of each interval, those that start after it and before its end; contigs are distinguished by an offset.
    stop = np.searchsorted(contig + start, contig + end + margin, "left")
    later = np.maximum(stop - np.arange(1, len(order) + 1), 0)
    pairs = int(later.sum())
    if pairs > MOST_PAIRS:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), pairs
    first = np.repeat(np.arange(len(order)), later)
    second = ranges(np.arange(1, len(order) + 1), later)
    return order[first], order[second], pairs


def best_overlaps(regions: pd.DataFrame, others: pd.DataFrame, margin: int = 0) -> NDArray[np.int64]:
    """Return the row of `others` that shares most bases with each region, int64[n]; -1 where none does.

    Of equals the first in the order of the genome is taken.
    """
    known = set(others["chrom"])
    found = np.full(len(regions), -1, np.int64)
    rows = np.flatnonzero(regions["chrom"].isin(known).to_numpy())
    if not len(rows) or not len(others):
        return found
    codes = {chrom: code for code, chrom in enumerate(dict.fromkeys(others["chrom"]))}
    # Ends are not in the order of the starts: an interval reaches back as far as the longest of its contig.
    longest = int((others["end"] - others["start"]).max())
    span = int(max(others["end"].max(), regions["end"].max())) + margin + longest + 2
    order = np.lexsort((others["start"].to_numpy(), others["chrom"].map(codes).to_numpy()))
    start, end = others["start"].to_numpy(np.int64)[order], others["end"].to_numpy(np.int64)[order]
    place = others["chrom"].map(codes).to_numpy(np.int64)[order] * span
    own = regions.iloc[rows]
    base = own["chrom"].map(codes).to_numpy(np.int64) * span
    low, high = own["start"].to_numpy(np.int64), own["end"].to_numpy(np.int64)
    first = np.searchsorted(place + start, base + np.maximum(low - margin - longest, 0), "left")
    last = np.searchsorted(place + start, base + high + margin, "left")
    best = np.zeros(len(rows), np.int64)
    answer = np.full(len(rows), -1, np.int64)
    step = max(1, MOST_PAIRS // max(int((last - first).max(initial=1)), 1))
    for begin in range(0, len(rows), step):
        part = slice(begin, begin + step)
        lengths = np.maximum(last[part] - first[part], 0)
        which, candidate = np.repeat(np.arange(len(lengths)), lengths), ranges(first[part], lengths)
        shared = np.minimum(high[part][which], end[candidate]) - np.maximum(low[part][which], start[candidate]) + margin
        keep = shared > 0
        which, candidate, shared = which[keep], candidate[keep], shared[keep]
        by = np.lexsort((candidate, -shared, which))
        which, candidate, shared = which[by], candidate[by], shared[by]
        new = np.concatenate([[True], which[1:] != which[:-1]]) if len(which) else np.zeros(0, bool)
        answer[part][which[new]] = order[candidate[new]]
        best[part][which[new]] = shared[new]
    found[rows] = answer
    return found


def _sorted(regions: pd.DataFrame) -> tuple[NDArray[np.int64], ...]:
    """Return rows in the order of the genome, with an offset a contig that keeps contigs apart, starts and ends."""
    codes = pd.factorize(regions["chrom"])[0]
    start, end = regions["start"].to_numpy(np.int64), regions["end"].to_numpy(np.int64)
    order = np.lexsort((end, start, codes))
    span = 2 * int(end.max(initial=0)) + 2
    return order, codes[order].astype(np.int64) * span, start[order], end[order]

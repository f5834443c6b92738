"""Writing bigWig tracks: whole or not at all, equal neighbours merged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyBigWig

from glmflow.files import atomic_path

_CHUNK = 1 << 18


class Runs(NamedTuple):
    """Stretches of equal values on one contig, sorted and disjoint.

    `starts` and `ends` are int64, 0-based half-open; `values` are float32.
    """

    starts: np.ndarray
    ends: np.ndarray
    values: np.ndarray


def runs(values: np.ndarray, present: np.ndarray | None = None, start: int = 0) -> Runs:
    """Merge bases of equal value.

    Parameters
    ----------
    values
        float32[bases], one value a base.
    present
        bool[bases]: the bases that have a value; the non-zero ones where left out.
    start
        Position of the first base.

    Returns
    -------
    Runs
        The maximal stretches of present bases with one value.
    """
    present = values != 0 if present is None else present
    changes = (values[1:] != values[:-1]) | (present[1:] != present[:-1])
    first = np.concatenate([np.zeros(min(len(values), 1), np.int64), np.flatnonzero(changes) + 1])
    last = np.append(first[1:], len(values))[: len(first)]
    kept = present[first]
    return Runs(first[kept] + start, last[kept] + start, values[first[kept]])


def write_bigwig(
    path: str | os.PathLike[str],
    contigs: Mapping[str, int],
    intervals: Iterable[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    """Write a track; nothing is left behind when it fails.

    Parameters
    ----------
    path
        bigWig file to write.
    contigs
        Length in bases of every contig of the genome.
    intervals
        Blocks of `(chrom, starts, ends, values)`, any number a contig: 0-based half-open, sorted, disjoint, finite,
        the contigs in the order of `contigs`. Neighbours that touch and are equal are merged, so that the file
        does not depend on how it was cut into blocks.

    Raises
    ------
    ValueError
        Blocks are not as described.
    """
    order = {chrom: number for number, chrom in enumerate(contigs)}
    reached = (-1, 0)
    with atomic_path(path) as temporary:
        file = pyBigWig.open(str(temporary), "w")
        try:
            file.addHeader(list(contigs.items()))
            for chrom, block in _merged(intervals):
                if chrom not in order:
                    raise ValueError(f"no contig {chrom!r}")
                _check(chrom, block, contigs[chrom])
                if (order[chrom], block.starts[0]) < reached:
                    raise ValueError(f"intervals are not sorted or overlap at {chrom}:{block.starts[0]}")
                reached = (order[chrom], block.ends[-1])
                file.addEntries([chrom] * len(block.starts), block.starts, ends=block.ends, values=block.values)
        finally:
            file.close()


def _merged(
    intervals: Iterable[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
) -> Iterator[tuple[str, Runs]]:
    """Yield blocks that hold something, the last run of each carried over into the next where they join."""
    held: tuple[str, Runs] | None = None
    for chrom, *arrays in intervals:
        starts, ends, values = (
            np.asarray(array, kind) for array, kind in zip(arrays, (np.int64, np.int64, np.float32))
        )
        if not len(starts):
            continue
        if held is not None:
            last, (at, to, value) = held
            if last == chrom and to[0] == starts[0] and value[0] == values[0]:
                starts = np.concatenate([at, starts[1:]])
            else:
                yield held
        joins = np.flatnonzero((ends[:-1] == starts[1:]) & (values[:-1] == values[1:]))
        starts, ends, values = np.delete(starts, joins + 1), np.delete(ends, joins), np.delete(values, joins)
        if len(starts) > 1:
            yield chrom, Runs(starts[:-1], ends[:-1], values[:-1])
        held = chrom, Runs(starts[-1:], ends[-1:], values[-1:])
    if held is not None:
        yield held


def _check(chrom: str, block: Runs, length: int) -> None:
    """Stop at intervals a bigWig cannot hold."""
    if block.starts[0] < 0 or block.ends[-1] > length:
        raise ValueError(f"intervals reach past the ends of {chrom} ({length} bases)")
    if np.any(block.ends <= block.starts) or np.any(block.starts[1:] < block.ends[:-1]):
        raise ValueError(f"intervals on {chrom} are not sorted, overlap or are empty")
    if not np.all(np.isfinite(block.values)):
        raise ValueError(f"values on {chrom} are not finite")


def accumulate_windows(predictions: np.ndarray, starts: np.ndarray, length: int, trim: int = 0) -> Iterator[Runs]:
    """Lay windows of per-base values onto a contig; where windows overlap, take their mean.

    Parameters
    ----------
    predictions
        float[windows, bases]; may be mapped from disk.
    starts
        int64[windows]: position of every window's first base.
    length
        Bases of the contig; what a window predicts past its ends is dropped.
    trim
        Bases left out at both edges of every window, where context is missing.

    Yields
    ------
    Runs
        Per-base means (a float64 mean as float32) of the bases that at least one window covers, along the contig.
    """
    windows, size = predictions.shape
    if len(starts) != windows or not 0 <= 2 * trim < max(size, 1):
        raise ValueError(f"{len(starts)} starts for {windows} windows of {size} bases trimmed by {trim}")
    order = np.argsort(starts, kind="stable")
    first = np.asarray(starts, np.int64)[order] + trim
    last = first + size - 2 * trim
    for begin in range(0, length, _CHUNK):
        end = min(begin + _CHUNK, length)
        touching = range(np.searchsorted(last, begin, "right"), np.searchsorted(first, end, "left"))
        if not touching:
            continue
        total, count = np.zeros(end - begin), np.zeros(end - begin, np.int64)
        for window in touching:
            left, right = max(first[window], begin), min(last[window], end)
            offset = trim - first[window]
            total[left - begin : right - begin] += predictions[order[window], left + offset : right + offset]
            count[left - begin : right - begin] += 1
        mean = (total / np.maximum(count, 1)).astype(np.float32)
        yield runs(mean, count > 0, begin)

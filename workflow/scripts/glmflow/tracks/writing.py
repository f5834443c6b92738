"""Writing bigWig tracks: whole or not at all, equal neighbours merged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from glmflow.files import atomic_path
from glmflow.tracks.bigwig import Runs, Sections, Writer, encode

_BATCH = 1 << 16
_CHUNK = 1 << 18


def runs(positions: np.ndarray, values: np.ndarray) -> Runs:
    """Merge neighbouring bases of equal value.

    Parameters
    ----------
    positions
        int64[bases]: the bases that have a value, increasing.
    values
        float32[bases]

    Returns
    -------
    Runs
        The longest stretches of neighbouring bases with one value.
    """
    if not len(positions):
        return Runs(positions, positions, values)
    apart = (np.diff(positions) != 1) | (values[1:] != values[:-1])
    first, last = np.append(True, apart), np.append(apart, True)
    return Runs(positions[first], positions[last] + 1, values[first])


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

    def sections() -> Iterator[Sections]:
        reached = (-1, 0)
        for chrom, block in _merged(intervals):
            if chrom not in order:
                raise ValueError(f"no contig {chrom!r}")
            _check(chrom, block, contigs[chrom])
            if (order[chrom], block.starts[0]) < reached:
                raise ValueError(f"intervals are not sorted or overlap at {chrom}:{block.starts[0]}")
            reached = (order[chrom], block.ends[-1])
            yield encode(block, order[chrom])

    write_sections(path, contigs, sections())


def write_sections(path: str | os.PathLike[str], contigs: Mapping[str, int], sections: Iterable[Sections]) -> None:
    """Write a track from sections that were encoded elsewhere; as `write_bigwig` otherwise."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        writer = Writer(handle, contigs)
        for section in sections:
            writer.add(section)
        writer.close()


def _merged(
    intervals: Iterable[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
) -> Iterator[tuple[str, Runs]]:
    """Yield large blocks in which no two runs could be one; of each but a contig's last, one run is carried on."""
    for chrom, blocks in groupby(intervals, itemgetter(0)):
        pending: list[Runs] = []
        size = 0
        for _, starts, ends, values in blocks:
            pending.append(
                Runs(np.asarray(starts, np.int64), np.asarray(ends, np.int64), np.asarray(values, np.float32))
            )
            size += len(starts)
            if size > _BATCH:
                whole = join(pending)
                if len(whole.starts) > 1:
                    yield chrom, Runs(*(column[:-1] for column in whole))
                pending, size = [Runs(*(column[-1:] for column in whole))], 1
        if size:
            yield chrom, join(pending)


def join(blocks: Sequence[Runs]) -> Runs:
    """Return blocks, one behind another, as one; neighbours that touch and are equal become one run."""
    starts, ends, values = map(np.concatenate, zip(*blocks))
    apart = (ends[:-1] != starts[1:]) | (values[:-1] != values[1:])
    first, last = np.append(True, apart)[: len(starts)], np.append(apart, True)[: len(starts)]
    return Runs(starts[first], ends[last], values[first])


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
        bases = np.flatnonzero(count)
        yield runs(bases + begin, (total[bases] / count[bases]).astype(np.float32))

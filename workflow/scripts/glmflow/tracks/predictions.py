"""From predicted windows to tracks in genome coordinates."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.bigwig import Runs, runs_of, write_bigwig
from glmflow.errors import InputError

_CHUNK = 1 << 18

Prediction = tuple[str, int, int, NDArray[np.float32]]
"""`chrom, start, end, [T, end - start]`."""


class _Windows(NamedTuple):
    """The predicted windows of one contig, kept on disk: `values` `[n, T, L]` and where each begins."""

    chrom: str
    starts: NDArray[np.int64]
    values: NDArray[np.float32]


def write_windows(
    predictions: Iterable[Prediction], paths: Sequence[str | Path], contigs: Mapping[str, int], trim: int = 0
) -> None:
    """Write one bigWig a track from windows; where windows overlap, their mean.

    Parameters
    ----------
    predictions
        Windows with the values of `T` tracks, those of a contig next to each other and of one length. They are kept
        in temporary files, not in memory.
    paths
        The bigWigs to write, `[T]`.
    contigs
        Length of every contig of the genome.
    trim
        Bases left out at both ends of every window.

    Raises
    ------
    InputError
        A predicted value is no finite number.
    """
    folder = Path(paths[0]).parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".windows.", dir=folder) as scratch:
        stored = sorted(_store(predictions, Path(scratch)), key=lambda windows: list(contigs).index(windows.chrom))
        for track, path in enumerate(paths):
            write_bigwig(path, contigs, _intervals(stored, track, contigs, trim))


def _intervals(
    stored: Sequence[_Windows], track: int, contigs: Mapping[str, int], trim: int
) -> Iterator[tuple[str, NDArray, NDArray, NDArray]]:
    """Yield the merged intervals of one track, contig by contig."""
    for windows in stored:
        for block in accumulate_windows(windows.values[:, track], windows.starts, contigs[windows.chrom], trim):
            yield windows.chrom, *block


def _store(predictions: Iterable[Prediction], scratch: Path) -> Iterator[_Windows]:
    """Write the windows of each contig into a file and yield them mapped from it."""
    chrom, starts, shape, handle = None, [], (0, 0), None
    for name, start, _, values in predictions:
        if name != chrom:
            if chrom is not None:
                yield _close(chrom, starts, shape, handle)
            chrom, starts, shape = name, [], values.shape
            handle = (scratch / f"{name}.f32").open("xb")
        starts.append(start)
        values = np.ascontiguousarray(values, dtype=np.float32)
        if not np.isfinite(values).all():
            raise InputError(
                f"predicted coverage is NaN or infinite at {name}:{start + 1:,}-{start + values.shape[1]:,}",
                fix="Look at the losses of the training; a lower learning rate may keep it from diverging.",
            )
        handle.write(values.tobytes())
    if chrom is not None:
        yield _close(chrom, starts, shape, handle)


def _close(chrom: str, starts: list[int], shape: tuple[int, int], handle) -> _Windows:
    """Map a finished file of windows."""
    handle.close()
    values = np.memmap(handle.name, dtype=np.float32, mode="r", shape=(len(starts), *shape))
    return _Windows(chrom, np.array(starts, dtype=np.int64), values)


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
        yield runs_of(bases + begin, (total[bases] / count[bases]).astype(np.float32))

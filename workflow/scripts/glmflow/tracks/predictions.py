"""From predicted windows to tracks in genome coordinates."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.tracks.writing import accumulate_windows, write_bigwig

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
        handle.write(np.ascontiguousarray(values, dtype=np.float32).tobytes())
    if chrom is not None:
        yield _close(chrom, starts, shape, handle)


def _close(chrom: str, starts: list[int], shape: tuple[int, int], handle) -> _Windows:
    """Map a finished file of windows."""
    handle.close()
    values = np.memmap(handle.name, dtype=np.float32, mode="r", shape=(len(starts), *shape))
    return _Windows(chrom, np.array(starts, dtype=np.int64), values)

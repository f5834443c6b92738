"""A whole bigWig file written, or nothing: equal neighbours merged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

import numpy as np

from glmflow.bigwig.layout import Runs
from glmflow.bigwig.merging import join
from glmflow.bigwig.writer import MOST_LEVELS, Sections, Writer, encode
from glmflow.files import atomic_path

_BATCH = 1 << 16


def write_bigwig(
    path: str | os.PathLike[str],
    contigs: Mapping[str, int],
    intervals: Iterable[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
    levels: int = MOST_LEVELS,
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
    levels
        Zoom levels at most.

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

    write_sections(path, contigs, sections(), levels)


def write_sections(
    path: str | os.PathLike[str], contigs: Mapping[str, int], sections: Iterable[Sections], levels: int = MOST_LEVELS
) -> None:
    """Write a track from sections that were encoded elsewhere; as `write_bigwig` otherwise."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        writer = Writer(handle, contigs, levels)
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


def _check(chrom: str, block: Runs, length: int) -> None:
    """Stop at intervals a bigWig cannot hold."""
    if block.starts[0] < 0 or block.ends[-1] > length:
        raise ValueError(f"intervals reach past the ends of {chrom} ({length} bases)")
    if np.any(block.ends <= block.starts) or np.any(block.starts[1:] < block.ends[:-1]):
        raise ValueError(f"intervals on {chrom} are not sorted, overlap or are empty")
    if not np.all(np.isfinite(block.values)):
        raise ValueError(f"values on {chrom} are not finite")

"""Writing bigWig files.

Sections are encoded apart from the file they go into, so that worker processes compress them and one process only
writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from io import BufferedWriter
from pathlib import Path
from shutil import copyfileobj
from typing import NamedTuple

import numpy as np

from glmflow.bigwig import zoom
from glmflow.bigwig.layout import BED_GRAPH, BIGWIG, FIXED_STEP, HEAD, RECORDS, SECTION, SUMMARY, Runs, compressed
from glmflow.bigwig.trees import NO_LEAVES, contig_tree, leaves_of, section_tree
from glmflow.bigwig.zoom import NO_BINS, Bins, Zoom, bins_of

_ITEMS = 1024  # a section of runs
_STEPS = 8192  # a section of values in even steps, which takes a third of the bytes an item
_FEWEST = 256  # runs without a gap that may be worth a section of their own
_MOST_STEPS = 2  # a run: each takes a third of a run's bytes
MOST_LEVELS = 10
_RECORD = RECORDS[BED_GRAPH].newbyteorder("<")


class Sections(NamedTuple):
    """Runs in the form in which they lie in the file."""

    data: bytes
    index: np.ndarray  # of `leaves_of`; offsets count from the first byte of `data`
    bins: Bins  # of the finest zoom level
    largest: int  # bytes of a section before it is compressed


def encode(block: Runs, chrom: int) -> Sections:
    """Return runs as compressed sections of a bigWig file, which is what `Writer.add` takes.

    Parameters
    ----------
    block
        At least one run.
    chrom
        Number of the contig.
    """
    packed, places, largest = [], [], 0
    for part, step in _portions(block):
        start, end, items = int(part.starts[0]), int(part.ends[-1]), len(part.starts)
        if step:
            records, kind = part.values.astype("<f4"), FIXED_STEP
        else:
            records, kind = np.empty(items, _RECORD), BED_GRAPH
            records["start"], records["end"], records["value"] = part
        content = struct.pack("<" + SECTION, chrom, start, end, step, step, kind, 0, items) + records.tobytes()
        packed.append(compressed(content))
        places.append((chrom, start, chrom, end))
        largest = max(largest, len(content))
    return Sections(b"".join(packed), leaves_of(places, [*map(len, packed)], 0), bins_of(block), largest)


def _portions(block: Runs) -> Iterator[tuple[Runs, int]]:
    """Yield the runs of each section, and the step of those that are cut into even steps (else 0).

    Runs without a gap between them are cut where they are hardly more than their steps: single bases, bins of one width.
    """
    apart = (block.starts[1:] != block.ends[:-1]).nonzero()[0] + 1
    edges = np.concatenate([[0], apart, [len(block.starts)]])
    done = 0
    for n in (np.diff(edges) >= _FEWEST).nonzero()[0].tolist():
        first, last = int(edges[n]), int(edges[n + 1])
        spans = block.ends[first:last] - block.starts[first:last]
        step = int(np.gcd.reduce(spans[:-1]))
        last -= bool(spans[-1] % step)  # the last bin of a contig may be shorter
        if (block.ends[last - 1] - block.starts[first]) // step <= _MOST_STEPS * (last - first):
            yield from _sections_of(block, done, first)
            yield from _steps(Runs(*(column[first:last] for column in block)), step)
            done = last
    yield from _sections_of(block, done, len(block.starts))


def _sections_of(block: Runs, first: int, last: int) -> Iterator[tuple[Runs, int]]:
    """Yield some runs as they are."""
    for at in range(first, last, _ITEMS):
        yield Runs(*(column[at : min(at + _ITEMS, last)] for column in block)), 0


def _steps(block: Runs, step: int) -> Iterator[tuple[Runs, int]]:
    """Yield runs without gaps cut into even steps."""
    values = block.values.repeat((block.ends - block.starts) // step)
    for at in range(0, len(values), _STEPS):
        part = values[at : at + _STEPS]
        starts = block.starts[0] + step * np.arange(at, at + len(part))
        yield Runs(starts, starts + step, part), step


class Writer:
    """A bigWig file that grows by sections, sorted by contig and position.

    Parameters
    ----------
    handle
        Open for writing in binary, at its beginning.
    contigs
        Length in bases of every contig; the first has number 0.
    levels
        Zoom levels at most.
    """

    def __init__(self, handle: BufferedWriter, contigs: Mapping[str, int], levels: int = MOST_LEVELS):
        if not contigs:
            raise ValueError("a bigWig file of no contigs")
        self._handle = handle
        self._lengths = list(contigs.values())
        widths = [zoom.FINEST * 4**level for level in range(levels)]
        folder = Path(handle.name).parent
        self._zooms = [Zoom(width, folder) for width in widths if width < max(self._lengths)]
        self._chrom = 0
        self._indices = [NO_LEAVES]
        self._summary = [0, np.inf, -np.inf, 0.0, 0.0]
        self._largest = zoom.LARGEST if self._zooms else 0
        # The head is known at the end; its room is kept.
        handle.write(bytes(64 + 24 * len(self._zooms) + 40))
        self._tree_at = handle.tell()
        handle.write(contig_tree(contigs, self._tree_at))
        self._data_at = handle.tell()
        handle.write(bytes(8))

    def add(self, sections: Sections) -> None:
        """Append sections of one contig, behind all that were added before."""
        chrom = int(sections.index["first_chrom"][0])
        if chrom != self._chrom:
            self._zoom(NO_BINS, last=True)
            self._chrom = chrom
        index = sections.index.copy()
        index["offset"] += self._handle.tell()
        self._indices.append(index)
        self._handle.write(sections.data)
        self._largest = max(self._largest, sections.largest)
        bins = sections.bins
        self._zoom(bins, last=False)
        bases, least, most, total, squares = self._summary
        self._summary = [
            bases + int(bins.bases.sum()),
            min(least, bins.minimum.min()),
            max(most, bins.maximum.max()),
            total + bins.sum.sum(),
            squares + bins.squares.sum(),
        ]

    def close(self) -> None:
        """Write the indices, the zoom levels and the head."""
        self._zoom(NO_BINS, last=True)
        index = np.concatenate(self._indices)
        index_at = self._handle.tell()
        self._handle.write(section_tree(index, index_at, _ITEMS))
        zooms = b"".join(struct.pack("<IIQQ", level.width, 0, *self._write_zoom(level)) for level in self._zooms)
        self._handle.write(struct.pack("<I", BIGWIG))  # the format ends as it begins
        self._handle.seek(0)
        summary_at = 64 + len(zooms)
        self._handle.write(
            struct.pack(
                "<" + HEAD,
                *(BIGWIG, 4, len(self._zooms), self._tree_at, self._data_at, index_at, 0, 0, 0, summary_at),
                *(max(self._largest, 1), 0),
            )
        )
        summary = self._summary if self._summary[0] else [0] * 5
        self._handle.write(zooms + struct.pack("<" + SUMMARY, *summary))
        self._handle.seek(self._data_at)
        self._handle.write(struct.pack("<Q", len(index)))

    def _zoom(self, bins: Bins, *, last: bool) -> None:
        """Hand bins of the contig at hand from one zoom level to the next."""
        for level in self._zooms:
            if len(bins.bin) or last:
                bins = level.add(bins, self._chrom, self._lengths[self._chrom], last=last)

    def _write_zoom(self, level: Zoom) -> tuple[int, int]:
        """Write one zoom level; return where its data and its index begin."""
        data_at = self._handle.tell()
        self._handle.write(struct.pack("<I", level.bins))
        index = leaves_of(level.places, level.sizes, self._handle.tell())
        with level.sections as sections:
            sections.seek(0)
            copyfileobj(sections, self._handle)
        index_at = self._handle.tell()
        self._handle.write(section_tree(index, index_at, zoom.ITEMS))
        return data_at, index_at

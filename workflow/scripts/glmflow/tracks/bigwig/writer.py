"""Writing bigWig files.

Sections are encoded apart from the file they go into, so that worker processes compress them and one process only
writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from io import BufferedWriter
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

import numpy as np
from isal import isal_zlib

from glmflow.tracks.bigwig.layout import (
    BED_GRAPH,
    BIGWIG,
    CHROM_TREE,
    HEAD,
    INDEX,
    LEAF,
    NODE,
    RECORDS,
    SECTION,
    SUMMARY,
    ZOOM,
    Runs,
)

_ITEMS = 1024  # a section; a zoom section has a quarter, its records being nearly three times as long
_PORTION = 1 << 16
_FAN_OUT = 256
_FINEST = 1024  # bases of the first zoom level; each next one has four times as many
_MOST_LEVELS = 10
_IN_MEMORY = 1 << 20  # bytes of a zoom level: those of a human genome would take more than 50 MB
_RECORD = RECORDS[BED_GRAPH].newbyteorder("<")
_LEAF, _NODE, _ZOOM = (kind.newbyteorder("<") for kind in (LEAF, NODE, ZOOM))


class Bins(NamedTuple):
    """Statistics over bins of one width, one row a bin that holds a value; `bin` is its number on the contig."""

    bin: np.ndarray
    bases: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    sum: np.ndarray
    squares: np.ndarray


_EMPTY = Bins(*(np.empty(0, kind) for kind in ("i8", "i8", "f8", "f8", "f8", "f8")))


class Sections(NamedTuple):
    """Runs in the form in which they lie in the file."""

    data: bytes
    index: np.ndarray  # _LEAF; offsets count from the first byte of `data`
    bins: Bins  # of the finest zoom level


def encode(block: Runs, chrom: int) -> Sections:
    """Compress runs into sections of a bigWig file.

    Parameters
    ----------
    block
        At least one run.
    chrom
        Number of the contig.

    Returns
    -------
    Sections
        What `Writer.add` takes.
    """
    records = np.empty(len(block.starts), _RECORD)
    records["start"], records["end"], records["value"] = block
    packed, places = [], []
    for at in range(0, len(records), _ITEMS):
        part = records[at : at + _ITEMS]
        place = (chrom, part["start"][0], chrom, part["end"][-1])
        head = struct.pack("<" + SECTION, chrom, place[1], place[3], 0, 0, BED_GRAPH, 0, len(part))
        packed.append(isal_zlib.compress(head + part.tobytes()))
        places.append(place)
    # Bins in portions: they take ten times the memory of the runs.
    portions = [
        _bins(Runs(*(column[at : at + _PORTION] for column in block))) for at in range(0, len(records), _PORTION)
    ]
    return Sections(b"".join(packed), _index(places, [*map(len, packed)], 0), _join(_concatenate(portions)))


def _bins(block: Runs) -> Bins:
    """Return the statistics of runs over the bins of the finest zoom level."""
    first, last = block.starts // _FINEST, (block.ends - 1) // _FINEST
    touched = last - first + 1
    run = np.repeat(np.arange(len(touched)), touched)
    number = first[run] + np.arange(len(run)) - np.repeat(np.cumsum(touched) - touched, touched)
    bases = np.minimum(block.ends[run], (number + 1) * _FINEST) - np.maximum(block.starts[run], number * _FINEST)
    value = block.values.astype(np.float64)[run]
    return _join(Bins(number, bases, value, value, bases * value, bases * value**2))


def _concatenate(portions: list[Bins]) -> Bins:
    """Put rows one behind another."""
    return Bins(*map(np.concatenate, zip(*portions)))


def _join(bins: Bins) -> Bins:
    """Add up rows of the same bin; rows are in the order of their bins."""
    first = np.flatnonzero(np.diff(bins.bin, prepend=-1))
    return Bins(
        bins.bin[first],
        np.add.reduceat(bins.bases, first),
        np.minimum.reduceat(bins.minimum, first),
        np.maximum.reduceat(bins.maximum, first),
        np.add.reduceat(bins.sum, first),
        np.add.reduceat(bins.squares, first),
    )


def _index(places: Iterable[tuple[int, int, int, int]], sizes: list[int], offset: int) -> np.ndarray:
    """Return the index of sections that lie one behind another from an offset on."""
    index = np.zeros(len(sizes), _LEAF)
    if len(sizes):
        columns = np.array(list(places), np.int64).T
        for name, column in zip(("first_chrom", "first", "last_chrom", "last"), columns):
            index[name] = column
    index["offset"], index["size"] = offset + np.cumsum(sizes, dtype=np.int64) - sizes, sizes
    return index


class _Zoom:
    """A zoom level that grows: its compressed sections, on disk where they are many, and the bins not yet among them."""

    def __init__(self, width: int, folder: Path):
        self.width = width
        self.places: list[tuple[int, int, int, int]] = []
        self.sizes: list[int] = []
        self.bins = 0
        self.sections = SpooledTemporaryFile(_IN_MEMORY, dir=folder)  # noqa: SIM115 (open until it is copied)
        self.waiting = _EMPTY

    def add(self, bins: Bins, chrom: int, length: int, *, last: bool) -> Bins:
        """Append bins of a contig, the `last` ones or not; return those of the next level that are complete.

        A section is written once a bin follows it: what comes next may be of the last bin, too.
        """
        bins = _join(_concatenate([self.waiting, bins])) if len(bins.bin) else self.waiting
        items = _ITEMS // 4
        complete = len(bins.bin) if last else max(len(bins.bin) - 1, 0) // items * items
        self.waiting = Bins(*(column[complete:] for column in bins))
        bins = Bins(*(column[:complete] for column in bins))
        records = np.empty(complete, _ZOOM)
        records["chrom"] = chrom
        records["start"] = bins.bin * self.width
        records["end"] = np.minimum((bins.bin + 1) * self.width, length)
        for name in Bins._fields[1:]:
            records[name] = getattr(bins, name)
        for at in range(0, complete, items):
            self._write(records[at : at + items])
        return bins._replace(bin=bins.bin // 4)

    def _write(self, records: np.ndarray) -> None:
        first, last = records[0], records[-1]
        self.places.append((int(first["chrom"]), int(first["start"]), int(last["chrom"]), int(last["end"])))
        self.sizes.append(self.sections.write(isal_zlib.compress(records.tobytes())))
        self.bins += len(records)


class Writer:
    """A bigWig file that grows by sections, sorted by contig and position.

    Parameters
    ----------
    handle
        Open for writing in binary, at its beginning.
    contigs
        Length in bases of every contig; the first has number 0.
    """

    def __init__(self, handle: BufferedWriter, contigs: Mapping[str, int]):
        if not contigs:
            raise ValueError("a bigWig file of no contigs")
        self._handle = handle
        self._lengths = list(contigs.values())
        widths = [_FINEST * 4**level for level in range(_MOST_LEVELS)]
        folder = Path(handle.name).parent
        self._zooms = [_Zoom(width, folder) for width in widths if width < max(self._lengths)]
        self._chrom = 0
        self._indices = [np.zeros(0, _LEAF)]
        self._summary = [0, np.inf, -np.inf, 0.0, 0.0]
        # The head is known at the end; its room is kept.
        handle.write(bytes(64 + 24 * len(self._zooms) + 40))
        self._tree_at = handle.tell()
        handle.write(_chrom_tree(contigs, self._tree_at))
        self._data_at = handle.tell()
        handle.write(bytes(8))

    def add(self, sections: Sections) -> None:
        """Append sections of one contig, behind all that were added before."""
        chrom = int(sections.index["first_chrom"][0])
        if chrom != self._chrom:
            self._zoom(_EMPTY, last=True)
            self._chrom = chrom
        index = sections.index.copy()
        index["offset"] += self._handle.tell()
        self._indices.append(index)
        self._handle.write(sections.data)
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
        self._zoom(_EMPTY, last=True)
        index = np.concatenate(self._indices)
        index_at = self._handle.tell()
        self._handle.write(_tree(index, index_at, _ITEMS))
        zooms = b"".join(struct.pack("<IIQQ", zoom.width, 0, *self._write_zoom(zoom)) for zoom in self._zooms)
        self._handle.write(struct.pack("<I", BIGWIG))  # the format ends as it begins
        self._handle.seek(0)
        summary_at = 64 + len(zooms)
        self._handle.write(
            struct.pack(
                "<" + HEAD,
                *(BIGWIG, 4, len(self._zooms), self._tree_at, self._data_at, index_at, 0, 0, 0, summary_at),
                *(24 + _ITEMS * _RECORD.itemsize, 0),
            )
        )
        summary = self._summary if self._summary[0] else [0] * 5
        self._handle.write(zooms + struct.pack("<" + SUMMARY, *summary))
        self._handle.seek(self._data_at)
        self._handle.write(struct.pack("<Q", len(index)))

    def _zoom(self, bins: Bins, *, last: bool) -> None:
        """Hand bins of the contig at hand from one zoom level to the next."""
        for zoom in self._zooms:
            if len(bins.bin) or last:
                bins = zoom.add(bins, self._chrom, self._lengths[self._chrom], last=last)

    def _write_zoom(self, zoom: _Zoom) -> tuple[int, int]:
        """Write one zoom level; return where its data and its index begin."""
        data_at = self._handle.tell()
        self._handle.write(struct.pack("<I", zoom.bins))
        index = _index(zoom.places, zoom.sizes, self._handle.tell())
        with zoom.sections as sections:
            sections.seek(0)
            copyfileobj(sections, self._handle)
        index_at = self._handle.tell()
        self._handle.write(_tree(index, index_at, _ITEMS // 4))
        return data_at, index_at


def _chrom_tree(contigs: Mapping[str, int], offset: int) -> bytes:
    """Return names, numbers and lengths of contigs as a tree, to be written at an offset: its head, then the nodes."""
    values = {name.encode(): struct.pack("<II", *value) for name, value in zip(contigs, enumerate(contigs.values()))}
    key = max(map(len, values))
    member = key + 8
    levels = [sorted(values)]
    while len(levels[0]) > _FAN_OUT:
        levels.insert(0, levels[0][::_FAN_OUT])
    parts = [struct.pack("<IIIIQQ", CHROM_TREE, _FAN_OUT, key, 8, len(values), 0)]
    at = offset + len(parts[0])
    for level in levels:
        is_leaf = level is levels[-1]
        at += len(level) * member + 4 * -(-len(level) // _FAN_OUT)  # where the next level begins
        for first in range(0, len(level), _FAN_OUT):
            names = level[first : first + _FAN_OUT]
            parts.append(struct.pack("<BBH", is_leaf, 0, len(names)))
            for number, name in enumerate(names, first):
                # All nodes but the last of a level are full, so that those of the next lie a node's size apart.
                value = values[name] if is_leaf else struct.pack("<Q", at + number * (4 + _FAN_OUT * member))
                parts.append(name.ljust(key, b"\0") + value)
    return b"".join(parts)


def _tree(leaves: np.ndarray, offset: int, items: int) -> bytes:
    """Return the R-tree over sections, to be written at an offset: its head, then its nodes from the root down."""
    bounds = [0, 0, 0, 0]
    if len(leaves):
        bounds = [leaves["first_chrom"][0], leaves["first"][0], leaves["last_chrom"][-1], leaves["last"][-1]]
    end = int(leaves["offset"][-1] + leaves["size"][-1]) if len(leaves) else offset
    head = struct.pack("<IIQIIIIQII", INDEX, _FAN_OUT, len(leaves), *map(int, bounds), end, items, 0)
    levels = [leaves]
    while len(levels[0]) > _FAN_OUT:
        below = levels[0]
        first = np.arange(0, len(below), _FAN_OUT)
        last = np.minimum(first + _FAN_OUT, len(below)) - 1
        above = np.zeros(len(first), _NODE)
        above["first_chrom"], above["first"] = below["first_chrom"][first], below["first"][first]
        above["last_chrom"], above["last"] = below["last_chrom"][last], below["last"][last]
        levels.insert(0, above)
    parts = [head]
    at = offset + len(head)
    for number, level in enumerate(levels):
        at += level.nbytes + 4 * -(-max(len(level), 1) // _FAN_OUT)
        if level is not leaves:
            # Nodes are full but for the last of a level, so that the next level's nodes lie a node's size apart.
            node = 4 + _FAN_OUT * levels[number + 1].itemsize
            level["offset"] = at + node * np.arange(len(level))
        for first in range(0, max(len(level), 1), _FAN_OUT):
            members = level[first : first + _FAN_OUT]
            parts.append(struct.pack("<BBH", level is leaves, 0, len(members)) + members.tobytes())
    return b"".join(parts)

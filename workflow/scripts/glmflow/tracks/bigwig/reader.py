"""Reading bigWig files."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np
from isal import isal_zlib  # the same streams as zlib's, read in half the time

from glmflow.errors import InputError
from glmflow.tracks.bigwig.layout import (
    BED_GRAPH,
    BIGBED,
    BIGWIG,
    CHROM_TREE,
    FIXED_STEP,
    HEAD,
    INDEX,
    LEAF,
    NODE,
    RECORDS,
    SECTION,
    SUMMARY,
    Runs,
)

_NODES_KEPT = 16  # of the index, whatever the memory: the way down to neighbouring stretches
_MEMORY_OF_NODE = 1 << 15  # one more is kept for so many bytes; it takes a quarter of them
_LARGEST_SECTION = 1 << 20  # of what the head may ask memory for; larger ones grow as they are read
_DAMAGE = (isal_zlib.error, struct.error, ValueError, LookupError, OverflowError, OSError)  # what garbage raises


class Node(NamedTuple):
    """A node of the index: where the contig and the stretch of each member begin and end, and what lies there."""

    is_leaf: bool
    first: np.ndarray  # int64: contig << 32 | position
    last: np.ndarray
    offset: np.ndarray  # int64
    size: np.ndarray


class BigWig:
    """A bigWig file, open for reading; it keeps no position, so that forked processes may share it.

    Parameters
    ----------
    path
        The file.
    memory
        Bytes of decoded sections that are remembered, those used last, and in proportion of the index: windows of one
        gene are read again and again.

    Attributes
    ----------
    path : Path
        The file.
    contigs : dict[str, int]
        Length in bases of every contig.

    Raises
    ------
    InputError
        The file is missing, truncated, damaged or not bigWig.
    """

    def __init__(self, path: str | os.PathLike[str], memory: int = 0):
        self.path = Path(path)
        try:
            self._file = self.path.open("rb", buffering=0)
        except FileNotFoundError:
            raise InputError("no such bigWig file", where=path, mend="Check the path.") from None
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", where=path, mend="Check the path.") from None
        self._nodes: dict[int, Node] = {}
        self._nodes_kept = _NODES_KEPT + memory // _MEMORY_OF_NODE
        self._remembered: dict[int, Runs] = {}  # by offset, the one used last at the end
        self._room = memory
        try:
            with self._decoding():
                found = sorted(self._contigs(self._read_head()))
        except BaseException:
            self.close()
            raise
        self._numbers = {name: number for number, name, _ in found}
        self.contigs = {name: length for _, name, length in found}

    def _read_head(self) -> int:
        """Learn how the file is laid out; return where its contigs are listed."""
        head = self._read(0, 64, all_of_it=False).ljust(64, b"\0")
        self._order = ">" if head[:4] in (struct.pack(">I", BIGWIG), struct.pack(">I", BIGBED)) else "<"
        magic, _, _, contigs_at, _, index_at, *_, summary_at, largest, _ = struct.unpack(self._order + HEAD, head)
        if magic != BIGWIG:
            what = "a bigBed file, not bigWig" if magic == BIGBED else "not a bigWig file"
            raise InputError(what, where=self.path, mend="Give per-base signal as bigWig.")
        self._root = index_at + 48 if index_at else 0  # pyBigWig writes no index where there are no data
        self._summary_at = summary_at
        self._largest = min(largest, _LARGEST_SECTION)  # 0: sections are not compressed
        self._leaf_record, self._node_record = LEAF.newbyteorder(self._order), NODE.newbyteorder(self._order)
        self._records = {kind: record.newbyteorder(self._order) for kind, record in RECORDS.items()}
        for at, expected in ((contigs_at, CHROM_TREE), (index_at, INDEX)):
            # The index lies near the end: a truncated file lacks it.
            if at and self._read(at, 4) != struct.pack(self._order + "I", expected):
                raise self._damaged()
        return contigs_at

    @cached_property
    def total(self) -> float:
        """The sum of the values of all bases, those that are no finite numbers left out."""
        if self._summary_at:
            total = struct.unpack(self._order + SUMMARY, self._read(self._summary_at, struct.calcsize(SUMMARY)))[3]
            if isfinite(total):
                return total
        total = 0.0
        for chrom, length in self.contigs.items():
            for starts, ends, values in self.runs(chrom, 0, length):
                finite = np.isfinite(values)
                total += float(values[finite].astype(np.float64) @ (ends - starts)[finite])
        return total

    def runs(self, chrom: str, start: int, end: int) -> Iterator[Runs]:
        """Yield the intervals of a stretch, cut at its ends, in the portions in which the file holds them.

        Parameters
        ----------
        chrom
            A contig of the file.
        start, end
            0-based half-open, within the contig.

        Yields
        ------
        Runs
            Along the contig; neighbours may be equal, values may be NaN or infinite.

        Raises
        ------
        InputError
            The file is damaged, or has two values for a base.
        """
        number = self._numbers[chrom]
        with self._decoding():
            read_to = start
            for place in self._sections(number, start, end):
                found = _cut(self._section(*place, chrom), start, end)
                if not len(found.starts):
                    continue
                if found.starts[0] < read_to:
                    raise self._ambiguous(chrom)
                read_to = int(found.ends[-1])
                yield found

    def sections(self, chrom: str, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Tell how dense a stretch is, which costs next to nothing: only the index is read.

        Returns
        -------
        first, runs : int64[sections]
            Where each section that the stretch touches begins, and how many runs it has at most, if all of the file's
            sections are of one kind.
        """
        number = self._numbers[chrom]
        firsts, sizes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        with self._decoding():
            for node, members in self._leaves(number, start, end):
                firsts.append(node.first[members] - (number << 32))
                sizes.append(np.full(len(members), self._largest) if self._largest else node.size[members])
            runs = (np.concatenate(sizes) - struct.calcsize(self._order + SECTION)) // self._record_size
        return np.maximum(np.concatenate(firsts), 0), runs

    @cached_property
    def _record_size(self) -> int:
        """Bytes of a record of the first section."""
        for number in self._numbers.values():
            for offset, size in self._sections(number, 0, 1 << 32):
                return self._records[self._content(offset, size)[20]].itemsize
        return 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> BigWig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, offset: int, size: int, all_of_it: bool = True) -> bytes:
        """Return bytes of the file."""
        content = os.pread(self._file.fileno(), size, offset)
        if all_of_it and len(content) < size:
            raise InputError("a truncated bigWig file", where=self.path, mend="Fetch it again.")
        return content

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        """Say of whatever decoding raises that the file is damaged."""
        try:
            yield
        except _DAMAGE as error:
            raise self._damaged() from error

    def _damaged(self) -> InputError:
        return InputError("a damaged bigWig file", where=self.path, mend="Fetch it again.")

    def _ambiguous(self, chrom: str) -> InputError:
        mend = "Make it anew from intervals that do not overlap."
        return InputError(f"two values for the same bases of {chrom}", where=self.path, mend=mend)

    def _contigs(self, offset: int) -> list[tuple[int, str, int]]:
        """Return the number, name and length of every contig from the tree that lists them."""
        key = struct.unpack(self._order + "I", self._read(offset + 8, 4))[0]
        found, nodes, seen = [], [offset + 32], set()
        while nodes:
            at = nodes.pop()
            if at in seen:
                raise self._damaged()
            seen.add(at)
            is_leaf, _, items = struct.unpack(self._order + "BBH", self._read(at, 4))
            for member in struct.iter_unpack(f"{self._order}{key}s8s", self._read(at + 4, items * (key + 8))):
                if is_leaf:
                    number, length = struct.unpack(self._order + "II", member[1])
                    found.append((number, member[0].rstrip(b"\0").decode(), length))
                else:
                    nodes.append(struct.unpack(self._order + "Q", member[1])[0])
        return found

    def _sections(self, chrom: int, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the offset and size of every section that a stretch touches, in order."""
        for node, members in self._leaves(chrom, start, end):
            yield from zip(node.offset[members].tolist(), node.size[members].tolist())

    def _leaves(self, chrom: int, start: int, end: int) -> Iterator[tuple[Node, np.ndarray]]:
        """Yield the leaves of the index over a stretch, in order, and which of their members it touches."""
        begin, stop = (chrom << 32) + start, (chrom << 32) + end
        places, seen = [self._root] if self._root else [], set()
        while places:
            at = places.pop()
            if at in seen:  # a damaged index may lead in a circle
                raise self._damaged()
            seen.add(at)
            node = self._node(at)
            touched = ((node.first < stop) & (node.last > begin)).nonzero()[0]
            if node.is_leaf:
                yield node, touched
            else:
                places.extend(node.offset[touched[::-1]].tolist())

    def _node(self, at: int) -> Node:
        """Read a node of the index, or remember it: neighbouring stretches are found through the same ones."""
        if at not in self._nodes:
            is_leaf, _, items = struct.unpack(self._order + "BBH", self._read(at, 4))
            kind = self._leaf_record if is_leaf else self._node_record
            members = np.frombuffer(self._read(at + 4, items * kind.itemsize), kind)
            first, last = ((members[f"{end}_chrom"].astype(np.int64) << 32) + members[end] for end in ("first", "last"))
            offset = members["offset"].astype(np.int64)
            size = members["size"].astype(np.int64) if is_leaf else offset
            if len(self._nodes) == self._nodes_kept:
                self._nodes.clear()
            self._nodes[at] = Node(bool(is_leaf), first, last, offset, size)
        return self._nodes[at]

    def _section(self, offset: int, size: int, chrom: str) -> Runs:
        """Return the intervals of one section, decoded or remembered."""
        found = self._remembered.pop(offset, None)
        if found is None:
            found = self._decode(offset, size, chrom)
            self._room -= _bytes(found)
        self._remembered[offset] = found
        while self._room < 0:
            self._room += _bytes(self._remembered.pop(next(iter(self._remembered))))
        return found

    def _content(self, offset: int, size: int) -> bytes:
        """Return a section's bytes."""
        content = self._read(offset, size)
        return isal_zlib.decompress(content, bufsize=self._largest) if self._largest else content

    def _decode(self, offset: int, size: int, chrom: str) -> Runs:
        """Read the intervals of one section."""
        content = self._content(offset, size)
        number, origin, _, step, span, kind, _, items = struct.unpack_from(self._order + SECTION, content)
        if number != self._numbers[chrom]:
            raise self._damaged()
        records = np.frombuffer(content, self._records[kind], items, struct.calcsize(self._order + SECTION))
        if kind == FIXED_STEP:
            starts = origin + step * np.arange(items)
        else:
            starts = records["start"].astype(np.int64)
        ends = records["end"].astype(np.int64) if kind == BED_GRAPH else starts + span
        if (ends < starts).any():
            raise self._damaged()
        if (starts[1:] < ends[:-1]).any():
            raise self._ambiguous(chrom)
        values = records["value"].astype(np.float32)
        values.flags.writeable = False  # a stretch is handed out as a view
        return Runs(starts, ends, values)


def _cut(runs: Runs, start: int, end: int) -> Runs:
    """Return the runs that a stretch touches, cut at its ends."""
    touched = slice(int(runs.ends.searchsorted(start, "right")), int(runs.starts.searchsorted(end, "left")))
    starts, ends = np.maximum(runs.starts[touched], start), np.minimum(runs.ends[touched], end)
    return Runs(starts, ends, runs.values[touched])


def _bytes(runs: Runs) -> int:
    """Return what runs take of the memory."""
    return sum(column.nbytes for column in runs)

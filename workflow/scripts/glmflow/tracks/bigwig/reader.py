"""Reading bigWig files."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

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
    VARIABLE_STEP,
    Runs,
)


class BigWig:
    """A bigWig file, open for reading; it keeps no position, so that forked processes may share it.

    Parameters
    ----------
    path
        The file.

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

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        try:
            self._file = self.path.open("rb", buffering=0)
        except FileNotFoundError:
            raise InputError("no such bigWig file", where=path, mend="Check the path.") from None
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", where=path, mend="Check the path.") from None
        head = self._read(0, 64, all_of_it=False).ljust(64, b"\0")
        self._order = ">" if head[:4] in (struct.pack(">I", BIGWIG), struct.pack(">I", BIGBED)) else "<"
        magic, _, _, contigs_at, _, index_at, *_, largest, _ = struct.unpack(self._order + HEAD, head)
        if magic != BIGWIG:
            what = "a bigBed file, not bigWig" if magic == BIGBED else "not a bigWig file"
            raise InputError(what, where=path, mend="Give per-base signal as bigWig.")
        self._root = index_at + 48 if index_at else 0  # pyBigWig writes no index where there are no data
        self._compressed = largest > 0
        self._leaf, self._node = LEAF.newbyteorder(self._order), NODE.newbyteorder(self._order)
        self._records = {kind: record.newbyteorder(self._order) for kind, record in RECORDS.items()}
        for at, expected in ((contigs_at, CHROM_TREE), (index_at, INDEX)):
            # The index lies near the end: a truncated file lacks it.
            if at and self._read(at, 4) != struct.pack(self._order + "I", expected):
                raise self._damaged()
        found = sorted(self._contigs(contigs_at))
        self._numbers = {name: number for number, name, _ in found}
        self.contigs = {name: length for _, name, length in found}

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
            The file is damaged.
        """
        number = self._numbers[chrom]
        try:
            for place in self._sections(number, start, end):
                starts, ends, values = self._section(*place, number)
                if starts[0] < start or ends[-1] > end:
                    first, last = np.searchsorted(ends, start, "right"), np.searchsorted(starts, end, "left")
                    starts, ends, values = starts[first:last], ends[first:last], values[first:last]
                    starts, ends = np.maximum(starts, start), np.minimum(ends, end)
                if len(starts):
                    yield Runs(starts, ends, values)
        except (zlib.error, struct.error, ValueError, KeyError) as error:
            raise self._damaged() from error

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

    def _damaged(self) -> InputError:
        return InputError("a damaged bigWig file", where=self.path, mend="Fetch it again.")

    def _contigs(self, offset: int) -> list[tuple[int, str, int]]:
        """Return the number, name and length of every contig from the tree that lists them."""
        key = struct.unpack(self._order + "I", self._read(offset + 8, 4))[0]
        found, nodes = [], [offset + 32]
        while nodes:
            at = nodes.pop()
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
        begin, stop = (chrom << 32) + start, (chrom << 32) + end
        nodes = [self._root] if self._root else []
        while nodes:
            at = nodes.pop()
            is_leaf, _, items = struct.unpack(self._order + "BBH", self._read(at, 4))
            kind = self._leaf if is_leaf else self._node
            members = np.frombuffer(self._read(at + 4, items * kind.itemsize), kind)
            first = (members["first_chrom"].astype(np.int64) << 32) + members["first"]
            last = (members["last_chrom"].astype(np.int64) << 32) + members["last"]
            touched = members[(first < stop) & (last > begin)]
            if is_leaf:
                yield from zip(touched["offset"].tolist(), touched["size"].tolist())
            else:
                nodes.extend(touched["offset"][::-1].tolist())

    def _section(self, offset: int, size: int, chrom: int) -> Runs:
        """Decode one section."""
        content = self._read(offset, size)
        if self._compressed:
            content = zlib.decompress(content)
        number, start, _, step, span, kind, _, items = struct.unpack_from(self._order + SECTION, content)
        if number != chrom:
            raise self._damaged()
        records = np.frombuffer(content, self._records[kind], items, struct.calcsize(self._order + SECTION))
        values = records["value"].astype(np.float32)
        if kind == BED_GRAPH:
            return Runs(records["start"].astype(np.int64), records["end"].astype(np.int64), values)
        if kind == VARIABLE_STEP:
            starts = records["start"].astype(np.int64)
        elif kind == FIXED_STEP:
            starts = start + step * np.arange(items, dtype=np.int64)
        return Runs(starts, starts + span, values)

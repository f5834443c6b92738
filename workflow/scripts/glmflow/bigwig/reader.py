"""Reading bigWig files."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from functools import cached_property
from math import isfinite
from pathlib import Path

import numpy as np
from isal import isal_zlib

from glmflow.bigwig.index import POSITION, Index, Node, read_contigs
from glmflow.bigwig.layout import BIGBED, BIGWIG, HEAD, RECORDS, SUMMARY, Bases, Runs, Steps, Summary
from glmflow.bigwig.merging import spread
from glmflow.bigwig.sections import KIND_AT, SECTION_HEAD, cut, decode, extent, size_in_memory, summarize
from glmflow.bigwig.source import DAMAGE, Source
from glmflow.errors import InputError

_LARGEST_SECTION = 1 << 20  # of what the head may ask memory for; larger ones grow as they are read
_SMALLEST = float(np.finfo(np.float32).smallest_subnormal)


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
        self._source = Source(path)
        self._remembered: dict[int, Steps | Bases] = {}  # by offset, the one used last at the end
        self._room = memory
        try:
            with self._source.decoding("its head"):
                contigs_at, index_at = self._read_head()
            with self._source.decoding("its list of contigs"):
                found = read_contigs(self._source, contigs_at)
            with self._source.decoding("its index"):
                self._index = Index(self._source, index_at, memory)
        except BaseException:
            self.close()
            raise
        self._numbers = {name: number for number, name, _ in found}
        self.contigs = {name: length for _, name, length in found}

    def _read_head(self) -> tuple[int, int]:
        """Learn how the file is laid out; return where its contigs and its index are."""
        source = self._source
        first = source.read(0, min(4, source.size))
        source.order = ">" if first in (struct.pack(">I", BIGWIG), struct.pack(">I", BIGBED)) else "<"
        kind = int.from_bytes(first, "big" if source.order == ">" else "little")
        if kind != BIGWIG:
            raise InputError(_what_else(first, kind), where=self.path, fix="Give per-base signal as bigWig.")
        _, _, _, contigs_at, _, index_at, *_, self._summary_at, largest, _ = source.unpack(HEAD, 0)
        self._largest = min(largest, _LARGEST_SECTION)  # 0: sections are not compressed
        if index_at:  # it lies near the end: a truncated file lacks it
            source.read(index_at, 4)
        return contigs_at, index_at

    @cached_property
    def stated(self) -> Summary | None:
        """What the head says of all values, those that are no finite numbers among them; None where it says nothing."""
        if not self._summary_at:
            return None
        with self._source.decoding("its summary"):
            summary = Summary(*self._source.unpack(SUMMARY, self._summary_at)[:4])
        # What pyBigWig begins with, and keeps where values only fall: the first one is the largest.
        if 0 < summary.maximum < _SMALLEST:
            return summary._replace(maximum=max(0.0, self._first_value()))
        return summary

    def _first_value(self) -> float:
        """Return the first finite value of the file; 0 where its first section has none."""
        first = next(self.all_runs(), None)
        values = [] if first is None else first.values[np.isfinite(first.values)]
        return float(values[0]) if len(values) else 0.0

    @cached_property
    def summary(self) -> Summary:
        """What the finite values are like: as the head says, or from all data where it cannot be right."""
        stated = self.stated
        if stated and (not stated.bases or (all(map(isfinite, stated)) and stated.minimum <= stated.maximum)):
            return stated
        return summarize(self.all_runs())

    def all_runs(self) -> Iterator[Runs]:
        """Yield the intervals of the file, contig by contig; as `runs` otherwise."""
        for chrom, length in self.contigs.items():
            yield from self.runs(chrom, 0, length)

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
        for found in self.pieces(chrom, start, end):
            yield found.runs()

    def values(self, chrom: str, start: int, end: int) -> np.ndarray:
        """Return the value of every base of a stretch, float32[end - start]; 0 where there is none; as `runs` otherwise."""
        values = np.zeros(end - start, np.float32)
        for found in self.runs(chrom, start, end):
            values[found.starts[0] - start : found.ends[-1] - start] = spread(found)
        return values

    def pieces(self, chrom: str, start: int, end: int) -> Iterator[Steps | Bases]:
        """Yield the values of a stretch in the form in which they are kept; as `runs` otherwise."""
        number, read_to = self._numbers[chrom], start
        try:
            for node, members in self._index.leaves(number, start, end):
                for n in members.tolist():
                    found, first, last = cut(self._section(node, n, chrom, number), start, end)
                    if first == last:
                        continue
                    if first < read_to:
                        raise self._ambiguous(chrom)
                    read_to = last
                    yield found
        except DAMAGE as error:
            raise self._source.damaged(f"its data of {chrom}:{start + 1:,}-{end:,}") from error

    def sections(self, chrom: str, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Return how dense a stretch is, which costs next to nothing: only the index is read.

        Returns
        -------
        first, runs : int64[sections]
            Where each section that the stretch touches begins, and how many runs it has at most, if all of the file's
            sections are of one kind.
        """
        number = self._numbers[chrom]
        firsts, sizes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        with self._source.decoding("its index"):
            for node, members in self._index.leaves(number, start, end):
                firsts.append(node.first[members] - (number << 32))
                sizes.append(np.full(len(members), self._largest) if self._largest else node.size[members])
            runs = (np.concatenate(sizes) - SECTION_HEAD) // self._record_size
        return np.maximum(np.concatenate(firsts), 0), runs

    def check_index(self) -> None:
        """Stop where the index has lost data: whoever reads all of the file asks before."""
        with self._source.decoding("its index"):
            self._index.check({number: self.contigs[name] for name, number in self._numbers.items()})

    def listed(self) -> list[tuple[str, int, int]]:
        """Return contig, start and end of every section, from the index alone."""
        with self._source.decoding("its index"):
            names = {number: name for name, number in self._numbers.items()}
            return [
                (names[first >> 32], first & POSITION, last & POSITION)
                for node in self._index.all_leaves()
                for first, last in zip(node.first.tolist(), node.last.tolist())
            ]

    @cached_property
    def _record_size(self) -> int:
        """Bytes of a record of the first section."""
        place = self._index.first()
        return RECORDS[self._content(*place)[KIND_AT]].itemsize if place else 1

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __enter__(self) -> BigWig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ambiguous(self, chrom: str) -> InputError:
        fix = "Write it again from intervals that do not overlap."
        return InputError(f"two values for the same bases of {chrom}", where=self.path, fix=fix)

    def _section(self, node: Node, member: int, chrom: str, number: int) -> Steps | Bases:
        """Return the intervals of one section, decoded or remembered."""
        offset = int(node.offset[member])
        if (found := self._remembered.pop(offset, None)) is None:
            content = self._content(offset, int(node.size[member]))
            found = decode(content, self._source.order, number)
            if found is None:
                raise self._ambiguous(chrom)
            if len(found.values):
                first, last = extent(found)
                if first < int(node.first[member]) - (number << 32) or last > int(node.last[member]) - (number << 32):
                    raise self._source.damaged(f"its index is not that of its data of {chrom}")
            self._room -= size_in_memory(found)
        self._remembered[offset] = found
        while self._room < 0:
            self._room += size_in_memory(self._remembered.pop(next(iter(self._remembered))))
        return found

    def _content(self, offset: int, size: int) -> bytes:
        """Return a section's bytes."""
        content = self._source.read(offset, size)
        return isal_zlib.decompress(content, bufsize=self._largest) if self._largest else content


def _what_else(first: bytes, kind: int) -> str:
    """Return what a file is that is no bigWig, going by its first bytes."""
    if kind == BIGBED:
        return "a bigBed file, not bigWig"
    if not first:
        return "an empty file, not a bigWig file"
    if first[:2] == b"\x1f\x8b":
        return "compressed with gzip, not a bigWig file"
    return "text, not a bigWig file" if first.isascii() and first.strip().isalnum() else "not a bigWig file"

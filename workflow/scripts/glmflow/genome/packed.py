"""Many sequences in one flat array: what counting, comparing and feature tables work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from glmflow.bases import COMPLEMENT
from glmflow.genome.fasta import ALPHABET, N
from glmflow.genome.reference import Reference

_LETTERS = np.frombuffer(ALPHABET, np.uint8).copy()
_LETTERS[[ord("U"), ord("u")]] = ord("T")
LETTERS = _LETTERS
"""ASCII code to the code of A, C, G, T or N: U is T, ambiguity codes are N, lower case is upper; 0 is no nucleotide."""


class Packed(NamedTuple):
    """`n` sequences end to end.

    Attributes
    ----------
    codes : uint8[total]
        ASCII codes.
    offsets : int64[n + 1]
        Sequence `i` is `codes[offsets[i]:offsets[i + 1]]`.
    """

    codes: np.ndarray
    offsets: np.ndarray

    @property
    def count(self) -> int:
        """Number of sequences."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Bases of each sequence, int64[n]."""
        return np.diff(self.offsets)

    def one(self, row: int) -> np.ndarray:
        """Return the codes of a sequence, uint8[L]."""
        return self.codes[self.offsets[row] : self.offsets[row + 1]]

    def text(self, row: int) -> str:
        """Return a sequence as text."""
        return self.one(row).tobytes().decode("ascii")

    def each(self) -> Iterator[np.ndarray]:
        """Yield the codes of every sequence."""
        return (self.one(row) for row in range(self.count))

    def take(self, rows: np.ndarray) -> Packed:
        """Return some of the sequences, in the order of `rows`."""
        rows = np.asarray(rows, np.int64)
        if len(rows) == self.count and np.array_equal(rows, np.arange(self.count)):
            return self
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Packed(self.codes[ranges(self.offsets[rows], lengths)], offsets)

    def part(self, first: int, last: int) -> Packed:
        """Return the sequences from `first` up to `last` without copying them."""
        low, high = self.offsets[first], self.offsets[last]
        return Packed(self.codes[low:high], self.offsets[first : last + 1] - low)

    def parts(self, bases: int) -> Iterator[tuple[slice, Packed]]:
        """Yield the sequences some at a time, at most `bases` of them, with the rows they are; nothing is copied."""
        for rows in blocks(self.lengths, bases):
            yield rows, self.part(rows.start, rows.stop)

    def reverse_complement(self) -> Packed:
        """Return every sequence read on the other strand, in the same order."""
        backwards = COMPLEMENT[self.codes][::-1]
        offsets = len(self.codes) - self.offsets[::-1]
        return Packed(backwards, offsets).take(np.arange(self.count)[::-1])


class EachRow:
    """Sequences as a collection of arrays: gone through as often as is wanted, none of them kept."""

    def __init__(self, packed: Packed | OnGenome):
        self.packed, self.lengths = packed, packed.lengths

    def __len__(self) -> int:
        return self.packed.count

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.packed.each()


class OnGenome:
    """Sequences of intervals of a genome, read each time they are asked for: what `Packed` offers, and none is held.

    Two million windows of 8 kb are 16 GB of sequence. Picklable, as the genome is.

    Parameters
    ----------
    reference
        The genome.
    regions
        `chrom`, `start`, `end` (0-based half-open) and, where given, `strand` (see `fetch`).

    Attributes
    ----------
    lengths
        Bases of each sequence, int64[n].
    """

    BLOCK = 1 << 22
    """Bases that are read at a time where sequences are gone through one by one."""

    def __init__(self, reference: Reference, regions: pd.DataFrame):
        columns = [name for name in ("chrom", "start", "end", "strand") if name in regions]
        self.reference, self.regions = reference, regions[columns].reset_index(drop=True)
        self.lengths = (regions["end"] - regions["start"]).to_numpy(np.int64)

    @property
    def count(self) -> int:
        """Number of sequences."""
        return len(self.regions)

    def one(self, row: int) -> np.ndarray:
        """Return the codes of a sequence, uint8[L]."""
        return fetch(self.reference, self.regions.iloc[row : row + 1]).codes

    def text(self, row: int) -> str:
        """Return a sequence as text."""
        return self.one(row).tobytes().decode("ascii")

    def each(self) -> Iterator[np.ndarray]:
        """Yield the codes of every sequence."""
        for _, part in self.parts(self.BLOCK):
            yield from part.each()

    def take(self, rows: np.ndarray) -> OnGenome:
        """Return some of the sequences, in the order of `rows`; nothing is read."""
        return OnGenome(self.reference, self.regions.iloc[np.asarray(rows, np.int64)])

    def parts(self, bases: int) -> Iterator[tuple[slice, Packed]]:
        """Yield the sequences some at a time, at most `bases` of them, with the rows they are."""
        yield from fetch_blocks(self.reference, self.regions, bases)


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return `starts[0], starts[0] + 1, ... , starts[1], ...`: the positions of runs, one after the other, int64."""
    lengths = np.asarray(lengths, np.int64)
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(np.asarray(starts, np.int64) - (ends - lengths), lengths)


def pack(sequences: Iterable[str | bytes | np.ndarray] | pd.Series | pa.Array) -> Packed:
    """Pack sequences as they are (text, bytes or uint8 codes); nothing is checked or turned to upper case."""
    if isinstance(sequences, pd.Series):
        sequences = pa.array(sequences, pa.large_string())
    if isinstance(sequences, pa.ChunkedArray):
        sequences = sequences.chunk(0) if sequences.num_chunks == 1 else sequences.combine_chunks()
    if isinstance(sequences, pa.Array):
        return _from_arrow(sequences)
    parts = [_codes(sequence) for sequence in sequences]
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return Packed(np.concatenate(parts) if parts else np.zeros(0, np.uint8), offsets)


class Collected:
    """Sequences that come part by part, put into one piece: hardly more than one copy of them is in memory at any time.

    Parts are joined to blocks of `BLOCK` bases, whose memory the system takes back one by one as the whole is made.
    """

    BLOCK = 1 << 26

    def __init__(self) -> None:
        self.blocks: list[np.ndarray] = []
        self.waiting: list[np.ndarray] = []
        self.lengths: list[np.ndarray] = []

    def add(self, packed: Packed) -> None:
        """Take in some more sequences."""
        self.lengths.append(packed.lengths)
        self.waiting.append(packed.codes)
        if sum(map(len, self.waiting)) >= self.BLOCK:
            self.blocks.append(np.concatenate(self.waiting))
            self.waiting.clear()

    def whole(self) -> Packed:
        """Return all sequences; nothing is held here any more."""
        self.blocks += self.waiting
        self.waiting.clear()
        offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *self.lengths]))])
        codes = np.empty(offsets[-1], np.uint8)
        end = len(codes)
        while self.blocks:
            block = self.blocks.pop()
            codes[end - len(block) : end] = block
            end -= len(block)
        return Packed(codes, offsets)


def _from_arrow(array: pa.Array) -> Packed:
    """Read an Arrow array of text where it lies, without a copy."""
    if isinstance(array, pa.ChunkedArray):  # combine_chunks of several large chunks
        array = pa.concat_arrays(array.chunks)
    array = array.cast(pa.large_string())
    if array.null_count:
        array = array.fill_null("")
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    codes = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return Packed(codes[places[0] : places[-1]], places - places[0])


def _codes(sequence: str | bytes | np.ndarray) -> np.ndarray:
    if isinstance(sequence, str):
        sequence = sequence.encode()
    return np.frombuffer(sequence, np.uint8) if isinstance(sequence, bytes) else np.asarray(sequence, np.uint8)


def to_strings(packed: Packed) -> pa.LargeStringArray:
    """Return packed sequences as an Arrow array of text; codes are shared, not copied."""
    buffers = [
        None,
        pa.py_buffer(np.ascontiguousarray(packed.offsets)),
        pa.py_buffer(np.ascontiguousarray(packed.codes)),
    ]
    return pa.Array.from_buffers(pa.large_string(), packed.count, buffers)


def fetch(reference: Reference, regions: pd.DataFrame, length: int | None = None) -> Packed:
    """Read regions of a genome: on the `-` strand reverse-complemented, N past the ends of a contig.

    Parameters
    ----------
    reference
        The genome.
    regions
        `chrom`, `start`, `end` (0-based half-open) and, where given, `strand`.
    length
        Bases around the middle of a region, instead of the region itself.
    """
    start, end = regions["start"].to_numpy(np.int64), regions["end"].to_numpy(np.int64)
    if length is not None:
        start = (start + end) // 2 - length // 2
        end = start + length
    strand = regions["strand"].to_numpy() if "strand" in regions else np.full(len(regions), "+")
    offsets = np.concatenate([[0], np.cumsum(end - start)])
    codes = np.empty(offsets[-1], np.uint8)
    for row, (chrom, first, last) in enumerate(zip(regions["chrom"], start.tolist(), end.tolist())):
        bases = reference.fetch(chrom, first, last)
        codes[offsets[row] : offsets[row + 1]] = COMPLEMENT[bases][::-1] if strand[row] == "-" else bases
    return Packed(codes, offsets)


def fetch_blocks(reference: Reference, regions: pd.DataFrame, bases: int = 1 << 26) -> Iterator[tuple[slice, Packed]]:
    """Yield regions of a genome some at a time, with the rows they are: at most `bases` of them are held.

    A table of two million windows of 8 kb is 16 GB of sequence; only the block in work is in memory.
    """
    lengths = (regions["end"] - regions["start"]).to_numpy(np.int64)
    for rows in blocks(lengths, bases):
        yield rows, fetch(reference, regions.iloc[rows])


def blocks(lengths: Sequence[int] | np.ndarray, bases: int) -> Iterator[slice]:
    """Yield runs of rows whose lengths add up to at most `bases`; a longer single row is a run of its own."""
    ends = np.cumsum(np.asarray(lengths, np.int64))
    first = 0
    while first < len(ends):
        before = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, before + bases, "right")), first + 1)
        yield slice(first, last)
        first = last


def without_padding(packed: Packed) -> Packed:
    """Return the sequences without the N in front of and behind them; the same object where none has any."""
    some = packed.offsets[1:] > packed.offsets[:-1]
    ends = packed.codes[packed.offsets[:-1][some]], packed.codes[packed.offsets[1:][some] - 1]
    if not any((codes == N).any() for codes in ends):
        return packed
    known = np.concatenate([[-1], np.flatnonzero(packed.codes != N), [len(packed.codes)]])
    first = np.minimum(known[np.searchsorted(known, packed.offsets[:-1])], packed.offsets[1:])
    last = np.maximum(known[np.searchsorted(known, packed.offsets[1:]) - 1] + 1, first)
    return Packed(packed.codes[ranges(first, last - first)], np.concatenate([[0], np.cumsum(last - first)]))


def n_share(packed: Packed) -> np.ndarray:
    """Return the share of N in each sequence, float64[n]; 0 where it is empty."""
    return count_in(packed, packed.codes == N) / np.maximum(packed.lengths, 1)


def count_in(packed: Packed, where: np.ndarray) -> np.ndarray:
    """Return how many positions of each sequence are marked, int64[n], from bool[total]."""
    lengths = packed.lengths
    if not len(packed.codes) or not where.any():
        return np.zeros(packed.count, np.int64)
    first = np.minimum(packed.offsets[:-1], len(packed.codes) - 1)
    return np.where(lengths > 0, np.add.reduceat(where, first, dtype=np.int64), 0)

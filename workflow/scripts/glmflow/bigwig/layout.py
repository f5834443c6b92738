"""The records of a bigWig file."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

BIGWIG, BIGBED, CHROM_TREE, INDEX = 0x888FFC26, 0x8789F2EB, 0x78CA8C91, 0x2468ACE0
HEAD = "IHHQQQHHQQIQ"
"""Magic, version, zoom levels, offsets of the contigs, the data and their index, two unused, the offsets of a schema
and of the summary, the size of the largest section, one unused."""
SECTION = "IIIIIBBH"
"""Contig, start, end, step, span, kind, unused, items."""
SUMMARY = "Qdddd"
"""Bases with a value, the least and the greatest, the sum, the sum of squares."""
INDEX_HEAD = 48
"""Bytes before the root of an index."""
BED_GRAPH, VARIABLE_STEP, FIXED_STEP = 1, 2, 3
RECORDS = {
    BED_GRAPH: np.dtype([("start", "u4"), ("end", "u4"), ("value", "f4")]),
    VARIABLE_STEP: np.dtype([("start", "u4"), ("value", "f4")]),
    FIXED_STEP: np.dtype([("value", "f4")]),
}
LEAF = np.dtype(
    [(name, "u4") for name in ("first_chrom", "first", "last_chrom", "last")] + [("offset", "u8"), ("size", "u8")]
)
NODE = np.dtype(LEAF.descr[:-1])
ZOOM = np.dtype(
    [(name, "u4") for name in ("chrom", "start", "end", "bases")]
    + [(name, "f4") for name in ("minimum", "maximum", "sum", "squares")]
)


def compressed(content: bytes) -> bytes:
    """Return a section as it lies in a file: the same bytes on every processor.

    ISA-L, which reads sections here, would take half the time, but what it writes depends on the processor
    (docs/speed.md); files are known by their checksums.
    """
    return zlib.compress(content, 1)


class Runs(NamedTuple):
    """Stretches of equal values on one contig, sorted and disjoint.

    `starts` and `ends` are int64, 0-based half-open; `values` are float32.
    """

    starts: np.ndarray
    ends: np.ndarray
    values: np.ndarray


class Steps(NamedTuple):
    """Runs as they are kept: `edges` (int64[2n]) are where each begins and ends in turn, `values` are float32[n]."""

    edges: np.ndarray
    values: np.ndarray

    def runs(self) -> Runs:
        """Return the same as runs."""
        return Runs(self.edges[::2], self.edges[1::2], self.values)


class Bases(NamedTuple):
    """A stretch in which every base has a value of its own: `values` are float32, the first is that of `start`."""

    start: int
    values: np.ndarray

    def runs(self) -> Runs:
        """Return the same as runs of one base."""
        starts = np.arange(self.start, self.start + len(self.values))
        return Runs(starts, starts + 1, self.values)


class Summary(NamedTuple):
    """What the values of a file are like: the bases that have one, the least, the greatest, and the sum.

    The greatest may be stated as 0 where all values are negative.
    """

    bases: int
    minimum: float
    maximum: float
    total: float

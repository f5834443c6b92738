"""The records of a bigWig file."""

from __future__ import annotations

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


class Runs(NamedTuple):
    """Stretches of equal values on one contig, sorted and disjoint.

    `starts` and `ends` are int64, 0-based half-open; `values` are float32.
    """

    starts: np.ndarray
    ends: np.ndarray
    values: np.ndarray


def spread(runs: Runs) -> np.ndarray:
    """Write runs out one by one, from where the first begins to where the last ends: 0 where there is no value."""
    edges = np.empty(2 * len(runs.starts), np.int64)
    edges[::2], edges[1::2] = runs.starts, runs.ends
    values = np.zeros(len(edges) - 1, runs.values.dtype)  # runs and gaps in turn
    values[::2] = runs.values
    return values.repeat(edges[1:] - edges[:-1])

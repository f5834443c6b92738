"""Sections of a bigWig file: decoded, cut, and summed up."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from glmflow.bigwig.layout import BED_GRAPH, FIXED_STEP, RECORDS, SECTION, Bases, Runs, Steps, Summary

SECTION_HEAD = struct.calcsize("<" + SECTION)
KIND_AT = 20
"""The byte of a section that says of which kind its records are."""
_RECORDS = {order: {kind: record.newbyteorder(order) for kind, record in RECORDS.items()} for order in "<>"}


def decode(content: bytes, order: str, contig: int) -> Steps | Bases | None:
    """Return the values of a section; None where it has two for a base.

    Parameters
    ----------
    content
        Its bytes, inflated.
    order
        Byte order of its numbers, `<` or `>`.
    contig
        Number of the contig that it is to be of.

    Raises
    ------
    ValueError, LookupError, struct.error
        The bytes are no section of the contig.
    """
    number, origin, _, step, span, kind, _, items = struct.unpack_from(order + SECTION, content)
    if number != contig:
        raise ValueError("a section of another contig")
    records = np.frombuffer(content, _RECORDS[order][kind], items, SECTION_HEAD)
    values = records["value"].astype(np.float32)
    values.flags.writeable = False  # a stretch is handed out as a view
    if kind == FIXED_STEP and step == span == 1:
        return Bases(origin, values)
    edges = np.empty((items, 2), np.int64)
    edges[:, 0] = origin + step * np.arange(items) if kind == FIXED_STEP else records["start"]
    edges[:, 1] = records["end"] if kind == BED_GRAPH else edges[:, 0] + span
    edges = edges.reshape(-1)
    if not items:  # pyBigWig writes such a section where it goes from one kind to another
        return Steps(edges, values)
    if (edges[1:] < edges[:-1]).any():
        if (edges[1::2] < edges[::2]).any():
            raise ValueError("an interval that ends before it starts")
        return None
    if edges[-1] - edges[0] == items and (edges[1::2] > edges[::2]).all():
        return Bases(int(edges[0]), values)
    edges.flags.writeable = False
    return Steps(edges, values)


def summarize(portions: Iterable[Runs]) -> Summary:
    """Return the summary of the finite values of runs, which come in portions."""
    bases, minimum, maximum, total = 0, np.inf, -np.inf, 0.0
    for starts, ends, values in portions:
        kept = np.isfinite(values) & (ends > starts)
        if kept.any():
            spans, values = (ends - starts)[kept], values[kept].astype(np.float64)
            bases += int(spans.sum())
            minimum, maximum = min(minimum, float(values.min())), max(maximum, float(values.max()))
            total += float(values @ spans)
    return Summary(bases, minimum, maximum, total) if bases else Summary(0, 0.0, 0.0, 0.0)


def extent(found: Steps | Bases) -> tuple[int, int]:
    """Return where the values of a section that has some begin and end."""
    if isinstance(found, Bases):
        return found.start, found.start + len(found.values)
    return int(found.edges[0]), int(found.edges[-1])


def cut(found: Steps | Bases, start: int, end: int) -> tuple[Steps | Bases, int, int]:
    """Return the part of a stretch, and where it begins and ends (the same where there is none)."""
    if isinstance(found, Bases):
        first = max(found.start, start)
        last = max(min(found.start + len(found.values), end), first)
        return Bases(first, found.values[first - found.start : last - found.start]), first, last
    edges, values = found
    # Of the first edges every other one is an end: a run is left out that ends at `start` or before.
    low, high = int(edges.searchsorted(start, "right")) // 2, (int(edges.searchsorted(end)) + 1) // 2
    if low >= high:
        return found, start, start
    edges = edges[2 * low : 2 * high]
    first, last = int(edges[0]), int(edges[-1])
    if first < start or last > end:
        edges = edges.copy()
        edges[0], edges[-1] = first, last = max(first, start), min(last, end)
        edges.flags.writeable = False
    return Steps(edges, values[low:high]), first, last


def size_in_memory(found: Steps | Bases) -> int:
    """Return what a section takes of the memory."""
    return found.values.nbytes + (0 if isinstance(found, Bases) else found.edges.nbytes)

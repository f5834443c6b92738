"""The zoom levels of a bigWig file, which browsers show instead of the data where they are too many."""

from __future__ import annotations

from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

import numpy as np

from glmflow.bigwig.layout import ZOOM, Runs, compressed

FINEST = 1024  # bases of the first zoom level; each next one has four times as many
ITEMS = 256  # a section; a record is nearly three times as long as one of the data
_PORTION = 1 << 16
_IN_MEMORY = 1 << 20  # bytes of a zoom level: those of a human genome would take more than 50 MB
_ZOOM = ZOOM.newbyteorder("<")
LARGEST = ITEMS * _ZOOM.itemsize
"""Bytes of the largest section before it is compressed."""


class Bins(NamedTuple):
    """Statistics over bins of one width, one row a bin that holds a value; `bin` is its number on the contig."""

    bin: np.ndarray
    bases: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    sum: np.ndarray
    squares: np.ndarray


NO_BINS = Bins(*(np.empty(0, kind) for kind in ("i8", "i8", "f8", "f8", "f8", "f8")))


def bins_of(block: Runs) -> Bins:
    """Return the statistics of runs over the bins of the finest zoom level."""
    # In portions: bins take ten times the memory of the runs.
    firsts = range(0, len(block.starts), _PORTION)
    return _join(_concatenate([_bins(Runs(*(column[at : at + _PORTION] for column in block))) for at in firsts]))


def _bins(block: Runs) -> Bins:
    """Return the statistics of runs over the bins of the finest zoom level."""
    first, last = block.starts // FINEST, (block.ends - 1) // FINEST
    touched = last - first + 1
    run = np.repeat(np.arange(len(touched)), touched)
    number = first[run] + np.arange(len(run)) - np.repeat(np.cumsum(touched) - touched, touched)
    bases = np.minimum(block.ends[run], (number + 1) * FINEST) - np.maximum(block.starts[run], number * FINEST)
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


class Zoom:
    """A zoom level that grows: its compressed sections, on disk where they are many, and the bins not yet among them."""

    def __init__(self, width: int, folder: Path):
        self.width = width
        self.places: list[tuple[int, int, int, int]] = []
        self.sizes: list[int] = []
        self.bins = 0
        self.sections = SpooledTemporaryFile(_IN_MEMORY, dir=folder)  # noqa: SIM115 (open until it is copied)
        self.waiting = NO_BINS

    def add(self, bins: Bins, chrom: int, length: int, *, last: bool) -> Bins:
        """Append bins of a contig, the `last` ones or not; return those of the next level that are complete.

        A section is written once a bin follows it: what comes next may be of the last bin, too.
        """
        bins = _join(_concatenate([self.waiting, bins])) if len(bins.bin) else self.waiting
        items = ITEMS
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
        self.sizes.append(self.sections.write(compressed(records.tobytes())))
        self.bins += len(records)

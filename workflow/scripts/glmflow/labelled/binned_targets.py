"""Tracks in bins beside a table of intervals: arrays in files of a thousand, or records of TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.labelled.chosen_tracks import chosen_tracks
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.numbered_arrays import Binned, numbered_arrays
from glmflow.labelled.record_files import has_records
from glmflow.labelled.recorded_arrays import recorded_arrays

MOST = 50_000_000
"""Values that are read: 400 MB, some copies of which a table takes."""


class BinnedTargets(NamedTuple):
    """Tracks in bins beside a table, and what is read of them.

    Attributes
    ----------
    folder : Path
        `targets-{split}-{first}-{last}.npz` (`numbered_arrays`), or `{split}-{number}.tfr` (`recorded_arrays`).
    split
        Column of the table's splits.
    size, length
        Bases of a bin, and of a window around the middle of an interval.
    tracks
        Names or numbers of those that are read; none named: all.
    outputs
        Tracks of the files, where a published set says how many.
    """

    folder: Path
    split: str
    size: int
    length: int
    tracks: Sequence[str] = ()
    outputs: int | None = None


def central_bins(count: int, size: int, length: int) -> slice:
    """Return the bins that lie inside of the window of `length` bases around the middle of `count` bins of `size` bases."""
    outside = max(0, -(-(count * size - length) // (2 * size)))  # bins that a window cuts are left out
    return slice(outside, count - outside)


def read_binned_means(
    targets: BinnedTargets, table: TableFile, look: bool = False
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the mean of each track over the bins inside of a window around the middle of each interval, and their names.

    Parameters
    ----------
    table
        The intervals, with their splits.
    look
        Stop after the first array, whose rows alone are filled in: what is wrong with all of them is found.

    Returns
    -------
    means : float64[rows, tracks]
    names : list[str]

    Raises
    ------
    InputError
        As `numbered_arrays`, `recorded_arrays` and `chosen_tracks`; an array has another number of tracks than the first,
        a window is shorter than a bin, or there is more than can be held.
    """
    folder, size, length = targets.folder, targets.size, targets.length
    splits = [text for block in table.blocks([targets.split]) for text in block.column(targets.split).to_pylist()]
    if not splits:
        raise InputError("a table without rows", where=table.path, fix="Give rows below its header line.")
    read = recorded_arrays if has_records(folder) else numbered_arrays
    arrays: Iterator[Binned] = read(folder, table, splits, size)
    means, chosen, names, tracks = np.zeros((0, 0)), np.zeros(0, np.int64), [""], 0
    for path, name, rows, array in arrays:
        inside = array[central_bins(len(array), size, length)]
        if not len(inside):
            what = f"windows of {length:,} bases hold no bin of {size}"
            raise InputError(what, where="length", fix=f"Give {2 * size} bases or more.")
        if not means.size:
            tracks = array.shape[1]
            if targets.outputs is not None and tracks != targets.outputs:
                what = f"{tracks} tracks, and the published set has {targets.outputs}"
                raise InputError(what, where=path, fix="Give the files of this set, or leave the preset out.")
            chosen, names = chosen_tracks(folder, targets.tracks, tracks)
            _require_room(len(splits), len(chosen), folder)
            means = np.full((len(splits), len(chosen)), np.nan)
        if array.shape[1] != tracks:
            what = f"{name} has {array.shape[1]} tracks, and others have {tracks}"
            raise InputError(what, where=path, fix="Give files of one set.")
        means[rows] = inside[:, chosen].mean(axis=0, dtype=np.float64)
        if look:
            break
    return means, names


def _require_room(rows: int, tracks: int, folder: Path) -> None:
    """Stop if there are more values than a table holds."""
    if rows * tracks > MOST:
        what = f"{rows:,} rows of {tracks:,} tracks are {rows * tracks:,} values, of which {MOST:,} can be read"
        fix = f"Choose {MOST // rows:,} tracks or fewer by name or number: columns: {{label: ['0', '12']}}."
        raise InputError(what, where=folder, fix=fix)

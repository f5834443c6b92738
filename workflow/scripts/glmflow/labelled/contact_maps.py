"""Contact maps of TFRecord files, as Akita has them, read as values: the means of blocks of a coarse map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.packed import Collected, to_strings
from glmflow.labelled.binned_targets import central_bins
from glmflow.labelled.one_hot_file import letters_of, one_hot_of
from glmflow.labelled.record_files import record_files
from glmflow.labelled.tfrecords import read_examples


class ContactMaps(NamedTuple):
    """What the maps of a set are, and what is read of them.

    Attributes
    ----------
    bins, size
        Bins of a map, in the middle of its sequence, and their bases.
    diagonal
        The first diagonal that a map has: pairs of bins that are closer are in none.
    cells
        What the maps are of, in the order of a record's columns.
    parts
        Blocks along each side of the coarse map.
    cell
        The one of `cells` that is read.
    length
        Bases around the middle of a sequence that are read, and whose bins make up the coarse map.
    """

    bins: int
    size: int
    diagonal: int
    cells: Sequence[str]
    parts: int
    cell: str
    length: int


class Blocks(NamedTuple):
    """Which pairs of bins each block has.

    Attributes
    ----------
    pairs : int64[pairs]
        Places of the pairs in a record's list of them.
    block : int64[pairs]
        Block of each.
    names : list[str]
        `0-0`, `0-1` ...: the parts of the sequence, from its start, whose contacts a block has.
    bins : int
        Bins of the coarse map.
    """

    pairs: NDArray[np.int64]
    block: NDArray[np.int64]
    names: list[str]
    bins: int


def blocks_of(maps: ContactMaps) -> Blocks:
    """Return the blocks of the bins inside of the window: each pair of parts once, a part and itself too.

    Raises
    ------
    InputError
        The window is too short for a part to hold two bins that a map has a contact of.
    """
    inside = central_bins(maps.bins, maps.size, maps.length)
    count = inside.stop - inside.start
    if count < maps.parts * (maps.diagonal + 1):
        least = maps.parts * (maps.diagonal + 1) * maps.size
        what = f"windows of {maps.length:,} bases hold {max(count, 0)} bins of {maps.size:,}, too few for {maps.parts} parts"
        raise InputError(what, where="length", fix=f"Give {least:,} bases or more.")
    first, second = np.triu_indices(maps.bins, maps.diagonal)
    pairs = np.flatnonzero((first >= inside.start) & (second < inside.stop))
    sides = [(one[pairs] - inside.start) * maps.parts // count for one in (first, second)]
    number = np.full((maps.parts, maps.parts), -1)
    upper = np.triu_indices(maps.parts)
    number[upper] = np.arange(len(upper[0]))
    return Blocks(pairs, number[sides[0], sides[1]], [f"{a}-{b}" for a, b in zip(*upper)], count)


def read_contact_maps(
    folder: Path, maps: ContactMaps, look: bool = False
) -> tuple[pd.DataFrame, NDArray[np.float64], list[str], str]:
    """Return the sequences of all records, the means of the blocks of each, the names of blocks, and what was taken.

    Parameters
    ----------
    folder
        `{split}-{number}.tfr`, with features `sequence`, uint8 `[bases, 4]`, and `target`, float16 `[pairs, cells]`: the
        upper triangle of a map from its `diagonal` on, row by row.
    look
        Stop after the first record.

    Returns
    -------
    rows : DataFrame
        `sequence` (the middle `length` bases alone), `lower` (0), `ambiguous` (N), `split`.
    means : float64[rows, blocks]
    names : list[str]
    taken : str

    Raises
    ------
    InputError
        A file is missing or damaged, a record has another size than the maps of the set, or a contact is not finite.
    """
    blocks, column = blocks_of(maps), maps.cells.index(maps.cell)
    files = record_files(folder)
    each = np.bincount(blocks.block, minlength=len(blocks.names))
    sequences, splits, means, unknown = Collected(), [], [], []
    for split, paths in files.items():
        for path in paths:
            for number, record in enumerate(read_examples(path, ("sequence", "target")), start=1):
                place = f"{path}, record {number}"
                letters = letters_of(_middle(record["sequence"], maps, place)[None], lambda _, place=place: place)  # type: ignore[misc]
                contacts = _contacts(record["target"], maps, place)[blocks.pairs, column].astype(np.float64)
                if not np.isfinite(contacts).all():
                    raise InputError("a contact that is not finite", where=place, fix="Fetch the file again.")
                sequences.add(letters)
                unknown.append(int((letters.codes == ord("N")).sum()))
                splits.append(split)
                means.append(np.bincount(blocks.block, contacts, len(blocks.names)) / each)
                if look:
                    return pd.DataFrame(), np.array(means), blocks.names, ""
    if not means:
        raise InputError("files without a record", where=folder, fix="Fetch them again.")
    rows = pd.DataFrame({"sequence": pd.Series(to_strings(sequences.whole()), dtype="str")})
    rows = rows.assign(lower=0, ambiguous=unknown, split=splits)
    taken = f"{folder}: {len(rows):,} maps of {maps.cell}; a value is the mean of a block of a coarse map, "
    taken += (
        f"{maps.parts} x {maps.parts} blocks of the {blocks.bins} bins of {maps.size:,} bases inside of the middle "
    )
    taken += f"{maps.length:,} bases, each pair of parts once"
    return rows, np.array(means), blocks.names, taken


def _middle(content: Sequence[memoryview], maps: ContactMaps, place: str) -> NDArray[np.uint8]:
    """Return the middle bases of a record's sequence, `[bases, 4]`."""
    found = one_hot_of(content[0] if len(content) else b"", place)
    if len(found) < maps.bins * maps.size:
        what = f"a sequence of {len(found):,} bases, shorter than its map of {maps.bins} bins of {maps.size:,}"
        raise InputError(what, where=place, fix="Give files of this set.")
    first = max(0, (len(found) - maps.length) // 2)
    return found[first : first + maps.length]


def _contacts(content: Sequence[memoryview], maps: ContactMaps, place: str) -> NDArray[np.float16]:
    """Return a record's contacts, `[pairs, cells]`."""
    side = maps.bins - maps.diagonal
    pairs, size = side * (side + 1) // 2, len(content[0]) if len(content) else 0
    if size != 2 * pairs * len(maps.cells):
        what = f"a target of {size:,} bytes, not {pairs:,} contacts of {len(maps.cells)} maps in 2 bytes each"
        raise InputError(what, where=place, fix="Give files of this set.")
    return np.frombuffer(content[0], "<f2").reshape(pairs, len(maps.cells))

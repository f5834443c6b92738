"""Sequences that a published set stores as arrays of 0 and 1 in an HDF5 file, a group of arrays a split, as DART-Eval does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.packed import Collected, Packed, count_in, to_strings

if TYPE_CHECKING:
    import h5py

SUFFIXES = (".h5", ".hdf5")
SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""Splits by their names in the file."""
LETTERS = np.frombuffer(b"ACGTN", np.uint8)
BASES = 1 << 22
"""Bases that are read at a time: four bytes each."""


def is_one_hot(path: Path) -> bool:
    """Return whether a file is one of arrays, by its name."""
    return path.name.lower().endswith(SUFFIXES)


def one_hot_rows(path: Path, arrays: Sequence[Mapping[str, str]]) -> tuple[pd.DataFrame, str]:
    """Return the rows of a file of arrays, and what was taken for what.

    Parameters
    ----------
    arrays
        Where rows stand, one entry for each set of them: `sequence`, the name of a data set `[n, bases, 4]` whose channels are
        A, C, G and T (none of them: N), with `{split}` in it; `label` and `group`, data sets `[n]`; or `class` and `subset`,
        which are those of all its rows.

    Returns
    -------
    rows : DataFrame
        `sequence`, `lower` (0), `ambiguous` (N), `split`, `row`; `label`, `group`, `subset` as text, where there are any.
    taken : str
        In words.

    Raises
    ------
    InputError
        It is no HDF5 file, lacks a data set, or one has another shape or another number of rows, or is no array of 0 and 1.
    """
    import h5py

    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give the HDF5 file of the published set.")
    if not arrays:
        raise InputError("an HDF5 file of arrays, whose names only a preset knows", where=path, fix="Say `preset`.")
    sequences, tables = Collected(), []
    try:
        with h5py.File(path) as file:
            for entry in arrays:
                for word, split in SPLITS.items():
                    table = _of_entry(file, entry, word, path, sequences)
                    tables.append(table.assign(split=split))
    except OSError as error:
        raise InputError(f"cannot be read ({error})", where=path, fix="Fetch it again.") from None
    packed = sequences.whole()
    rows = pd.concat(tables, ignore_index=True)
    rows["ambiguous"], rows["lower"] = count_in(packed, packed.codes == ord("N")), 0
    rows.insert(0, "sequence", pd.Series(to_strings(packed), dtype="str"))
    rows["row"] = np.arange(1, len(rows) + 1)
    said = [", ".join(f"{role} = {name}" for role, name in entry.items()) for entry in arrays]
    return rows, f"{path}: {'; '.join(said)}"


def _of_entry(file: h5py.File, entry: Mapping[str, str], word: str, path: Path, sequences: Collected) -> pd.DataFrame:
    """Take in the sequences of an entry and a split; return its other columns."""
    name = entry["sequence"].format(split=word)
    data = _data_set(file, name, path)
    if data.ndim != 3 or data.shape[2] != 4 or not data.shape[1]:
        what = f"{name} is {list(data.shape)}, not [rows, bases, 4]"
        raise InputError(what, where=path, fix="Give the file of the published set.")
    for packed in _packed(data, name, path):
        sequences.add(packed)
    found: dict[str, Any] = {}
    for role in ("label", "group"):
        if role in entry:
            beside = _data_set(file, entry[role].format(split=word), path)
            if beside.shape != data.shape[:1]:
                what = f"{beside.name} is {list(beside.shape)} beside {data.shape[0]:,} sequences"
                raise InputError(what, where=path, fix="Give the file of the published set.")
            found[role] = pd.Series(beside[:]).astype(str).astype("str")
    found |= {role: entry[key] for key, role in (("class", "label"), ("subset", "subset")) if key in entry}
    return pd.DataFrame(found, index=range(data.shape[0]))


def _data_set(file: h5py.File, name: str, path: Path) -> h5py.Dataset:
    """Return a data set of a file."""
    import h5py

    if name not in file or not isinstance(file[name], h5py.Dataset):
        has = ", ".join(file) or "nothing"
        raise InputError(f"no data set {name}", where=path, fix=f"It has {has}; does `preset` name this file's set?")
    return file[name]


def _packed(data: h5py.Dataset, name: str, path: Path) -> Iterator[Packed]:
    """Yield the sequences of a data set, some at a time."""
    bases = data.shape[1]
    step = max(1, BASES // bases)
    for first in range(0, data.shape[0], step):
        part: NDArray = data[first : first + step]
        yield letters_of(part, lambda row, first=first: f"{path}, {name}, row {first + row + 1}")  # type: ignore[misc]


def letters_of(part: NDArray, place: Callable[[int], str]) -> Packed:
    """Return the sequences of an array `[rows, bases, 4]` of channels A, C, G and T; none of them is N.

    Parameters
    ----------
    place
        Where a row stands, for messages.

    Raises
    ------
    InputError
        It holds other numbers than 0 and 1, or a base of two channels.
    """
    total = part.sum(axis=2, dtype=np.int64)
    odd = ~np.isin(part, (0, 1)).all(axis=(1, 2)) | (total > 1).any(axis=1)
    if odd.any():
        what = "bases that are not one of four channels, each 0 or 1"
        raise InputError(what, where=place(int(odd.argmax())), fix="Fetch the file again.")
    codes = LETTERS[np.where(total == 1, part.argmax(axis=2), 4)]
    return Packed(codes.reshape(-1), np.arange(len(part) + 1, dtype=np.int64) * part.shape[1])


def one_hot_of(content: bytes | memoryview, place: str) -> NDArray[np.uint8]:
    """Return an array `[bases, 4]` from its bytes.

    Raises
    ------
    InputError
        They are none of whole bases.
    """
    found = np.frombuffer(content, np.uint8)
    if not len(found) or len(found) % 4:
        what = f"a sequence of {len(found):,} bytes, not four a base"
        raise InputError(what, where=place, fix="Give files of this set.")
    return found.reshape(-1, 4)

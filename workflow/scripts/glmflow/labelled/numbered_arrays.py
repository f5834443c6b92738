"""Tracks in bins as the Genomics Long-Range Benchmark has CAGE: arrays by number in files of a thousand."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.labelled.columns import require_columns
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.given_splits import split_name

WORDS = {"train": "train", "validation": "valid", "test": "test"}
"""Splits as names of files and arrays have them."""
FILE = re.compile(r"targets-([a-z]+)-(\d+)-(\d+)\.npz")


class Binned(NamedTuple):
    """One array of tracks in bins.

    Attributes
    ----------
    path : Path
        Its file.
    name
        What it is in there, for messages.
    rows
        Rows of the table that it is of, from 0.
    values
        `[bins, tracks]`.
    """

    path: Path
    name: str
    rows: list[int]
    values: NDArray


def numbered_arrays(folder: Path, table: TableFile, splits: Sequence[str], size: int) -> Iterator[Binned]:
    """Yield the arrays of a table's rows, one at a time.

    Parameters
    ----------
    folder
        `targets-{split}-{first}-{last}.npz`, each with arrays `target-{split}-{number}.npy`, `[1, bins, tracks]`.
    table
        `npy_idx`, the number of the array of each row.
    splits
        Split of each row, as the table has it.
    size
        Bases of a bin, which these files do not say.

    Raises
    ------
    InputError
        The table lacks the column, or an array is missing or damaged.
    """
    files = _files(folder)
    require_columns(("npy_idx",), table.header, table.path)
    numbers = [number for block in table.blocks(["npy_idx"]) for number in block.column("npy_idx").to_pylist()]
    rows: dict[tuple[str, int], list[int]] = {}
    for row, (split, number) in enumerate(zip(splits, numbers)):
        word = WORDS.get(split_name(str(split)) or "")
        if word is None or not str(number).isdecimal():
            what = f"split {split!r} and npy_idx {number!r} name no array"
            raise InputError(what, where=f"{table.path}, row {row + 1}", fix="Give the table as it was published.")
        rows.setdefault((word, int(number)), []).append(row)
    for path, first, last, word in files:
        wanted = [number for number in range(first, last + 1) if (word, number) in rows]
        for number, array in _arrays(path, word, wanted):
            yield Binned(path, f"array {number}", rows.pop((word, number)), array)
    if rows:
        (word, number), (row, *_) = next(iter(rows.items()))
        what = f"no file targets-{word}-*.npz has array {number} of row {row + 1} (nor those of {len(rows) - 1:,} more)"
        raise InputError(what, where=folder, fix="Fetch all files, or leave their rows out of the table.")


def _files(folder: Path) -> list[tuple[Path, int, int, str]]:
    """Return the files of arrays with their first and last number and their split."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    found = [(folder / name, int(m[2]), int(m[3]), m[1]) for name in names if (m := FILE.fullmatch(name))]
    if not found:
        what = "no folder of targets-{split}-{first}-{last}.npz, nor of {split}-{number}.tfr"
        raise InputError(what, where=folder, fix="Give the folder of targets beside the table.")
    return found


def _arrays(path: Path, word: str, numbers: list[int]) -> Iterator[tuple[int, NDArray]]:
    """Yield numbers and arrays `[bins, tracks]` of a file, one at a time; what it lacks is left out."""
    try:
        with np.load(path) as file:
            for number in numbers:
                name = f"target-{word}-{number}"
                if name not in file and f"{name}.npy" not in file:
                    continue
                array = file[name if name in file else f"{name}.npy"]
                array = array[0] if array.ndim == 3 and len(array) == 1 else array
                if array.ndim != 2 or array.dtype.kind not in "fiu":
                    what = f"array {number} is {array.dtype} {list(array.shape)}"
                    raise InputError(what, where=path, fix="Give arrays of [1, bins, tracks].")
                yield number, array
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot be read ({error})", where=path, fix="Fetch it again.") from None

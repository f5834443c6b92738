"""Tracks in bins beside a table of intervals, as the Genomics Long-Range Benchmark has CAGE: arrays in files of a thousand."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.labelled.columns import require_columns
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.given_splits import split_name

WORDS = {"train": "train", "validation": "valid", "test": "test"}
"""Splits as names of files and arrays have them."""
FILE = re.compile(r"targets-([a-z]+)-(\d+)-(\d+)\.npz")


def central_bins(count: int, size: int, length: int) -> slice:
    """Return the bins that lie inside of the window of `length` bases around the middle of `count` bins of `size` bases."""
    outside = max(0, -(-(count * size - length) // (2 * size)))  # bins that a window cuts are left out
    return slice(outside, count - outside)


def read_binned_means(folder: Path, table: TableFile, size: int, length: int) -> NDArray[np.float64]:
    """Return the mean of each track over the bins inside of a window around the middle of each interval, `[rows, tracks]`.

    Parameters
    ----------
    folder
        `targets-{split}-{first}-{last}.npz`, each with arrays `target-{split}-{number}.npy`, `[1, bins, tracks]`.
    table
        `split` and `npy_idx` (the number of the array) of each row.
    size, length
        Bases of a bin and of a window.

    Raises
    ------
    InputError
        The table lacks a column, an array is missing or damaged, it has another number of tracks than the first, or a
        window is shorter than a bin.
    """
    require_columns(("split", "npy_idx"), table.header, table.path)
    rows: dict[tuple[str, int], list[int]] = {}
    count = 0
    for block in table.blocks(["split", "npy_idx"]):
        for split, number in zip(block.column("split").to_pylist(), block.column("npy_idx").to_pylist()):
            word = WORDS.get(split_name(str(split)) or "")
            if word is None or not str(number).isdecimal():
                what = f"split {split!r} and npy_idx {number!r} name no array"
                raise InputError(
                    what, where=f"{table.path}, row {count + 1}", fix="Give the table as it was published."
                )
            rows.setdefault((word, int(number)), []).append(count)
            count += 1
    files = _files(folder)
    means: NDArray[np.float64] | None = None
    for path, first, last, word in files:
        wanted = [number for number in range(first, last + 1) if (word, number) in rows]
        for number, array in _arrays(path, word, wanted):
            inside = array[central_bins(len(array), size, length)]
            if not len(inside):
                what = f"windows of {length:,} bases hold no bin of {size}"
                raise InputError(what, where="length", fix=f"Give {2 * size} bases or more.")
            if means is None:
                means = np.full((count, array.shape[1]), np.nan)
            if array.shape[1] != means.shape[1]:
                what = f"array {number} has {array.shape[1]} tracks, and others have {means.shape[1]}"
                raise InputError(what, where=path, fix="Give files of one set.")
            means[rows.pop((word, number))] = inside.mean(axis=0, dtype=np.float64)
    if rows:
        (word, number), (row, *_) = next(iter(rows.items()))
        what = f"no file targets-{word}-*.npz has array {number} of row {row + 1} (nor those of {len(rows) - 1:,} more)"
        raise InputError(what, where=folder, fix="Fetch all files, or leave their rows out of the table.")
    if means is None:
        raise InputError("a table without rows", where=table.path, fix="Give rows below its header line.")
    return means


def _files(folder: Path) -> list[tuple[Path, int, int, str]]:
    """Return the files of arrays with their first and last number and their split."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    found = [(folder / name, int(m[2]), int(m[3]), m[1]) for name in names if (m := FILE.fullmatch(name))]
    if not found:
        what = "no folder of targets-{split}-{first}-{last}.npz"
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

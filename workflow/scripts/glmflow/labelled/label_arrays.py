"""Labels in a file beside a table of regions, a row each in the order of its rows: HDF5 as BEND has them, or a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.labelled.classes import Kind, Labels, named, read_labels
from glmflow.labelled.delimited import SUFFIXES, TableFile


def read_label_array(path: Path, rows: int, name: str = "labels") -> NDArray:
    """Return a data set of an HDF5 file whose rows are those of a table.

    Raises
    ------
    InputError
        The file has no such data set, or another number of rows.
    """
    import h5py

    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give the HDF5 file of the labels.")
    try:
        with h5py.File(path) as file:
            if name not in file or not isinstance(file[name], h5py.Dataset):
                has = ", ".join(file) or "none"
                raise InputError(f"no data set {name!r}", where=path, fix=f"It has {has}.")
            if len(file[name].shape) < 1 or file[name].shape[0] != rows:
                found = file[name].shape[0] if file[name].shape else 0
                what = f"{found:,} rows of labels for {rows:,} regions"
                raise InputError(what, where=path, fix="Give the labels of these regions.")
            return file[name][:]
    except OSError as error:
        raise InputError(f"no HDF5 file ({error})", where=path, fix="Fetch it again.") from None


def is_table(path: Path) -> bool:
    """Return whether labels are a table, by the name of their file."""
    return path.name.lower().removesuffix(".gz").endswith(SUFFIXES)


def read_label_table(path: Path, rows: int) -> tuple[NDArray[np.float64], list[str]]:
    """Return a table of numbers whose rows are those of another table, `[rows, labels]`, and its header.

    Raises
    ------
    InputError
        It is no table, a cell is no number, or it has another number of rows.
    """
    file = TableFile(path)
    parts: list[NDArray[np.float64]] = []
    for block in file.blocks(file.header):
        first = sum(map(len, parts)) + 1
        columns = [
            pd.to_numeric(block.column(name).to_pandas(), errors="coerce").to_numpy(float) for name in file.header
        ]
        part = np.stack(columns, axis=1)
        if np.isnan(part).any():
            row, column = np.argwhere(np.isnan(part))[0]
            place = f"{path}, row {first + row}, column {file.header[column]}"
            raise InputError("no number", where=place, fix="Give a number a label and row, and no other column.")
        parts.append(part)
    found = np.concatenate(parts)
    if len(found) != rows:
        what = f"{len(found):,} rows of labels for {rows:,} regions"
        raise InputError(what, where=path, fix="Give the labels of these regions.")
    return found, file.header


def array_labels(
    array: NDArray,
    kind: Kind | None,
    names: Mapping[Any, str] | None,
    where: str,
    of: int | None = None,
    rows: NDArray[np.int64] | None = None,
) -> Labels:
    """Return what the labels of an array are: of one column a class or value, of several 0 and 1 any of them, else values.

    Parameters
    ----------
    array
        `[n]` or `[n, labels]` of numbers.
    kind
        What they are; recognised by their numbers where None.
    names
        Names of the columns, or of classes, by number.
    where
        The file, for messages.
    of
        Columns that a published set has.
    rows
        Number of each row in the file, for messages.

    Raises
    ------
    InputError
        It has another shape or number of columns, a number is not finite, or labels are not 0 and 1.
    """
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2) or not array.size:
        what = f"a data set of {array.dtype} {list(array.shape)}"
        raise InputError(what, where=where, fix="Give a number a row, or a row of numbers.")
    array = array if array.ndim == 2 else array[:, None]
    count = array.shape[1]
    if of is not None and count != of:
        what = f"{count} labels a row, and the published set has {of}"
        raise InputError(what, where=where, fix="Give the labels of this set, or leave the preset out.")
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        place = f"{where}, row {row + 1 if rows is None else rows[row]}"
        raise InputError("a label that is not finite", where=place, fix="Give finite numbers.")
    if count == 1:
        values = array[:, 0].astype(np.float64)
        whole = bool((values == np.floor(values)).all())
        if kind == "values" or (kind is None and not whole):  # as they are: a text would have fewer digits
            return Labels("values", pd.DataFrame({"target": values}), ["label"], ["label"], "numbers")
        column = (pd.Series(array[:, 0].astype(np.int64)).astype(str) if whole else pd.Series(values).map(repr)).astype(
            "str"
        )
        return read_labels({"label": column}, "classes" if kind == "labels" else kind, names, where)
    binary = bool(((array == 0) | (array == 1)).all())
    if kind == "classes":
        raise InputError(f"{count} labels a row, which are no class", where=where, fix="Say labels: labels or values.")
    if kind == "labels" and not binary:
        raise InputError("labels other than 0 and 1", where=where, fix="Say labels: values.")
    found = [str(column) for column in range(count)]
    shown, several = named(found, names), binary and kind != "values"
    table = pd.DataFrame(array.astype(np.int8 if several else np.float64), columns=[f"target_{name}" for name in found])
    return Labels("labels" if several else "values", table, shown, found, f"{count} columns of {Path(where).name}")

"""Matrices of keys x regions as the hackathon exchanges them: CSV, keys as rows, regions as columns."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.files import MISSING, atomic_path
from glmflow.text_files import as_table, open_text


class BindingMatrix(NamedTuple):
    """Labels or predictions, `values[keys, regions]`."""

    keys: list[str]
    regions: list[str]
    values: NDArray

    def take(self, keys: list[str], regions: list[str]) -> NDArray:
        """Return the values of some keys and regions, in that order."""
        row = {name: place for place, name in enumerate(self.keys)}
        column = {name: place for place, name in enumerate(self.regions)}
        rows, columns = [row[name] for name in keys], [column[name] for name in regions]
        return self.values[np.ix_(rows, columns)]


def read_matrix(path: str | os.PathLike[str]) -> BindingMatrix:
    """Read a CSV whose first column holds the keys and whose header names the regions.

    Raises
    ------
    InputError
        No such file, or something that is no number.
    """
    with as_table(path):
        with open_text(path) as lines:
            header = lines.readline().rstrip("\r\n").split(",")[1:]
        values = dict.fromkeys(range(1, len(header) + 1), MISSING)  # a key may be called NA, or 001
        with open_text(path) as lines:
            table = pd.read_csv(
                lines, index_col=0, dtype={0: str}, header=None, skiprows=1, keep_default_na=False, na_values=values
            )
    if table.shape[1] != len(header):
        what = f"{len(header)} regions in the header, {table.shape[1]} columns of values"
        raise InputError(what, where=path, fix="Give a CSV of keys x regions.")
    wrong = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if wrong:
        raise InputError(f"column {header[wrong[0] - 1]!r} holds what is no number", where=path, fix="Give numbers.")
    return BindingMatrix(
        table.index.astype(str).tolist(), [name.strip('"') for name in header], table.to_numpy(np.float64)
    )


def write_matrix(matrix: BindingMatrix, path: str | os.PathLike[str]) -> None:
    """Write a CSV as the hackathon takes it."""
    table = pd.DataFrame(matrix.values, index=matrix.keys, columns=matrix.regions)
    with atomic_path(path) as temporary:
        table.to_csv(temporary, lineterminator="\n", float_format="%.10g")

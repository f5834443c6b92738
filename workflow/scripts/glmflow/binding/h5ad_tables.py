"""What is needed of an h5ad file (AnnData's layout on HDF5): the matrix, and the tables of its rows and columns."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from glmflow.errors import InputError

Matrix = NDArray | sparse.csr_array


class Annotated(NamedTuple):
    """A matrix `[rows, columns]`, dense or CSR, with the tables of its rows (`obs`) and columns (`var`)."""

    matrix: Matrix
    obs: pd.DataFrame
    var: pd.DataFrame


def read_h5ad(path: str | Path) -> Annotated:
    """Read an h5ad file; layers and embeddings are left where they are.

    Raises
    ------
    InputError
        It is no HDF5 file, or none of AnnData's layout.
    """
    path = Path(path)
    try:
        with h5py.File(path) as file:
            return Annotated(_matrix(file["X"], path), _table(file["obs"]), _table(file["var"]))
    except FileNotFoundError:
        raise InputError("no such file", where=path, fix="Check the path.") from None
    except (OSError, KeyError) as error:
        raise InputError(
            f"no h5ad file ({error})", where=path, fix="Give a file that AnnData 0.8 or later wrote."
        ) from None


def _matrix(item: h5py.Group | h5py.Dataset, path: Path) -> Matrix:
    if isinstance(item, h5py.Dataset):
        return item[()]
    kind = str(item.attrs.get("encoding-type", "csr_matrix"))
    maker = {"csr_matrix": sparse.csr_array, "csc_matrix": sparse.csc_array}.get(kind)
    if maker is None:
        raise InputError(f"a matrix of kind {kind}", where=path, fix="Write X dense, CSR or CSC.")
    parts = item["data"][()], item["indices"][()], item["indptr"][()]
    return maker(parts, shape=tuple(int(size) for size in item.attrs["shape"])).tocsr()


def _table(group: h5py.Group) -> pd.DataFrame:
    names = [str(name) for name in group.attrs.get("column-order", [])]
    index = str(group.attrs.get("_index", "_index"))
    columns = {name: _column(group[name], group) for name in names if name in group}
    return pd.DataFrame(columns, index=pd.Index(_column(group[index], group), name=None))


def _column(item: h5py.Group | h5py.Dataset, group: h5py.Group) -> NDArray:
    if isinstance(item, h5py.Group):
        if "codes" in item:
            return _of_codes(item["codes"][()], _column(item["categories"], group))
        values = np.asarray(_column(item["values"], group), object)  # nullable: values and a mask
        values[item["mask"][()]] = np.nan
        return values
    if "categories" in item.attrs:  # as AnnData before 0.8 wrote them
        return _of_codes(item[()], _column(group[item.attrs["categories"]], group))
    values = item[()]
    if values.dtype == object or values.dtype.kind == "S":
        return np.array([value.decode() if isinstance(value, bytes) else value for value in values], object)
    return values


def _of_codes(codes: NDArray, categories: NDArray) -> NDArray:
    found = np.asarray(categories, object)[np.maximum(codes, 0)]
    found[codes < 0] = np.nan
    return found

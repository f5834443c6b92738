"""Files that are either whole or absent."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import platform
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = (
    *("chrom", "contig", "split", "gene", "gene_id", "gene_name", "group", "sample", "population", "family"),
    *("example", "track", "biosample", "subset", "protocol", "task", "model", "adaptation"),
    *("class", "cell", "tf", "key", "motif", "cluster", "cell_features_of", "tf_features_of"),
    *(f"{name}_features_of_{draw}" for name in ("cell", "tf") for draw in range(2, 11)),
)
"""Columns that hold names, which may be written in digits alone: contigs 20 and 21, a gene 7157, a sample 1001."""
UNKNOWN = frozenset({"family", "population", "group", "gene_name", "biosample"})
"""Of these, columns in which it is usual to write `NA` for what they do not know."""
MISSING = (
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#NA",
    "<NA>",
    "NaN",
    "nan",
    "-NaN",
    "-nan",
    "NULL",
    "null",
    "None",
    "#N/A N/A",
)
"""What stands for a number that is missing."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it when the block ends without an error.

    The temporary name keeps the suffixes of `path`, so that writers that look at them behave. Works for a file or a
    folder (an existing folder is replaced). On an error nothing is left behind and an earlier `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp.{platform.node()}.{os.getpid()}.{path.name}")
    _remove(temporary)
    try:
        yield temporary
        follow_umask(temporary)
        if temporary.is_dir() and path.exists():
            _remove(path)
        temporary.replace(path)
    except OSError as error:
        if error.filename is None and error.errno in NO_ROOM:  # the system does not say which file it was
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)


def follow_umask(path: Path) -> None:
    """Give files that only their owner may read the mode that the user's umask asks for.

    Writers that go through a temporary file of their own (safetensors) leave 0600; a lab shares its results.
    """
    umask = os.umask(0)
    os.umask(umask)
    for item in [path, *path.rglob("*")] if path.is_dir() else [path]:
        if item.is_file() and not item.is_symlink() and item.stat().st_mode & 0o777 == 0o600:
            item.chmod(0o666 & ~umask)


def _remove(path: Path) -> None:
    """Delete a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's content as hexadecimal digits."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_table(table, path: str | os.PathLike[str]) -> None:
    """Write a data frame whole or not at all, without its index: parquet or CSV by that suffix, else tab-separated text."""
    suffix = Path(path).suffix
    with atomic_path(path) as temporary:
        if suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(
                temporary, sep="," if suffix == ".csv" else "\t", index=False, lineterminator="\n", float_format="%.10g"
            )


def read_table(path: str | os.PathLike[str]):
    """Read a tab-separated table as a data frame in which names stay text: contig 20 is `"20"`, never the number.

    Text is `""` nowhere: an empty field is NaN, in columns of names as in all others. A cell or sample may be called `NA`
    or `nan`: in columns of names only an empty field is missing (but for `UNKNOWN`).
    """
    return read_delimited(path, NAMES)


def read_named_rows(path: str | os.PathLike[str]):
    """Read a tab-separated table whose first column holds names, whatever it is called; the rest as `read_table`."""
    return read_delimited(path, NAMES, first=1)


def read_delimited(path: str | os.PathLike[str], names: Iterable[str], sep: str = "\t", first: int = 0, **options: Any):
    """Read a table in which the columns `names`, and the `first` ones, are text; missing where empty (but for `UNKNOWN`).

    Parameters
    ----------
    path
        A file, plain or compressed, or an open one.
    options
        Of `pandas.read_csv`.
    """
    import pandas as pd  # files are checked while the workflow is parsed, without it

    if hasattr(path, "read"):
        path = io.StringIO(path.read())
    columns = list(pd.read_csv(path, sep=sep, nrows=0))
    if hasattr(path, "seek"):
        path.seek(0)
    options.setdefault("index_col", False)  # separators at the ends of lines move no column
    text = {name for name in names if name in columns} | set(columns[:first])
    missing = {name: [""] if name in text and name not in UNKNOWN else MISSING for name in columns}
    return pd.read_csv(
        path, sep=sep, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=missing, **options
    )

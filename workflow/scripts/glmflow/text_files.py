"""Files as users have them: plain, gzip or bgzip, complete or cut short, with any line ends."""

from __future__ import annotations

import codecs
import csv
import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from isal import igzip, isal_zlib

from glmflow.errors import InputError

BLOCK = 65280
"""Bytes of a block of bgzip before compression."""
CHUNK = 1 << 17
"""Bytes that are read at a time."""
END_OF_BGZF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that ends every bgzip file (SAM specification, section 4.1.2): without it the file was cut short."""
UNREADABLE = (OSError, EOFError, zlib.error, isal_zlib.error)
"""What reading a damaged or missing file raises."""


def compression(path: Path) -> str:
    """Return `none`, `gzip` or `bgzip` from a file's first bytes.

    Raises
    ------
    InputError
        The file is missing or cannot be read.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(18)
    except FileNotFoundError:
        raise InputError("no such file", where=path, fix="Check the path.") from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path, fix="Check the path.") from None
    if head[:2] != b"\x1f\x8b":
        return "none"
    return "bgzip" if len(head) == 18 and head[3] & 4 and head[12:14] == b"BC" else "gzip"


def check_complete(path: Path) -> str:
    """Return the compression of a file; stop at a bgzip file without its end: readers would take what is left for all.

    A cut between two blocks leaves no other trace. Other gzip files are found out when they are read.

    Raises
    ------
    InputError
        The file is missing, or its end-of-file block is.
    """
    kind = compression(path)
    if kind == "bgzip":
        with path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - len(END_OF_BGZF)))
            if handle.read() != END_OF_BGZF:
                raise InputError(
                    f"cut short: {size:,} bytes without the end-of-file block of bgzip",
                    where=path,
                    fix="Fetch or write it again; if it is complete, compress it again with bgzip.",
                )
    return kind


class _Source(io.RawIOBase):
    """The bytes of a file, decompressed; what is wrong with it is an `InputError`, what its reader does with them is not."""

    def __init__(self, path: Path, file: BinaryIO):
        self._path, self._file = path, file

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:  # type: ignore[override]
        try:
            return self._file.readinto(target)
        except UNREADABLE as error:
            raise damaged(self._path, error) from error

    def close(self) -> None:
        self._file.close()
        super().close()


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a file for reading, decompressed.

    Raises
    ------
    InputError
        The file is missing or cut short; while it is read: damaged.
    """
    # Opened before there is a source, whose end Python 3.13 would complain of where the file cannot be opened.
    file = path.open("rb") if check_complete(path) == "none" else igzip.open(path, "rb")
    return io.BufferedReader(_Source(path, file), CHUNK)


def damaged(path: Path, error: Exception | str) -> InputError:
    """Return the error for a file that breaks off or whose bytes were changed."""
    return InputError(f"damaged or cut short ({error})", where=path, fix="Fetch or write it again.")


@contextmanager
def open_text(path: str | os.PathLike[str], errors: str = "strict") -> Iterator[TextIO]:
    """Open UTF-8 text, plain or compressed, for reading: any line ends, a byte order mark dropped.

    Parameters
    ----------
    errors
        What happens to bytes that are not UTF-8: `strict` refuses them, `replace` puts U+FFFD in their place.

    Raises
    ------
    InputError
        The file is missing, damaged, cut short, or not UTF-8 text.
    """
    path = Path(path)
    with open_bytes(path) as handle:
        head = handle.peek(CHUNK)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head:
            raise InputError("not UTF-8 text", where=path, fix="Save it as plain text in UTF-8.")
        text = io.TextIOWrapper(handle, encoding="utf-8-sig", errors=errors)
        try:
            yield text
        except UnicodeDecodeError as error:
            raise InputError(f"not UTF-8 text ({error.reason})", where=path, fix="Save it in UTF-8.") from None


def text_lines(path: str | os.PathLike[str], errors: str = "strict") -> Iterator[tuple[int, str]]:
    """Yield number (from 1) and text of every line that is not blank, without its line end; as `open_text` otherwise."""
    with open_text(path, errors) as handle:
        for number, line in enumerate(handle, 1):
            line = line.rstrip("\n")
            if line.strip():
                if "\0" in line:
                    raise InputError("not text: a zero byte", where=f"{path}:{number}", fix="Save it as plain text.")
                yield number, line


@contextmanager
def as_table(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what pandas and pyarrow raise on a table that is damaged, ragged or in another encoding into one line.

    Raises
    ------
    InputError
        The table cannot be read.
    """
    import pandas as pd  # files are opened while the workflow is parsed, without it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells beyond the header would be dropped
            yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError("no such file", where=path, fix="Check the path.") from None
    except pd.errors.EmptyDataError:
        raise InputError("an empty file", where=path, fix="Give a table with a header line.") from None
    except pd.errors.ParserWarning:
        what, fix = "a row has more cells than the header has names", "Give every column a name, in the first line."
        raise InputError(what, where=path, fix=fix) from None
    except (*UNREADABLE, ValueError, OverflowError, MemoryError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"not a table ({reason})", where=path, fix="Correct it, or fetch it again.") from None


def read_cells(path: str | os.PathLike[str], comments: bool = False):
    """Return a user's table as text: CSV or TSV (by its first line), plain or compressed; or parquet, with its own types.

    Cells are as they are written (`NA`, `007`, `1e5`), an absent one is empty. Blank columns at the end, which
    spreadsheets leave behind, are dropped.

    Parameters
    ----------
    comments
        Lines that begin with # are left out.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        The file is missing, damaged or empty, or has cells beyond its header.
    """
    import pandas as pd

    path = Path(path)
    if path.suffix in (".parquet", ".pq"):
        with as_table(path):
            return pd.read_parquet(path)
    lines = ((number, text) for number, text in text_lines(path) if not (comments and text.startswith("#")))
    skipped, header = next(lines, (0, ""))
    if not header:
        raise InputError("an empty file", where=path, fix="Give a table with a header line.")
    separator = max("\t,;", key=header.count)
    names, first = (
        [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
        for line in (header, next(lines, (0, ""))[1])
    )
    width = max(len(names), len(first)) + 1  # one to spare, so that a longer row further down is seen
    with as_table(path), open_text(path) as handle:
        try:
            table = pd.read_csv(
                handle, sep=separator, header=None, names=range(width), skiprows=skipped, dtype=str,
                keep_default_na=False, index_col=False,
            ).fillna("")  # fmt: skip
        except pd.errors.EmptyDataError:  # a header alone
            table = pd.DataFrame(columns=range(width), dtype=str)
    if comments:
        table = table[~table[0].str.startswith("#")].reset_index(drop=True)
    beyond = table[range(len(names), width)]
    if (beyond != "").to_numpy().any():
        row = int((beyond != "").any(axis=1).to_numpy().argmax()) + 1
        what = f"row {row} has more cells than the header has names ({len(names)})"
        raise InputError(what, where=path, fix="Give every column a name, in the first line.")
    table = table[range(len(names))]
    table.columns = [name if names.count(name) == 1 else f"{name}.{place}" for place, name in enumerate(names)]
    blank = [place for place, name in enumerate(names) if not name and (table.iloc[:, place] == "").all()]
    return table.drop(columns=table.columns[blank])


def ends_with_line(path: Path) -> bool:
    """Return whether plain text ends with a whole line; True of compressed files, which say themselves when they are cut."""
    if compression(path) != "none":
        return True
    with path.open("rb") as handle:
        handle.seek(max(0, handle.seek(0, os.SEEK_END) - 1))
        return handle.read() in (b"\n", b"\r")


class BgzipWriter(io.RawIOBase):
    """Writes what it is given as bgzip, to be wrapped in `io.BufferedWriter(..., BLOCK)`; closing it ends the file.

    isal at its fastest level takes a fortieth of the time of htslib's own writer for DNA, 6% larger.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._file = Path(path).open("wb")  # noqa: SIM115 closed with the writer

    def writable(self) -> bool:
        """Return True: it is made for writing."""
        return True

    def write(self, data) -> int:  # type: ignore[override]
        """Write bytes in blocks of their own; return how many."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), BLOCK):
            plain = view[start : start + BLOCK]
            packed = isal_zlib.compress(plain, 1, wbits=-15)
            size = struct.pack("<H", len(packed) + 25)
            self._file.write(END_OF_BGZF[:16] + size + packed + struct.pack("<II", zlib.crc32(plain), len(plain)))
        return len(view)

    def close(self) -> None:
        """Write the end-of-file block and close the file."""
        if not self.closed:
            try:
                super().close()
                self._file.write(END_OF_BGZF)
            finally:
                self._file.close()


@contextmanager
def write_bytes(path: Path, packed: bool) -> Iterator[BinaryIO]:
    """Open a file for writing, plain or (`packed`) bgzip."""
    with io.BufferedWriter(BgzipWriter(path), BLOCK) if packed else path.open("wb") as handle:
        yield handle

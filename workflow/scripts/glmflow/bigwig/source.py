"""The bytes of a bigWig file, and what is said where they make no sense."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isal import isal_zlib  # the same streams as zlib's, read in half the time

from glmflow.errors import InputError

DAMAGE = (isal_zlib.error, struct.error, ValueError, LookupError, OverflowError, OSError)
"""What garbage raises where it is decoded."""


class Source:
    """A file that is read at random; it keeps no position, so that forked processes may share it.

    Attributes
    ----------
    path : Path
        The file.
    size : int
        Its bytes.
    order : str
        Byte order of its numbers, `<` or `>`; set by whoever reads the head.

    Raises
    ------
    InputError
        The file is missing or cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self.order = "<"
        try:
            self._file = self.path.open("rb", buffering=0)
        except FileNotFoundError:
            raise InputError("no such bigWig file", where=path, fix="Check the path.") from None
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", where=path, fix="Check the path.") from None
        self._number = self._file.fileno()
        self.size = os.fstat(self._number).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes of the file; fewer than asked for are a truncated file."""
        content = os.pread(self._number, size, offset) if 0 <= offset <= self.size - size else b""
        if len(content) < size:
            raise InputError(f"a truncated bigWig file: it ends at byte {self.size:,}", where=self.path, fix=_AGAIN)
        return content

    def unpack(self, layout: str, offset: int) -> tuple:
        """Return numbers that lie at an offset."""
        layout = self.order + layout
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextmanager
    def decoding(self, part: str) -> Iterator[None]:
        """Say of whatever decoding raises that this part of the file is damaged."""
        try:
            yield
        except DAMAGE as error:
            raise self.damaged(part) from error

    def damaged(self, part: str) -> InputError:
        """Return the error that says which part of the file is damaged."""
        return InputError(f"a damaged bigWig file: {part}", where=self.path, fix=_AGAIN)


_AGAIN = "Fetch or write it again."

"""Records of FASTA files of any alphabet, read one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from glmflow.errors import InputError
from glmflow.text_files import text_lines


class FastaRecord(NamedTuple):
    """A record: its name (the first word of its title, which may be empty), title, the number of that line, and letters."""

    name: str
    title: str
    line: int
    sequence: str


def fasta_records(
    path: str | os.PathLike[str],
    errors: str = "strict",
    check: Callable[[str, str, str], None] | None = None,
    fix: str = "Give a FASTA file.",
) -> Iterator[FastaRecord]:
    """Yield the records of a FASTA file, plain or gzip; none of a file without any line.

    Parameters
    ----------
    errors
        What happens to bytes that are not UTF-8 (`text_files.open_text`).
    check
        Is called with name, place (``path:line``) and letters of every line as it is read.
    fix
        The fix that the error names if it is no FASTA file.

    Raises
    ------
    InputError
        The file is missing or damaged, or does not begin with a record.
    """
    head: tuple[str, int] | None = None
    parts: list[str] = []
    for number, line in text_lines(path, errors):
        if line.startswith(">"):
            if head is not None:
                yield _record(*head, parts)
            head, parts = (line[1:].strip(), number), []
        elif head is None:
            raise InputError("not FASTA: it does not begin with '>'", where=f"{path}:{number}", fix=fix)
        else:
            letters = line.strip()
            if check is not None:
                check(_name(head[0]), f"{path}:{number}", letters)
            parts.append(letters)
    if head is not None:
        yield _record(*head, parts)


def _record(title: str, line: int, parts: list[str]) -> FastaRecord:
    return FastaRecord(_name(title), title, line, "".join(parts))


def _name(title: str) -> str:
    return title.split(maxsplit=1)[0] if title else ""

"""A log of decisions, each line tied to the one before by a hash: what was taken out or changed is found."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from glmflow.errors import InputError

START = "0" * 64
"""What the first line is tied to."""


class AuditLog:
    """Append-only lines of JSON: `number`, `previous`, what was decided, and `hash` over all of it.

    An existing log is verified before anything is added. A last line without its end, of a process that was killed while it
    wrote, is taken off: nothing was released on it.

    Raises
    ------
    InputError
        The log was changed.
    """

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            whole = path.read_bytes()
            if whole and not whole.endswith(b"\n"):
                with path.open("r+b") as file:
                    file.truncate(whole.rfind(b"\n") + 1)
        self.count, self.head = verify(path) if path.is_file() else (0, START)

    def add(self, entry: Mapping[str, Any]) -> str:
        """Append an entry and return its hash; on disk when this returns."""
        line = {"number": self.count, "previous": self.head, **entry}
        line["hash"] = _hash(line)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, (json.dumps(line, sort_keys=True) + "\n").encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        self.count, self.head = self.count + 1, line["hash"]
        return self.head


def verify(path: Path, entries: Collection[str] = ()) -> tuple[int, str]:
    """Return how many lines a log has and the hash of the last.

    Parameters
    ----------
    entries
        Hashes that the log has to hold, as the released sequences say: without them, lines taken off the end, or a log that
        was begun again, are not missed.

    Raises
    ------
    InputError
        A line was changed, taken out, added or moved; it is named.
    """
    previous, seen, count = START, set(), 0
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{path}:{number}"
        try:
            line = json.loads(text)
            held = line.pop("hash")
        except (ValueError, KeyError, AttributeError, TypeError):
            raise _broken("it is no entry of an audit log", where) from None
        if line.get("previous") != previous or line.get("number") != number - 1:
            raise _broken("the entry before it is missing or another one", where)
        if held != _hash(line):
            raise _broken("it was changed after it was written", where)
        previous, count = held, number
        seen.add(held)
    if not seen.issuperset(entries):
        raise _broken("an entry that sequences were released on is missing", str(path))
    return count, previous


def _hash(line: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()


def _broken(what: str, where: str) -> InputError:
    return InputError(
        f"the audit log does not hold: {what}",
        where=where,
        fix="Keep it as it is for whoever is responsible for it, and generate into another folder.",
    )

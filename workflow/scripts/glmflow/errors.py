"""The one exception a user is meant to read."""

from __future__ import annotations

from os import PathLike


class InputError(Exception):
    """Something the user gave cannot be used: what, where, and how to fix it, in one line.

    Parameters
    ----------
    what
        What is wrong, as a statement about the input.
    where
        The file, line or configuration key that holds it.
    fix
        What to do about it.
    """

    def __init__(self, what: str, *, where: str | PathLike[str] | None = None, fix: str | None = None):
        self.what = " ".join(str(what).split())
        self.where = None if where is None else str(where)
        self.fix = None if fix is None else " ".join(str(fix).split())
        super().__init__(str(self))

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        end = " " if line.endswith("?") else ". "
        return f"{line.rstrip('.')}{end}{self.fix}" if self.fix else line

    def __reduce__(self):
        return _rebuild, (self.what, self.where, self.fix)


class HopelessError(InputError):
    """A training run that would fail in the same way however often it is tried."""

    def __reduce__(self):
        return _rebuild_hopeless, (self.what, self.where, self.fix)


def _rebuild(what: str, where: str | None, fix: str | None) -> InputError:
    """Rebuild an `InputError` that crossed a process boundary."""
    return InputError(what, where=where, fix=fix)


def _rebuild_hopeless(what: str, where: str | None, fix: str | None) -> HopelessError:
    """Rebuild a `HopelessError` that crossed a process boundary."""
    return HopelessError(what, where=where, fix=fix)

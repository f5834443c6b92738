"""Keys: pairs of a cell and a TF, written `cell_TF`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from glmflow.errors import InputError

NAMED = 5


def split_key(key: str, where: str | None = None) -> tuple[str, str]:
    """Return cell and TF of a key: what is before and behind its last underscore (cells may have some themselves).

    Raises
    ------
    InputError
        One of both is missing.
    """
    cell, _, tf = key.rpartition("_")
    if not cell or not tf:
        raise InputError(f"{key!r} is no key", where=where, fix="Write cell_TF, such as K562_REST.")
    return cell, tf


def key_of(cell: str, tf: str) -> str:
    """Return the key of a cell and a TF."""
    return f"{cell}_{tf}"


def require_once(names: Iterable[str], what: str, where: str | None = None) -> None:
    """Stop where a name is there twice, and say which."""
    seen: set[str] = set()
    twice = [name for name in names if name in seen or seen.add(name)]
    if twice:
        raise InputError(f"{what} {some_of(twice)} more than once", where=where, fix="Name each once.")


def some_of(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(str, names[:NAMED])) + more

"""Tracks by name or number, as a list of them beside their arrays has them (`targets.txt` of Basenji)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.contigs import some
from glmflow.labelled.delimited import TableFile

LIST = "targets.txt"
NAMING = ("identifier", "description")
"""Columns of the list that name tracks, the first of which that knows a name says which track it is."""


def chosen_tracks(folder: Path, tracks: Sequence[str], count: int) -> tuple[NDArray[np.int64], list[str]]:
    """Return the numbers of tracks, from 0, and what they are called.

    Parameters
    ----------
    folder
        That of the arrays; `targets.txt` may lie beside it, with a row a track, in their order.
    tracks
        Names, or numbers from 0, of those that are wanted; none named: all.
    count
        Tracks that there are.

    Raises
    ------
    InputError
        There is no such track, or several of one name, or the list has another number of tracks.
    """
    listed = _listed(folder.parent / LIST, count)
    if not tracks:
        names = next(iter(listed.values()), [])
        unique = names and len(set(names)) == count and all(names)
        return np.arange(count), names if unique else [str(number) for number in range(count)]
    return np.array([_number(name, listed, count, folder) for name in tracks], np.int64), list(tracks)


def _number(name: str, listed: dict[str, list[str]], count: int, folder: Path) -> int:
    for names in listed.values():
        found = [number for number, one in enumerate(names) if one == name]
        if len(found) > 1:
            what = f"{len(found)} tracks are called {name!r}: {some(map(str, found))}"
            raise InputError(what, where="columns.label", fix="Name one by its number, as text.")
        if found:
            return found[0]
    if name.isdecimal() and int(name) < count:
        return int(name)
    close = get_close_matches(name, [one for names in listed.values() for one in names], 1)
    where = folder.parent / LIST if listed else folder
    hint = f"Did you mean {close[0]!r}?" if close else f"Number one from 0 to {count - 1:,}"
    hint += "" if close or listed else f", or put the list of names beside the folder ({LIST})"
    raise InputError(f"no track {name!r}", where=where, fix=hint)


def _listed(path: Path, count: int) -> dict[str, list[str]]:
    """Return the names of all tracks by the columns that have them; none where there is no list."""
    if not path.is_file():
        return {}
    file = TableFile(path)
    columns = [name for name in NAMING if name in file.header]
    if not columns:
        what = f"none of the columns {' and '.join(NAMING)}"
        raise InputError(what, where=path, fix=f"It has {some(file.header, 8)}; give the list of the set.")
    blocks = list(file.blocks(columns))
    found = {name: [text for block in blocks for text in block.column(name).to_pylist()] for name in columns}
    listed = len(found[columns[0]])
    if listed != count:
        what = f"{listed:,} tracks, and the arrays have {count:,}"
        raise InputError(what, where=path, fix="Give the list of the set.")
    return found

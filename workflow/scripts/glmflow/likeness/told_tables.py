"""What models, motifs and profiles have told of pieces as a table, so that it is asked for in a job that may load models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.errors import InputError

from .further_measures import Further, Told

COLUMNS = ["piece", *Told._fields]


def name_of(piece: str) -> str:
    """Return what a piece is called in tables: its SHA-256. Controls are drawn, and no drawn base is written unscreened."""
    return hashlib.sha256(piece.encode("ascii")).hexdigest()


def told_table(pieces: Iterable[str], reference: Sequence[str], further: Further) -> pd.DataFrame:
    """Return a row a distinct piece: `piece` (its name), `bases`, `bits`, `embedding`, `motifs`, `families`.

    Of pieces of the reference alone, what they cost is not asked for.
    """
    rows = dict(zip(map(name_of, reference), further.of_reference(reference)))
    for piece in dict.fromkeys(pieces):
        rows[name_of(piece)] = further.tell(piece)
    return pd.DataFrame([{"piece": name, **told._asdict()} for name, told in rows.items()], columns=COLUMNS)


class ToldTables(Mapping[str, Told]):
    """What was told of pieces, by their names.

    Raises
    ------
    InputError
        Nothing was told of a piece.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        tables = [pd.read_parquet(path) for path in paths]
        self._told = {row["piece"]: _told(row) for table in tables for row in table.to_dict("records")}

    def __getitem__(self, name: str) -> Told:
        if name not in self._told:
            fix = "Make the files `judged.parquet` of the task anew: delete them."
            raise InputError("the judge was asked about other pieces than are compared", fix=fix)
        return self._told[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def of_reference(self, reference: Sequence[str]) -> list[Told]:
        """Return what was told of the pieces that others are compared with, but for what they cost."""
        names = map(name_of, reference)
        return [self._told[name]._replace(bits=None) for name in names if name in self._told]


def _told(row: Mapping) -> Told:
    bits = row["bits"]
    arrays = (None if row[name] is None else np.asarray(row[name]) for name in ("embedding", "motifs", "families"))
    return Told(int(row["bases"]), None if bits is None or np.isnan(bits) else float(bits), *arrays)

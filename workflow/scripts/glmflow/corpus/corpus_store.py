"""A corpus on disk: one byte a base in one file, and a table of its sequences; read by memory map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table

from .sequence_records import letters

TABLE, BASES, RECORD = "sequences.parquet", "bases.u8", "corpus.json"
COLUMNS = (
    "sequence",
    "assembly",
    "division",
    "taxid",
    "species",
    "genus",
    "family",
    "length",
    "n",
    "softmask",
    "gc",
    "topology",
    "sha256",
    "cluster",
    "split",
    "weight",
    "shared",
    "offset",
)


class Exclusions(NamedTuple):
    """What became of viruses of eukaryotes.

    Attributes
    ----------
    left_out, kept
        Sequences.
    reason
        Why they were kept; None where they were not.
    unjudged
        Sequences of which the files say nothing but a name: none of them could be recognised.
    """

    left_out: int = 0
    kept: int = 0
    reason: str | None = None
    unjudged: int = 0


def write_record(folder: Path, found: Exclusions) -> None:
    """Write what was left out of a corpus."""
    with atomic_path(folder / RECORD) as path:
        path.write_text(json.dumps({"eukaryotic_viruses": found._asdict()}, indent=1) + "\n")


def write_corpus(folder: Path, table: pd.DataFrame, sequences: Sequence[NDArray[np.uint8]]) -> None:
    """Write the bases of sequences one after the other, and their table with `offset` added."""
    lengths = table["length"].to_numpy(np.int64)
    table = table.assign(offset=np.cumsum(lengths) - lengths)
    with atomic_path(folder / BASES) as path, path.open("wb") as handle:
        for codes in sequences:
            codes.tofile(handle)
    write_table(table[list(COLUMNS)], folder / TABLE)


class Corpus:
    """A corpus that was built.

    Parameters
    ----------
    folder
        Holds `sequences.parquet` and `bases.u8`.

    Attributes
    ----------
    table
        A row a sequence.

    Raises
    ------
    InputError
        The files are not there, or do not belong together.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        if not (self.folder / TABLE).is_file():
            raise InputError("no corpus is here", where=self.folder, fix="Build it first.")
        self.table = pd.read_parquet(self.folder / TABLE)
        self._bases: NDArray[np.uint8] | None = None
        size = (self.folder / BASES).stat().st_size
        if size != int(self.table["length"].sum()):
            raise InputError(f"{BASES} has {size:,} bases, {TABLE} tells of others", where=self.folder)

    @property
    def exclusions(self) -> Exclusions:
        """What became of viruses of eukaryotes."""
        path = self.folder / RECORD
        return Exclusions(**json.loads(path.read_text())["eukaryotic_viruses"]) if path.is_file() else Exclusions()

    @property
    def bases(self) -> NDArray[np.uint8]:
        """All bases, memory-mapped: opened by each process for itself."""
        if self._bases is None:
            self._bases = np.memmap(self.folder / BASES, np.uint8, "r")
        return self._bases

    def __getstate__(self) -> dict:
        """Leave the memory map behind: a worker opens its own."""
        return self.__dict__ | {"_bases": None}

    def of(self, split: str) -> pd.DataFrame:
        """Return the rows of a split."""
        return self.table[self.table["split"] == split]

    def codes(self, row: int, start: int = 0, end: int | None = None) -> NDArray[np.uint8]:
        """Return the codes of part of a sequence, ``uint8[end - start]``; beyond the end of a circular one it goes on.

        Raises
        ------
        ValueError
            The part lies outside of a linear sequence.
        """
        own = self.table.loc[row]
        length, offset = int(own["length"]), int(own["offset"])
        end = length if end is None else end
        if 0 <= start <= end <= length:
            return np.array(self.bases[offset + start : offset + end])
        if own["topology"] != "circular" or start < 0 or end - start > length:
            raise ValueError(f"{start}-{end} lies outside of {own['sequence']} ({length} bases)")
        return np.array(self.bases[offset + (np.arange(start, end) % length)])

    def fetch(self, row: int, start: int, end: int) -> NDArray[np.uint8]:
        """Return part of a sequence as upper-case letters, ``uint8``."""
        return letters(self.codes(row, start, end))

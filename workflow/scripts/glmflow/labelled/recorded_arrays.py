"""Tracks in bins as Basenji writes them: TFRecord files whose records are in the order of the rows of their split."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.packed import Packed, pack
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.given_splits import read_split_column
from glmflow.labelled.numbered_arrays import Binned
from glmflow.labelled.one_hot_file import letters_of, one_hot_of
from glmflow.labelled.record_files import record_files
from glmflow.labelled.tfrecords import read_examples

STATISTICS = "statistics.json"


def recorded_arrays(folder: Path, table: TableFile, splits: Sequence[str], size: int) -> Iterator[Binned]:
    """Yield the arrays of a table's rows, one at a time.

    Parameters
    ----------
    folder
        `{split}-{number}.tfr` with a feature `target`, float16 `[bins, tracks]`; `statistics.json` beside it has
        `target_length` (bins) and `num_targets` (tracks).
    table
        For messages.
    splits
        Split of each row, as the table has it.
    size
        Bases of a bin.

    Raises
    ------
    InputError
        A file is missing or damaged, has other records than rows, or a record another size than `statistics.json` says.
    """
    rows, files = rows_of_splits(table, splits), record_files(folder)
    bins, tracks = read_statistics(folder.parent / STATISTICS, size)
    for split, own in rows.items():
        if split not in files:
            what = f"no file of the {split} split, which {len(own):,} rows of {table.path} are of"
            raise InputError(what, where=folder, fix="Fetch all files, or leave their rows out of the table.")
    for split, paths in files.items():
        own, count = rows.get(split, []), 0
        for path in paths:
            for number, record in enumerate(read_examples(path, ("target",)), start=1):
                count += 1
                if count > len(own):
                    what = f"more records of the {split} split than its {len(own):,} rows in {table.path}"
                    raise InputError(what, where=f"{path}, record {number}", fix="Give table and files of one set.")
                content = record["target"]
                if len(content) != 1 or len(content[0]) != 2 * bins * tracks:
                    what = f"target is not {bins} x {tracks} numbers of 2 bytes, as {STATISTICS} says"
                    raise InputError(what, where=f"{path}, record {number}", fix="Give files of one set.")
                array = np.frombuffer(content[0], "<f2").reshape(bins, tracks)
                yield Binned(path, f"record {number}", [own[count - 1]], array)
        if count < len(own):
            what = f"{count:,} records of the {split} split, and {table.path} has {len(own):,} rows of it"
            raise InputError(what, where=folder, fix="Fetch all files, or give the table that they are of.")


def rows_of_splits(table: TableFile, splits: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each split, from 0, in their order."""
    named = read_split_column(pd.Series(list(splits), dtype="str"), "of splits", str(table.path))
    return {str(split): np.flatnonzero(named == split).tolist() for split in named.unique()}


def read_statistics(path: Path, size: int) -> tuple[int, int]:
    """Return the bins and tracks of a target.

    Raises
    ------
    InputError
        The file is missing or is none of Basenji's, or its bins are not of `size` bases.
    """
    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give the statistics.json of the set, beside its table.")
    try:
        found = json.loads(path.read_text())
        bins, tracks, width = int(found["target_length"]), int(found["num_targets"]), found.get("pool_width", size)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = f"no statistics of a set of targets ({type(error).__name__}: {error})"
        raise InputError(what, where=path, fix="It has target_length and num_targets; fetch it again.") from None
    if width != size or bins < 1 or tracks < 1:
        what = f"{bins} bins of {width} bases, {tracks} tracks, where bins of {size} bases are expected"
        raise InputError(what, where=path, fix="Give the files of the published set.")
    return bins, tracks


def recorded_sequences(folder: Path, table: TableFile, splits: Sequence[str]) -> tuple[list[int], Packed]:
    """Return rows of the table and their sequences, which the first record of each split holds beside its target.

    Records without a feature `sequence` have none.

    Raises
    ------
    InputError
        A file is damaged, or a sequence is no array of 0 and 1.
    """
    rows, files = rows_of_splits(table, splits), record_files(folder)
    found: list[int] = []
    sequences = []
    for split in [split for split in rows if split in files]:
        place = f"{files[split][0]}, record 1"
        content = next(read_examples(files[split][0]), {}).get("sequence")
        if content is not None and len(content) == 1:
            found.append(rows[split][0])
            sequences.append(letters_of(one_hot_of(content[0], place)[None], lambda _, place=place: place).codes)  # type: ignore[misc]
    return found, pack(sequences)

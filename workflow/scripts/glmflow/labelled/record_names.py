"""Names of rows that several files use alike: each is told with the class or the file it stands in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glmflow.labelled.source_files import Part

COUNTED = r"^(.*?)(\d+)$"
"""A name that may count the records of its file: words that all of them begin with, and a number."""


def told_apart(names: pd.Series, files: pd.Series, parts: Sequence[Part]) -> pd.Series:
    """Return names of rows with what they are of before them (`promoter/17`), if some stand in several files.

    Where a file is a class, names are told by classes: one that stands in training and in test rows of a class still is the
    same. Where the names of every file count its records (`1`, `2` ...), they say nothing of another file: these are told
    by splits too.

    Parameters
    ----------
    names, files
        Of each row: its name, and the part that it stands in, a categorical in the order of `parts`.
    parts
        The files, or folders, of the data set.
    """
    if len(parts) < 2 or not names.duplicated().any():
        return names
    number = files.cat.codes.to_numpy()
    counting = all(counts_records(names[number == own]) for own in np.unique(number))
    before = np.array(_before(parts, counting), object)[number]
    known = names.notna() & (names.astype(str).str.strip() != "")
    return names.where(~known, before + names.astype(str).to_numpy(object))


def counts_records(names: pd.Series) -> bool:
    """Whether names are one word, or none, with the numbers from 0 or 1 to that of the last record, in any order."""
    found = names.astype(str).str.strip().str.extract(COUNTED)
    if found.isna().any(axis=None) or found[0].nunique() != 1 or found[1].str.len().max() > 18:
        return False
    number = np.sort(found[1].astype(np.int64).to_numpy())
    return bool(number[0] <= 1 and (np.diff(number) == 1).all())


def _before(parts: Sequence[Part], counting: bool) -> list[str]:
    """Return what stands before the names of each part: its class; of names that count, its split too, or its file."""
    own = [(part.split if counting else None, part.label) for part in parts]
    words = [(*pair, part.path.name) if counting and own.count(pair) > 1 else pair for pair, part in zip(own, parts)]
    return ["".join(f"{word}/" for word in some if word is not None) for some in words]

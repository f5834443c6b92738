"""The splits that a data set comes with, under the names that the workflow uses."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import some
from glmflow.genome.splits import SPLITS

SPELLINGS = {
    "train": ("train", "training", "tr", "trn"),
    "validation": ("validation", "valid", "val", "dev", "eval", "development"),
    "test": ("test", "testing", "tst", "held_out", "heldout"),
}
_KNOWN = {spelling: split for split, spellings in SPELLINGS.items() for spelling in spellings}


def split_name(text: str) -> str | None:
    """Return which of train, validation and test a spelling means; None if it means none."""
    return _KNOWN.get(text.strip().lower())


def read_split_column(column: pd.Series, name: str, where: str) -> pd.Series:
    """Return a column of splits in the workflow's spelling.

    Raises
    ------
    InputError
        A value is no split, or two spellings of one split stand side by side.
    """
    found = {text: split_name(str(text)) for text in column.unique()}
    unknown = [str(text) for text, split in found.items() if split is None]
    if unknown:
        row = int((column.astype(str) == unknown[0]).to_numpy().argmax()) + 1
        what = f"{unknown[0]!r} is no split" + (f" (nor {some(map(repr, unknown[1:]))})" if len(unknown) > 1 else "")
        place = f"{where}, row {row}, column {name}"
        raise InputError(what, where=place, fix="Write train, validation and test, or leave the column out.")
    spelled: dict[str, str] = {}
    for text, split in found.items():
        if spelled.setdefault(str(split), str(text)) != str(text):
            what = f"column {name}: {spelled[str(split)]!r} and {text!r} both mean {split}"
            raise InputError(what, where=where, fix="Write one of them.")
    if all(text == split for text, split in found.items()):  # most often: nothing is copied
        return column
    return column.map(found)


def parts_as_splits(column: pd.Series, fold: int, where: str) -> pd.Series:
    """Return splits of parts for cross-validation: the `fold`-th part by name is the test, the next one validation.

    Folds count from 1, and the part behind the last is the first, as BEND has them (Marin et al. 2024).

    Raises
    ------
    InputError
        There are fewer than three parts, or no such fold.
    """
    parts = sorted(column.astype(str).unique())
    if len(parts) < 3:
        what = f"{len(parts)} parts ({some(parts)}), which leave none to train on"
        raise InputError(what, where=where, fix="Give three parts or more, or leave `fold` out.")
    if fold > len(parts):
        raise InputError(f"fold {fold} of {len(parts)} parts ({some(parts)})", where=where, fix="Give a lower `fold`.")
    split = dict.fromkeys(parts, "train") | {parts[fold - 1]: "test", parts[fold % len(parts)]: "validation"}
    return column.astype(str).map(split)


def require_rows(split: pd.Series, wanted: Iterable[str] = ("train", "test"), where: str = "split") -> None:
    """Stop if a split that is wanted has no row.

    Raises
    ------
    InputError
        It has none; the counts of the others are said.
    """
    counts = split.value_counts()
    for name in wanted:
        if not counts.get(name, 0):
            has = ", ".join(f"{one} {counts[one]:,}" for one in SPLITS if counts.get(one, 0)) or "no row in any"
            raise InputError(
                f"the {name} split has no rows ({has})",
                where=where,
                fix="Give it rows, or split otherwise (splits.by).",
            )

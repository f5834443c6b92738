"""What the labels are: classes in a fixed order, several labels a row, or numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from glmflow.errors import InputError
from glmflow.genome.contigs import some

MOST_CLASSES = 50
"""Whole numbers with more values than this are not taken for classes without being asked."""
MISSING = ("", "na", "nan", "n/a", "null", "<na>", "#n/a", "nat", "?", ".")
"""Words that mean that there is no label, capitals or not."""
MISSING_AS_WRITTEN = ("None",)
"""Those that mean it as programs write them; `none` is a class."""
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")

Kind = Literal["classes", "labels", "values"]


class Labels(NamedTuple):
    """Labels of a data set.

    Attributes
    ----------
    kind
        `classes`: one of several; `labels`: any of several; `values`: numbers.
    targets : DataFrame
        `target` (class index, int64, or number), or `target_0` ... (0 or 1; or several numbers).
    classes : list[str]
        Names in the order of the class indices; of the label or value columns where there are several.
    found : list[str]
        As they are written in the files, in the same order.
    why
        How it was found, in words.
    """

    kind: Kind
    targets: pd.DataFrame
    classes: list[str]
    found: list[str]
    why: str


def read_labels(
    columns: Mapping[str, pd.Series],
    kind: Kind | None = None,
    names: Mapping[Any, str] | None = None,
    where: str = "labels",
    place: Callable[[int, str], str] | None = None,
) -> Labels:
    """Return what a data set's labels are; classes are sorted, never numbered as they come.

    Parameters
    ----------
    columns
        Label columns by name, as text, of all splits together: so that a class has one index in all of them.
    kind
        What they are; by default recognised from the text: words and up to 50 whole numbers are classes, other numbers values,
        lists any of several.
    names
        Names of classes that are numbers in the file; whole numbers keep their order.
    where
        The files, for messages.
    place
        File, row and column of a row, for messages.

    Raises
    ------
    InputError
        A label is missing or does not fit the others, or it cannot be recognised what they are.
    """
    place = place or (lambda row, name: f"{where}, row {row + 1}, column {name}")
    for name, column in columns.items():
        text = column.str.strip()
        missing = (text.str.lower().isin(MISSING) | text.isin(MISSING_AS_WRITTEN)).to_numpy()
        if missing.any():
            written = text.iloc[int(np.argmax(missing))]
            what = "no label" + (f" ({written!r} is none)" if written else "")
            what += f" (and in {int(missing.sum()) - 1} more rows)" if missing.sum() > 1 else ""
            raise InputError(what, where=place(int(np.argmax(missing)), name), fix="Leave the rows out, or label them.")
    if len(columns) > 1:
        return _several(columns, kind, where, place)
    name, column = next(iter(columns.items()))
    column = column.str.strip()
    distinct = sorted(column.unique())
    if distinct[0].startswith("[") and kind != "classes":
        return _lists(column, name, names, place, kind == "values")
    whole = [bool(_WHOLE.fullmatch(value)) for value in distinct]
    numbers = pd.to_numeric(pd.Series(distinct), errors="coerce").notna().to_numpy()
    if kind is None:
        if all(whole) and len(distinct) > MOST_CLASSES:
            what = f"column {name}: {len(distinct)} whole numbers could be classes or values"
            raise InputError(what, where=where, fix="Say target: classes or target: values.")
        kind = "values" if numbers.all() and not all(whole) else "classes"
    if kind == "values":
        return _values({"target": (name, column)}, place, "numbers")
    if kind == "labels":
        raise InputError(
            f"column {name} holds one label a row",
            where=where,
            fix="Write lists ([0, 1, 1]), or name several columns.",
        )
    if any(whole) and not all(whole):
        odd = distinct[whole.index(False)]
        row = int(np.argmax((column == odd).to_numpy()))
        raise InputError(
            f"label {odd!r} among whole numbers", where=place(row, name), fix="Write all labels in one way."
        )
    if numbers.all() and not all(whole) and len(distinct) > MOST_CLASSES:
        what = f"column {name}: {len(distinct)} different numbers, which are hardly classes ({distinct[0]} ...)"
        raise InputError(what, where=where, fix="Say labels: values, or name another column.")
    return _classes(column, distinct, all(whole), names, where)


def _classes(
    column: pd.Series, distinct: list[str], whole: bool, names: Mapping[Any, str] | None, where: str
) -> Labels:
    """Return class indices: whole numbers in their order, names sorted."""
    written = {value: str(int(float(value))) if whole else value for value in distinct}  # 1.0 and 1 are one class
    distinct = sorted(set(written.values()), key=int if whole else None)
    if len(distinct) < 2:
        raise InputError(f"one class alone: {distinct[0]}", where=where, fix="Give rows of two classes at least.")
    for spellings in [] if whole else alike(distinct):
        what = f"{' and '.join(map(repr, spellings))} differ in spelling alone: one class, or two?"
        raise InputError(what, where=where, fix="Write every class in one way.")
    index = {value: place for place, value in enumerate(distinct)}
    shown = named(distinct, names)
    # By Arrow: of a million rows no Python text is made.
    found = pc.index_in(pa.array(column), pa.array(list(written), pa.large_string())).to_numpy()
    number = np.array([index[value] for value in written.values()])
    targets = pd.DataFrame({"target": number[found]}, index=column.index)
    order = "whole numbers, in their order" if whole else "names, sorted"
    return Labels("classes", targets, shown, distinct, f"{len(distinct)} classes ({order})")


def alike(names: Iterable[str]) -> list[list[str]]:
    """Return the names that are the same but for capitals, spaces and underscores, those of each name together."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(re.sub(r"[\s_]+", "", name).casefold() or name, []).append(name)
    return [spellings for spellings in found.values() if len(spellings) > 1]


def named(found: list[str], names: Mapping[Any, str] | None) -> list[str]:
    """Return the names that the user gives to labels."""
    if not names or set(found) <= set(names.values()):  # they are called so already
        return found
    given = {str(label): name for label, name in names.items()}
    unnamed, unknown = [x for x in found if x not in given], [x for x in given if x not in found]
    if unnamed or unknown:
        what = f"no name for label {unnamed[0]}" if unnamed else f"no label {unknown[0]} in the data"
        raise InputError(what, where="classes", fix=f"Name {', '.join(found)}.")
    if len(set(given.values())) < len(given):
        raise InputError("two classes of one name", where="classes", fix="Give every class a name of its own.")
    return [given[label] for label in found]


def _values(columns: Mapping[str, tuple[str, pd.Series]], place: Callable[[int, str], str], why: str) -> Labels:
    targets = {}
    for target, (name, column) in columns.items():
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
        bad = ~np.isfinite(numbers)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"{column.iloc[row]!r} is no number", where=place(row, name), fix="Give finite numbers (1.5, not 1,5)."
            )
        targets[target] = numbers
    names = [name for name, _ in columns.values()]
    return Labels("values", pd.DataFrame(targets), names, names, why)


def _several(
    columns: Mapping[str, pd.Series], kind: Kind | None, where: str, place: Callable[[int, str], str]
) -> Labels:
    """Read several columns: all 0 and 1 are labels, else they are values."""
    binary = all(set(column.str.strip().unique()) <= {"0", "1", "0.0", "1.0"} for column in columns.values())
    if kind == "classes":
        raise InputError("several columns of classes", where=where, fix="Make a task of each.")
    if kind == "labels" and not binary:
        raise InputError("labels other than 0 and 1", where=where, fix="Give a column of 0 and 1 a label.")
    read = _values(
        {f"target_{i}": (name, column) for i, (name, column) in enumerate(columns.items())}, place, "numbers"
    )
    if not binary or kind == "values":
        return read
    return Labels(
        "labels", read.targets.astype(np.int64), read.classes, read.found, f"{len(columns)} columns of 0 and 1"
    )


def _lists(
    column: pd.Series,
    name: str,
    names: Mapping[Any, str] | None,
    place: Callable[[int, str], str],
    values: bool = False,
) -> Labels:
    """Read lists in text: `[0, 1, 1]`, or as numpy prints them `[0 1 1]`."""
    rows: list[list[float]] = []
    for row, text in enumerate(column):
        try:
            rows.append([float(value) for value in json.loads(text if "," in text else re.sub(r"\s+", ",", text))])
        except (ValueError, TypeError):
            raise InputError(
                f"{text[:40]!r} is no list of numbers", where=place(row, name), fix="Write [0, 1, 1]."
            ) from None
        if len(rows[-1]) != len(rows[0]):
            what = f"{len(rows[-1])} labels where the first row has {len(rows[0])}"
            raise InputError(what, where=place(row, name), fix="Give every row as many.")
    table = pd.DataFrame(rows, columns=[f"target_{i}" for i in range(len(rows[0]))])
    bad = ~np.isfinite(table.to_numpy()).all(axis=1)
    if bad.any():
        where = place(int(np.argmax(bad)), name)
        raise InputError("a list with a number that is not finite", where=where, fix="Give finite numbers.")
    found = [str(i) for i in range(table.shape[1])]
    binary = not values and bool(table.isin((0, 1)).all(axis=None))
    shown = named(found, names)
    kind: Kind = "labels" if binary else "values"
    return Labels(kind, table.astype(np.int64) if binary else table, shown, found, f"lists of {len(found)}")


def classes_table(labels: Labels, split: pd.Series) -> pd.DataFrame:
    """Return `classes.tsv`: `index`, `class`, `label` (as in the files) and rows of each split.

    Raises
    ------
    InputError
        A class has no row to train on.
    """
    table = pd.DataFrame({"index": range(len(labels.classes)), "class": labels.classes, "label": labels.found})
    if labels.kind == "values":
        return table
    for name in dict.fromkeys(["train", *split.dropna().unique()]):
        own = (split == name).to_numpy()
        if labels.kind == "classes":
            count = np.bincount(labels.targets["target"].to_numpy()[own], minlength=len(labels.classes))
        else:
            count = labels.targets.to_numpy()[own].sum(axis=0)
        table[str(name)] = count
    absent = table.loc[table["train"] == 0, "class"].tolist()
    if absent and len(split):
        what = f"class {some(absent)} has no row to train on"
        raise InputError(what, where="train", fix="Split otherwise, or leave the class out of the other splits.")
    return table

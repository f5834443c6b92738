"""What columns of batches (plate, run, cell type ...) say of labels and of splits: findings that no model could tell apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.contigs import some
from glmflow.labelled.audit_checks import Check
from glmflow.labelled.separability import SHORTCUT, SHORTCUT_R, SURE
from glmflow.labelled.split_checks import KIN

BATCH = "batch_"
"""Prefix of columns that are not asked for, and whose name says under which conditions rows were made."""
MANY = 20
"""Values from which on a column says whose rows belong together, more than under which conditions they were made."""
UNLIKE = 0.4
"""Total variation distance between a column's values among training and test rows from which on it is warned about."""


def batch_checks(rows: pd.DataFrame, split: NDArray, target: NDArray, classes: Sequence[str] | None) -> Iterator[Check]:
    """Yield for each column of batches whether it goes with the labels, and whether it goes with the split.

    Columns of donors and the like are asked about labels too, if they have up to `MANY` values.

    Parameters
    ----------
    rows
        `batch_{column}` and `kin_{column}`, where there are any; missing values are passed over.
    split, target
        Of each row: the split; class index or number.
    classes
        Names of the classes; None for numbers.
    """
    for column in rows:
        prefix = next((one for one in (BATCH, KIN) if str(column).startswith(one)), None)
        if prefix is None:
            continue
        values, word = rows[column], str(column).removeprefix(prefix)
        known = values.notna().to_numpy()
        number = pd.factorize(values[known])[0]
        count = int(number.max(initial=-1)) + 1
        if count < 2 or (count > MANY and prefix == KIN):
            continue
        if count <= MANY:
            yield _labels(word, number, count, np.asarray(target)[known], classes)
        if prefix == BATCH:
            yield from _splits(word, values[known].astype(str).to_numpy(object), split[known], count)


def _labels(word: str, number: NDArray[np.int64], count: int, target: NDArray, classes: Sequence[str] | None) -> Check:
    """Return what the other rows of the same value tell of a row's label: classes by majority, numbers by their mean."""
    rows = len(number)
    if classes is None:
        truth = target.astype(np.float64)
        size, total = np.bincount(number, minlength=count), np.bincount(number, truth, count)
        # Between values, as a share of all: the leave-one-out mean of small groups is anticorrelated with the row.
        mean = np.divide(total, size, out=np.zeros(count), where=size > 0)
        spread = float(truth.var())
        r = float(np.sqrt(((mean[number] - truth.mean()) ** 2).mean() / spread)) if spread > 0 else 0.0
        chance = np.sqrt((count - 1) / max(rows - 1, 1))
        telling = r > SHORTCUT_R and r > SURE * chance
        text = f"{word} alone goes with the values (r = {r:.3f} of its {count} means)"
        return Check(f"{word} alone", rows if telling else 0, rows, "WARN" if telling else "PASS", text)
    counts = np.zeros((count, len(classes)), np.int64)
    np.add.at(counts, (number, target), 1)
    others = counts[number]
    others[np.arange(rows), target] -= 1
    reached = float((others.argmax(axis=1) == target).mean())
    base = float(counts.sum(axis=0).max() / rows)
    part = (reached - base) / max(1 - base, 1e-9)
    telling = part > SHORTCUT and reached - base > SURE * np.sqrt(base * (1 - base) / rows)
    text = f"{word} alone reaches accuracy {reached:.3f} (majority {base:.3f})"
    if telling:
        text += f": what sets its {count} values apart cannot be told from what sets the classes apart"
    return Check(f"{word} alone", rows if telling else 0, rows, "WARN" if telling else "PASS", text)


def _splits(word: str, values: NDArray, split: NDArray, count: int) -> Iterator[Check]:
    """Yield how the values of a column are divided over training (with validation) and test rows."""
    seen, test = np.isin(split, ("train", "validation")), split == "test"
    total = int(test.sum())
    if not (total and seen.any()):
        return
    ours, theirs = (pd.Series(values[own]).value_counts(normalize=True) for own in (seen, test))
    distance = float(ours.sub(theirs, fill_value=0).abs().sum() / 2)
    shared = int(np.isin(values[test], ours.index).sum())
    if count > MANY:
        text = f"{shared:,} of {total:,} test rows have the {word} of a train or validation row"
        if shared:
            text += f"; splits: {{by: group, column: {word}}} keeps them apart"
        yield Check(f"{word}: test", shared, total, "WARN" if shared else "PASS", text)
        return
    sure = distance > SURE / 2 * np.sqrt((count - 1) * (1 / seen.sum() + 1 / total))
    if not shared:
        apart = f"{word} {some(theirs.index, 5)} in test rows alone, {some(ours.index, 5)} in the others"
        text = f"{apart}: scores are of another {word}"
    elif distance > UNLIKE and sure:
        most = ours.sub(theirs, fill_value=0).abs().idxmax()
        shares = f"{ours.get(most, 0):.1%} of the train and validation rows, {theirs.get(most, 0):.1%} of the test rows"
        text = f"{word} {most}: {shares}"
    else:
        text = f"{shared:,} of {total:,} test rows have the {word} of a train or validation row ({count} values, in like shares)"
        yield Check(f"{word} by split", 0, total, "PASS", text)
        return
    yield Check(f"{word} by split", total, total, "WARN", text)

"""Findings about splits beside copies: classes that are missing, labels that differ or are swapped, names, other groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from glmflow.genome.contigs import some
from glmflow.labelled.audit_checks import PROPERTY_WORDS, Check, spelled_alike

FEWEST_OF_CLASS = 10
"""Test rows of a class below which nothing can be said of it."""
UNLIKE = 0.1
"""Total variation distance between the classes of training and test rows that is warned about."""
SWAPPED = 0.35
"""AUROC on test rows, of what was fitted to training rows, at or below which labels look swapped."""
NEGATED = -0.4
"""Correlation on test rows, of what was fitted to training rows, at or below which values look negated."""
FAR = 0.4
"""Distance of the distributions of length, GC or N between training and test rows from which on these are called unlike."""
SURE = 4.0
"""Standard errors that make a finding more than chance."""
MEASURED, COMMON, SEVERAL = 0.9, 0.02, 5
"""Share of distinct values from which on values are measured; share, and rows, of one value that is no chance among them."""
UNLABELLED = re.compile(
    r"(unknown|missing|un(?:label+ed|defined|determined|assigned|classified|certain)|not[ _-]available)", re.I
)
"""Names of classes that say that the class is not known."""
KIN = "kin_"
"""Prefix of columns that are not asked for, and by whose name rows belong together."""


def split_checks(
    rows: pd.DataFrame,
    split: NDArray,
    target: NDArray,
    classes: Sequence[str] | None,
    properties: pd.DataFrame,
    backwards: NDArray[np.int64],
    describe: pd.DataFrame,
) -> list[Check]:
    """Return what is to be known of the splits, by name.

    Parameters
    ----------
    rows
        `named` (names that are not unique) and `kin_*` (unread columns of genes, donors ...) where there are any.
    split, target
        Of each row: the split; class index or number.
    classes
        Names of the classes; None for numbers.
    properties
        As `separability` returns it.
    backwards
        Test rows that are training rows written backwards, or the opposite strand written forwards.
    describe
        `length`, `gc`, `n_share` of each row, where known.
    """
    train, test = split == "train", split == "test"
    found = list(_names(rows, split))
    total = int(test.sum())
    text = (
        f"{len(backwards):,} of {total:,} test rows are other rows written backwards (or the opposite strand forwards)"
    )
    if total and len(backwards):
        found.append(
            ("backwards: test", len(backwards), total, "FAIL" if len(backwards) > 0.05 * total else "WARN", text)
        )
    if not (train.any() and total):
        return found
    found += _unlike(describe, train, test)
    if classes is None:
        return [*found, *_values(target[train], target[test]), *_negated(properties, int(test.sum()))]
    validation = target[split == "validation"]
    return [
        *found,
        *_classes(target[train], target[test], classes),
        *_unchosen(validation, classes),
        *_swapped(properties, target[test], classes),
    ]


def validation_checks(
    split: NDArray, target: NDArray, classes: Sequence[str] | None, properties: pd.DataFrame, describe: pd.DataFrame
) -> list[Check]:
    """Return whether validation rows are unlike training rows, or have labels that are swapped: what is chosen is wrong then.

    Parameters are those of `split_checks`; `properties` are fitted to training rows and scored on validation rows.
    """
    train, held = split == "train", split == "validation"
    found = list(_unlike(describe, train, held, "validation"))
    if classes is None:
        found += _negated(properties, int(held.sum()), "validation")
    else:
        found += _swapped(properties, target[held], classes, "validation")
    return [check._replace(check=f"{check.check} of validation") for check in found if check.verdict != "PASS"]


def _names(rows: pd.DataFrame, split: NDArray) -> Iterator[Check]:
    """Yield names that several rows have, and what is shared with training or validation rows by unread columns."""
    seen, test = np.isin(split, ("train", "validation")), split == "test"
    total = int(test.sum())
    if "named" in rows:
        twice = int(rows["named"].duplicated(keep=False).sum())
        text = f"{twice:,} rows share their name with another row, so that rows are called by their numbers"
        yield Check("names", twice, len(rows), "WARN", text)
    for column in ("named", *(name for name in rows if str(name).startswith(KIN))):
        if column not in rows or not total or not seen.any():
            continue
        values = spelled_alike(rows[column])
        shared = int((values.isin(set(values[seen].dropna())) & values.notna() & test).sum())
        word = "name" if column == "named" else column.removeprefix(KIN)
        text = f"{shared:,} of {total:,} test rows have the {word} of a train or validation row"
        if shared and column != "named":
            text += f"; splits: {{by: group, column: {word}}} keeps them apart"
        if shared or column != "named":
            yield Check(f"{word}: test", shared, total, "WARN" if shared else "PASS", text)


def _classes(train: NDArray, test: NDArray, classes: Sequence[str]) -> Iterator[Check]:
    """Yield classes that the test split lacks, and whether classes are as frequent in it as in training."""
    count = np.bincount(test, minlength=len(classes))
    few = [f"{name} {number}" for name, number in zip(classes, count) if number < FEWEST_OF_CLASS]
    text = "every class has test rows"
    if few:
        text = f"test rows of a class are few or none ({', '.join(few[:10])}): nothing can be said of it"
    yield Check("test rows of each class", len(few), len(classes), "WARN" if few else "PASS", text)
    seen = np.bincount(train, minlength=len(classes))
    for index, name in enumerate(classes):
        if UNLABELLED.fullmatch(str(name).strip()):
            rows = int(seen[index] + count[index])
            text = f"{rows:,} rows are of a class called {name!r}: leave them out, if their label is not known"
            yield Check("class without a label", rows, len(train) + len(test), "WARN", text)
    learned = seen / len(train)
    own = count / len(test)
    distance = float(np.abs(learned - own).sum() / 2)
    error = np.sqrt(learned * (1 - learned) / len(test)).sum() / 2
    place = int(np.abs(learned - own).argmax())
    text = f"{classes[place]}: {learned[place]:.1%} of the training rows, {own[place]:.1%} of the test rows"
    unlike = distance > UNLIKE and distance > SURE * error
    yield Check("shares of classes", len(test) if unlike else 0, len(test), "WARN" if unlike else "PASS", text)


def _unchosen(validation: NDArray, classes: Sequence[str]) -> Iterator[Check]:
    """Yield the classes without a validation row: what is chosen on that split is chosen without them."""
    if not len(validation):
        return
    count = np.bincount(validation, minlength=len(classes))
    absent = [name for name, number in zip(classes, count) if not number]
    text = "every class has validation rows"
    if absent:
        text = f"no validation row of {some(absent, 10)}: what is chosen on that split is chosen without them"
    yield Check("validation rows of each class", len(absent), len(classes), "WARN" if absent else "PASS", text)


def _unlike(
    describe: pd.DataFrame, train: NDArray[np.bool_], test: NDArray[np.bool_], held: str = "test"
) -> Iterator[Check]:
    """Yield whether held-out rows are as long and of such a composition as training rows (Kolmogorov and Smirnov's distance)."""
    most = SURE / 2 * np.sqrt(1 / train.sum() + 1 / test.sum())
    found = {}
    for name in ("length", "gc", "n_share"):
        if name in describe:
            values = describe[name].to_numpy(np.float64)
            found[name] = (float(ks_2samp(values[train], values[test], method="asymp").statistic), values)
    far = [name for name, (distance, _) in found.items() if distance > max(FAR, most)]
    text = f"{held} rows are as long and of such a composition as training rows"
    if far:
        words = {"length": "length", "gc": "GC content", "n_share": "share of N"}
        each = [
            f"{words[name]}: median {np.median(found[name][1][train]):.4g} of the training rows, "
            f"{np.median(found[name][1][test]):.4g} of the {held} rows"
            for name in far
        ]
        text = "; ".join(each)
    yield Check("unlike rows", int(test.sum()) if far else 0, int(test.sum()), "WARN" if far else "PASS", text)


def _swapped(properties: pd.DataFrame, test: NDArray, classes: Sequence[str], held: str = "test") -> Iterator[Check]:
    """Yield whether what is learned from training rows is wrong about held-out rows: labels of one of both are swapped."""
    if len(np.unique(test)) > 2:
        renamed = properties[properties["renamed"] != ""]
        text = f"what tells training labels tells {held} labels alike"
        if len(renamed):
            best = renamed.iloc[-1]
            pairs = [map(int, pair.split(">")) for pair in best["renamed"].split()]
            name = PROPERTY_WORDS.get(best["property"], best["property"])
            what = ", ".join(f"{classes[own]} of the {held} rows is {classes[taken]}" for own, taken in pairs)
            text = f"by {name} of training rows, {what}: numbers of classes exchanged?"
        count = len(test) if len(renamed) else 0
        yield Check("swapped labels", count, len(test), "FAIL" if count else "PASS", text)
        return
    if len(np.unique(test)) != 2:
        return
    ones, zeros = int(test.sum()), int((test == 0).sum())
    error = np.sqrt((len(test) + 1) / (12 * ones * zeros))
    worst = properties.loc[properties["auroc"].idxmin()] if properties["auroc"].notna().any() else None
    if worst is None:
        return
    bad = worst["auroc"] <= SWAPPED and 0.5 - worst["auroc"] > SURE * error
    name = PROPERTY_WORDS.get(worst["property"], worst["property"])
    text = f"what tells training labels tells {held} labels alike"
    if bad:
        opposite = f"what {name} tells of training rows is the opposite of the {held} rows"
        text = f"{opposite} (AUROC {worst['auroc']:.2f}): labels swapped?"
    yield Check("swapped labels", len(test) if bad else 0, len(test), "FAIL" if bad else "PASS", text)


def _negated(properties: pd.DataFrame, rows: int, held: str = "test") -> Iterator[Check]:
    """Yield whether what is learned from the values of training rows goes the opposite way among held-out rows."""
    worst = properties.loc[properties["value"].idxmin()] if properties["value"].notna().any() else None
    if worst is None:
        return
    bad = worst["value"] <= NEGATED and worst["value"] * np.sqrt(rows) < -SURE
    text = f"what tells training values tells {held} values alike"
    if bad:
        name = PROPERTY_WORDS.get(worst["property"], worst["property"])
        text = f"what {name} tells of training rows is the opposite of the {held} rows (r {worst['value']:.2f}): values negated?"
    yield Check("swapped labels", rows if bad else 0, rows, "FAIL" if bad else "PASS", text)


def _values(train: NDArray, test: NDArray) -> Iterator[Check]:
    """Yield whether values of test rows are of the scale of training rows, and values far from all others."""
    middle = np.median(train)
    spread = np.median(np.abs(train - middle)) * 1.4826
    shift = abs(np.median(test) - middle)
    ratio = np.median(np.abs(test - np.median(test))) * 1.4826 / spread if spread > 0 else 1.0
    unlike = spread > 0 and (shift > 2 * spread or not 1 / 3 < ratio < 3)
    text = (
        f"values of training rows: median {middle:.4g}, spread {spread:.3g}; of test rows: {np.median(test):.4g}, "
        f"{ratio * spread:.3g}"
    )
    yield Check("scale of values", len(test) if unlike else 0, len(test), "WARN" if unlike else "PASS", text)
    both = np.concatenate([train, test])
    far = np.abs(both - middle) > 1000 * spread if spread > 0 else np.zeros(len(both), bool)
    text = "no value is far from all others"
    if far.any():
        value = both[np.abs(both - middle).argmax()]
        text = f"{int(far.sum()):,} values are a thousand spreads from the median ({value:.4g}): a loss of squares learns these"
    yield Check("outlying values", int(far.sum()), len(both), "WARN" if far.any() else "PASS", text)
    yield _same_value(both)


def _same_value(values: NDArray) -> Check:
    """Return whether many rows have one value where the others hardly share any: filled in, or a limit of detection."""
    found, counts = np.unique(values, return_counts=True)
    most, others = int(counts.max()), np.sort(counts)[:-2]  # two: values may have a limit at either end
    measured = len(others) >= MEASURED * others.sum() > 0
    many = measured and most >= max(SEVERAL, COMMON * len(values))
    text = "no value is that of many rows"
    if many:
        text = (
            f"{most:,} rows have the very same value, {found[counts.argmax()]:.4g}, where the others hardly share any: missing "
            "values filled in, or a limit of detection?"
        )
    return Check("one value of many rows", most if many else 0, len(values), "WARN" if many else "PASS", text)

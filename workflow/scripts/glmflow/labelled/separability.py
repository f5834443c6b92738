"""What one trivial property of the sequences reaches on the test rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from glmflow.genome.packed import Packed
from glmflow.labelled.composition import kmer_table, one_hot, one_hot_ends
from glmflow.labelled.simple_predictors import Predict, by_quantile, by_value, logistic, majority, ridge, sampled
from glmflow.statistics.classification import auroc, class_scores
from glmflow.statistics.regression import value_scores

FITTED = 20_000
"""Training rows that the k-mer and position predictors of the audit are fitted to; a sample of larger sets."""
ALIGNED = 400
"""Columns of aligned sequences up to which each position is a feature."""
ENDS = 8
"""Bases at both ends that are features where sequences differ in length."""
TELLING = 0.8
"""Share of the way from the majority to perfection that a single property may reach before it is warned about."""
SHORTCUT, SHORTCUT_R = 0.25, 0.5
"""The same of one number beside the sequence (length, GC content, place ...), and the correlation with measured values."""
SHORTCUT_AUROC = 0.75
"""AUROC from which on such a number is warned about, however unequal the classes are."""
NUMBERS = (
    "length",
    "gc",
    "n_share",
    "cpg_oe",
    "first and last base",
    "ends",
    "contig",
    "strand",
    "nearest training interval",
)
SURE = 4.0
"""Standard errors that make it more than chance."""
EXCHANGED = 0.15
"""Gain in accuracy, averaged over classes, from which on another order of the classes is said to be the right one."""
WHOLE = 200_000
"""Rows whose length, composition and ends are scored."""


def separability(
    packed: Packed | None,
    facts: pd.DataFrame,
    target: NDArray,
    classes: int | None,
    train: NDArray,
    test: NDArray,
    seed: int = 0,
    places: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what each property alone reaches when it is fitted to training rows and scored on test rows.

    Parameters
    ----------
    packed
        The sequences; None where intervals alone are known.
    facts
        As `composition` returns it; of intervals their `length`.
    target
        Class indices, or numbers.
    classes
        Number of classes; None for numbers.
    train, test
        Rows.
    places
        `chrom`, `start` and `end` of each row, where known: what the contig, the strand (where known), and the label
        of the nearest training interval of the contig, tell.

    Returns
    -------
    DataFrame
        `property`, `metric` (`accuracy`, or `pearson` of numbers), `value`, `majority` (what the majority or the mean
        reaches), `auroc` (NaN for numbers), `telling` (it goes more than `TELLING` of the way to 1; of one number
        beside the sequence more than `SHORTCUT`, or an AUROC of `SHORTCUT_AUROC`), `renamed` (see `renamed_classes`).
    """
    generator = np.random.default_rng(seed)
    small_train, small_test = (sampled(rows, FITTED, generator) for rows in (train, test))
    train, test = (sampled(rows, WHOLE, generator) for rows in (train, test))
    rows = [("majority", majority(target[train], classes), test, target[test])]
    for name, bins in (("length", 40), ("gc", 20), ("n_share", 20), ("cpg_oe", 20)):
        if name in facts:
            values = facts[name].to_numpy(np.float64)
            rows.append((name, by_quantile(values[train], target[train], classes, bins), values[test], target[test]))
    if packed is not None:
        ends = (facts["first"] * 5 + facts["last"]).to_numpy(np.int64)
        rows.append(("first and last base", by_value(ends[train], target[train], classes), ends[test], target[test]))
    if places is not None:
        contig = pd.factorize(places["chrom"])[0]
        rows.append(("contig", by_value(contig[train], target[train], classes), contig[test], target[test]))
        if "strand" in places and places["strand"].nunique() > 1:
            turned = (places["strand"] == "-").to_numpy(np.int64)
            rows.append(("strand", by_value(turned[train], target[train], classes), turned[test], target[test]))
        near = nearest_on_contig(contig, (places["start"] + places["end"]).to_numpy(np.int64) // 2, train, test)
        rows.append(("nearest training interval", _label_of(target[train], classes), near, target[test]))
    if packed is None:
        return pd.DataFrame(_scored(rows, classes))
    fitted, scored = packed.take(small_train), packed.take(small_test)
    tables: dict[str, Callable[[Packed], NDArray]] = {
        "dinucleotides": lambda own: _frequencies(kmer_table(own, 2)),
        "3-mers": lambda own: _frequencies(kmer_table(own, 3)),
    }
    if len(np.unique(packed.lengths)) == 1 and 0 < packed.lengths[0] <= ALIGNED:
        tables["position"] = one_hot
    else:
        tables["ends"] = partial(one_hot_ends, width=ENDS)
    for name, make in tables.items():
        predict = _linear(make(fitted), target[small_train], classes, seed)
        rows.append((name, predict, make(scored), target[small_test]))
    return pd.DataFrame(_scored(rows, classes))


def _scored(rows: list[tuple[str, Predict, NDArray, NDArray]], classes: int | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, predict, features, observed in rows:
        predicted = predict(features)
        if classes is None:
            value, area = float(value_scores(observed, predicted)["pearson"][0]), float("nan")
        else:
            scores = class_scores(observed, predicted)
            value, area = float(scores["accuracy"][0]), float(scores["auroc"][0])
        base = value if name == "majority" else found[0]["value"]
        found.append(
            {
                "property": name,
                "metric": "pearson" if classes is None else "accuracy",
                "value": value,
                "majority": base,
                "auroc": area,
                "renamed": renamed_classes(observed, predicted) if classes is not None else "",
                "telling": _telling(name, value, base, area, observed, classes is None),
            }
        )
    return found


def _telling(name: str, value: float, base: float, area: float, observed: NDArray, numbers: bool) -> bool:
    """Whether a property says so much of the labels that it has to be known."""
    if name == "majority":
        return False
    if numbers:
        return value > (SHORTCUT_R if name in NUMBERS else TELLING)
    # Where test rows are mostly of a class that is rare in training, saying that class is no achievement.
    base = max(base, float(np.bincount(observed).max() / len(observed))) if len(observed) else base
    part = (value - base) / max(1 - base, 1e-9)
    if name not in NUMBERS:
        return part > TELLING
    sure = value - base > SURE * np.sqrt(base * (1 - base) / max(len(observed), 1))
    rarest = max(int(np.bincount(observed).min()) if len(observed) else 0, 1)
    sure_area = area - 0.5 > SURE * np.sqrt(1 / (12 * rarest))
    return bool((part > SHORTCUT and sure) or (area > SHORTCUT_AUROC and sure_area))


def renamed_classes(observed: NDArray[np.int64], predicted: NDArray[np.float64]) -> str:
    """Return which class of the test rows is taken for which, by number (`0>1 1>0`), if classes look exchanged; else nothing.

    They do where another order of the classes makes predictions right so much more often, averaged over classes, that it is
    more than chance, and by more than `EXCHANGED`.

    Parameters
    ----------
    observed, predicted
        Class of each row, and probabilities `[n, classes]`.
    """
    classes = predicted.shape[1]
    table = np.bincount(observed * classes + predicted.argmax(axis=1), minlength=classes**2).reshape(classes, classes)
    count = table.sum(axis=1)
    there = np.flatnonzero(count)
    if len(there) < 2:
        return ""
    share = table[there] / count[there, None]
    rows, taken = linear_sum_assignment(-share)
    gain = float(share[rows, taken].mean() - share[rows, there].mean())
    error = float(np.sqrt((1 / count[there]).sum()) / len(there))  # of a difference of two shares of one row, at most 1
    if gain <= max(EXCHANGED, SURE * error):
        return ""
    return " ".join(f"{there[row]}>{other}" for row, other in zip(rows, taken) if there[row] != other)


def nearest_on_contig(contig: NDArray, middle: NDArray, train: NDArray, test: NDArray) -> NDArray[np.int64]:
    """Return of each test row the place among the training rows of the one nearest to it on its contig; -1: none there."""
    span = int(middle.max(initial=0)) + 1
    order = np.lexsort((middle[train], contig[train]))
    known = contig[train][order].astype(np.int64) * (2 * span) + middle[train][order]
    wanted = contig[test].astype(np.int64) * (2 * span) + middle[test]
    after = np.searchsorted(known, wanted)
    both = np.stack([np.clip(after - 1, 0, len(known) - 1), np.clip(after, 0, len(known) - 1)])
    distance = np.abs(known[both] - wanted)
    closest = both[distance.argmin(axis=0), np.arange(len(test))]
    return np.where(distance.min(axis=0) < span, order[closest], -1)


def _label_of(target: NDArray, classes: int | None) -> Predict:
    """Return a function from places among training rows to their labels; -1 gets the shares, or the mean, of all."""
    each = np.eye(classes)[target] if classes is not None else np.asarray(target, np.float64)
    overall = majority(target, classes)
    return lambda places: np.where(
        (places < 0).reshape(-1, *([1] * (each.ndim - 1))), overall(places), each[np.maximum(places, 0)]
    )


def _linear(features: NDArray, target: NDArray, classes: int | None, seed: int) -> Predict:
    return ridge(features, target) if classes is None else logistic(features, target, classes, seed=seed)


def _frequencies(table: NDArray) -> NDArray:
    """Return k-mer counts as shares of a sequence's k-mers, so that its length is not among them."""
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1)


def direction(facts: pd.DataFrame, target: NDArray, name: str) -> float:
    """Return the AUROC of a property for class 1 of two, as it stands (below .5: class 0 has more of it)."""
    return float(auroc(target == 1, facts[name].to_numpy(np.float64))[0])

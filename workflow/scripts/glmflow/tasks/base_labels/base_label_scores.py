"""Scores of labels at every base: pooled over all bases, and per sequence; intervals over sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.classification import confusion_scores
from glmflow.statistics.group_draws import weight_blocks

LEVELS = 2048
"""Thresholds at which the area under a curve over millions of bases is computed."""


def confusions(observed: NDArray[np.int8], chosen: NDArray, classes: int) -> NDArray[np.float64]:
    """Return how often each class is taken for each in every sequence, `[sequences, classes, classes]`; -1 is left out."""
    found = np.zeros((len(observed), classes, classes))
    for row, (own, said) in enumerate(zip(observed, chosen)):
        scored = own >= 0
        cell = own[scored].astype(np.int64) * classes + said[scored]
        found[row] = np.bincount(cell, minlength=classes**2).reshape(classes, classes)
    return found


def pooled_scores(
    tables: NDArray[np.float64], groups: ArrayLike, draws: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Return scores over all bases with intervals over groups of sequences: `mcc`, `accuracy`, `f1_macro`, `f1_{class}` ...

    Confusion tables of sequences add up, so that a draw is a sum.

    Parameters
    ----------
    tables
        As `confusions` gives them.
    groups
        Group (block, contig) of each sequence.
    """
    classes = tables.shape[1]
    flat = tables.reshape(len(tables), -1)
    units = len(np.unique(np.asarray(groups)))
    value = _scores(flat.sum(axis=0, keepdims=True), classes)
    parts = [_scores(weights @ flat, classes) for weights in weight_blocks(groups, draws, seed)]
    found = {}
    for name, own in value.items():
        drawn = np.concatenate([part[name] for part in parts])
        low, high = np.nanpercentile(drawn, [2.5, 97.5]) if np.isfinite(drawn).any() else (np.nan, np.nan)
        found[name] = Interval(float(own[0]), float(low), float(high), units)
    return found


def _scores(flat: NDArray[np.float64], classes: int) -> dict[str, NDArray[np.float64]]:
    table = flat.reshape(-1, classes, classes)
    found = confusion_scores(table)
    hits = np.einsum("dcc->dc", table)
    both = table.sum(axis=2) + table.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(both > 0, 2 * hits / both, np.nan)
    return {**found, **{f"f1_{c}": each[:, c] for c in range(classes)}}


def per_sequence(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Matthews correlation of each sequence, `[sequences]`; 0 where one class alone is true or predicted."""
    return confusion_scores(tables)["mcc"]


def pooled_curves(
    positive: NDArray[np.bool_], score: NDArray, groups: ArrayLike, draws: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Return `auroc` and `auprc` over all bases (or bins) of sequences, with intervals over groups.

    Scores are put into 2,048 quantile bins, whose counts add up over sequences: exact to about 1 / 2,048.

    Parameters
    ----------
    positive, score
        `[sequences, L]`; NaN scores are not scored.
    """
    known = np.isfinite(score)
    edges = np.unique(np.quantile(score[known], np.linspace(0, 1, LEVELS + 1)[1:-1]))
    place = np.searchsorted(edges, np.where(known, score, 0), side="left")
    bins = len(edges) + 1
    counts = np.zeros((len(score), 2, bins))
    for row in range(len(score)):
        for kind in (0, 1):
            own = known[row] & (positive[row] == kind)
            counts[row, kind] = np.bincount(place[row, own], minlength=bins)
    flat = counts.reshape(len(counts), -1)
    units = len(np.unique(np.asarray(groups)))
    value = _curves(flat.sum(axis=0, keepdims=True), bins)
    parts = [_curves(weights @ flat, bins) for weights in weight_blocks(groups, draws, seed)]
    found = {}
    for name, own in value.items():
        low, high = np.nanpercentile(np.concatenate([part[name] for part in parts]), [2.5, 97.5])
        found[name] = Interval(float(own[0]), float(low), float(high), units)
    return found


def _curves(flat: NDArray[np.float64], bins: int) -> dict[str, NDArray[np.float64]]:
    down, up = np.moveaxis(flat.reshape(-1, 2, bins), 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.cumsum(down, axis=1) - down / 2
        area = (up * below).sum(axis=1) / (up.sum(axis=1) * down.sum(axis=1))
        falling_up, falling_all = np.cumsum(up[:, ::-1], axis=1), np.cumsum((up + down)[:, ::-1], axis=1)
        precision = np.nan_to_num(falling_up / falling_all)
        average = (up[:, ::-1] * precision).sum(axis=1) / up.sum(axis=1)
    return {"auroc": area, "auprc": average}

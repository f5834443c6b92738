"""What runs on haplotypes are compared by: windows of the genome x samples with their relatives, both left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.metrics import bounds
from glmflow.statistics.classification import class_scores
from glmflow.statistics.influence import Score, numbered, several_of_weights, summed
from glmflow.statistics.stored import Stored, digest

CHANCE = {"mcc": 0.0, "auroc": 0.5}
"""Metrics that runs are compared by, the first before the other, with the score of a model that knows nothing."""


def comparable_scores(
    part: pd.DataFrame, truth: NDArray[np.int64], scores: NDArray[np.float64], windows: NDArray
) -> dict[str, Stored]:
    """Return the mean over windows of each metric, with what each window in each sample adds.

    Parameters
    ----------
    part
        `example`, `group` (the sample with its relatives).
    truth, scores
        Class and probabilities of each row.
    windows
        Window of each row.
    """
    groups = part["group"].astype(str).to_numpy()
    units = digest(part["example"], groups, windows, truth)
    number, names = numbered(groups), np.unique(windows)
    found: dict[str, list[tuple[float, NDArray[np.float64]]]] = {name: [] for name in CHANCE}
    for window in names:
        own = np.flatnonzero(windows == window)
        for metric, one in _of_window(truth[own], scores[own], number[own]).items():
            influence = np.zeros(number.max() + 1)
            influence[np.unique(number[own])] = one.influence[:, 0]
            found[metric].append((one.value, influence))
    plays = bool((np.abs(scores - scores[0]) > 1e-12).any())
    return {
        metric: Stored(
            _mean(each, number, windows)._replace(plays=plays), units, chance=CHANCE[metric], bounds=bounds(metric)
        )
        for metric, each in found.items()
        if len(each) == len(names) and all(np.isfinite(value) for value, _ in each)
    }


def _of_window(truth: NDArray[np.int64], scores: NDArray[np.float64], groups: NDArray[np.int64]) -> dict[str, Score]:
    """Return the metrics of one window, by leaving out a sample at a time."""

    def metrics(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        found = class_scores(truth, scores, weights)
        return {name: found[name] for name in CHANCE if name in found}

    return several_of_weights(metrics, len(truth), groups)


def _mean(each: list[tuple[float, NDArray[np.float64]]], groups: NDArray[np.int64], windows: NDArray) -> Score:
    """Return the mean over windows; a window adds by how far it is from the mean, shared out over its samples."""
    values = np.array([value for value, _ in each])
    held = [np.isin(np.arange(groups.max() + 1), groups[windows == name]) for name in np.unique(windows)]
    cells = np.stack(
        [
            (influence + (value - values.mean()) * has / has.sum()) / len(values)
            for (value, influence), has in zip(each, held)
        ]
    )
    return Score(float(values.mean()), summed(cells, None))

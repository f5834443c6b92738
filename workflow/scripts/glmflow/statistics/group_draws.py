"""Bootstrap draws over groups that stand or fall together, as a table of how often each row is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .bootstrap import Interval

Weights = NDArray[np.float64]
Scores = Mapping[str, NDArray[np.float64]]


def group_weights(groups: ArrayLike, draws: int, seed: int = 0) -> Weights:
    """Return how often each row is drawn in each bootstrap draw, `[draws, rows]`: whole groups, with replacement.

    Parameters
    ----------
    groups
        Group of each row, `[rows]`; rows that are copies of each other belong to one.
    """
    return np.concatenate(list(weight_blocks(groups, draws, seed)))


def weight_blocks(groups: ArrayLike, draws: int, seed: int = 0, size: int = 1 << 22) -> Iterator[Weights]:
    """Yield the draws of `group_weights` some at a time, at most about `size` numbers each."""
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    count = int(group.max()) + 1
    generator = np.random.default_rng(seed)
    step = max(1, size // len(group))
    for start in range(0, draws, step):
        now = min(step, draws - start)
        drawn = generator.integers(0, count, (now, count))
        drawn += np.arange(now)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=now * count).reshape(now, count)[:, group].astype(np.float64)


def two_way_weights(first: ArrayLike, second: ArrayLike, draws: int, seed: int = 0) -> Weights:
    """Return draws over two sorts of units at once, `[draws, rows]`: windows and samples, each drawn on its own.

    A row counts as often as its unit of the first sort was drawn times that of the second (Owen 2007), so that the
    interval covers both.
    """
    return group_weights(first, draws, seed) * group_weights(second, draws, seed + 1)


def drawn_scores(
    scores: Callable[..., Scores],
    observed: NDArray[Any],
    predicted: Sequence[NDArray[Any]],
    groups: ArrayLike,
    draws: int,
    seed: int = 0,
) -> list[dict[str, NDArray[np.float64]]]:
    """Return the scores of several predictions of the same rows in the same draws: a dict of `[draws]` for each."""
    parts: list[list[Scores]] = [[] for _ in predicted]
    for weights in weight_blocks(groups, draws, seed):
        for part, run in zip(parts, predicted):
            part.append(scores(observed, run, weights))
    return [{name: np.concatenate([block[name] for block in part]) for name in part[0]} for part in parts]


def bootstrap(
    scores: Callable[..., Scores],
    observed: NDArray[Any],
    predicted: NDArray[Any],
    groups: ArrayLike,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return each score with its 95 % percentile interval over groups; `n` of it is the number of groups.

    Parameters
    ----------
    scores
        `(observed, predicted, weights) -> {name: [draws]}`, such as `classification.class_scores`.
    observed
        `[rows]`.
    predicted
        `[rows, ...]`, or `[seeds, rows, ...]` as a list of arrays: the value is then the mean over seeds of the score,
        and its interval that of this mean, with the same draws for every seed.
    """
    runs = list(predicted) if isinstance(predicted, list | tuple) else [predicted]
    ones = np.ones((1, len(observed)))
    values = [scores(observed, run, ones) for run in runs]
    drawn = drawn_scores(scores, observed, runs, groups, draws, seed)
    units = len(np.unique(np.asarray(groups)))
    found = {}
    for name in values[0]:
        mean = np.mean([run[name] for run in drawn], axis=0)
        low, high = np.nanpercentile(mean, [2.5, 97.5]) if np.isfinite(mean).any() else (np.nan, np.nan)
        found[name] = Interval(float(np.mean([run[name][0] for run in values])), float(low), float(high), units)
    return found

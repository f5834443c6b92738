"""Percentile intervals by resampling whole units (tiles, genes), never single bases."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Interval(NamedTuple):
    """A value with its 95 % bootstrap interval and the number of units behind it."""

    value: float
    low: float
    high: float
    n: int


def interval_of_sums(
    tiles: NDArray[np.float64], statistic: Callable[[NDArray], NDArray], draws: int, seed: int = 0
) -> Interval:
    """Bootstrap a statistic of pooled sums over tiles.

    Parameters
    ----------
    tiles
        Additive sums, `[units, k]`.
    statistic
        Function of pooled sums, `[..., k] -> [...]`.
    draws
        Resamples of the units with replacement.
    """
    tiles = np.asarray(tiles, dtype=np.float64)
    value = float(statistic(tiles.sum(axis=0)))
    low, high = np.percentile(statistic(resampled_sums(tiles, draws, seed)), [2.5, 97.5])
    return Interval(value, float(low), float(high), len(tiles))


def resampled_sums(tiles: NDArray[np.float64], draws: int, seed: int = 0) -> NDArray[np.float64]:
    """Return the sums over tiles of each resample of the units, `[units, k] -> [draws, k]`."""
    return _weights(len(tiles), draws, seed) @ np.asarray(tiles, dtype=np.float64)


def interval_of_rows(
    rows: NDArray[np.float64], statistic: Callable[[NDArray], float], draws: int, seed: int = 0
) -> Interval:
    """Bootstrap a statistic of a table over its rows (`[units, k] -> number`)."""
    rows = np.asarray(rows, dtype=np.float64)
    generator = np.random.default_rng(seed)
    values = [statistic(rows[generator.integers(0, len(rows), len(rows))]) for _ in range(draws)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(float(statistic(rows)), float(low), float(high), len(rows))


def interval_of_mean(values: NDArray[np.float64], draws: int, seed: int = 0) -> Interval:
    """Bootstrap the mean of one number a unit."""
    values = np.asarray(values, dtype=np.float64)
    low, high = np.percentile(_weights(len(values), draws, seed) @ values / len(values), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high), len(values))


def _weights(units: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Return how often each unit is drawn in each resample, `[draws, units]`."""
    return np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=draws).astype(np.float64)

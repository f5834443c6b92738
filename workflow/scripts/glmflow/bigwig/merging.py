"""Runs joined, made of single bases, and written out base by base."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmflow.bigwig.layout import Runs


def runs_of(positions: np.ndarray, values: np.ndarray) -> Runs:
    """Return single bases as runs: neighbours of equal value are one.

    Parameters
    ----------
    positions
        int64[bases]: the bases that have a value, increasing.
    values
        float32[bases]

    Returns
    -------
    Runs
        The longest stretches of neighbouring bases with one value.
    """
    if not len(positions):
        return Runs(positions, positions, values)
    apart = (np.diff(positions) != 1) | (values[1:] != values[:-1])
    first, last = np.append(True, apart), np.append(apart, True)
    return Runs(positions[first], positions[last] + 1, values[first])


def join(blocks: Sequence[Runs]) -> Runs:
    """Return blocks, one behind another, as one; neighbours that touch and are equal become one run."""
    starts, ends, values = map(np.concatenate, zip(*blocks))
    apart = (ends[:-1] != starts[1:]) | (values[:-1] != values[1:])
    first, last = np.append(True, apart)[: len(starts)], np.append(apart, True)[: len(starts)]
    return Runs(starts[first], ends[last], values[first])


def spread(runs: Runs) -> np.ndarray:
    """Write runs out one by one, from where the first begins to where the last ends: 0 where there is no value."""
    edges = np.empty(2 * len(runs.starts), np.int64)
    edges[::2], edges[1::2] = runs.starts, runs.ends
    values = np.zeros(len(edges) - 1, runs.values.dtype)  # runs and gaps in turn
    values[::2] = runs.values
    return values.repeat(edges[1:] - edges[:-1])

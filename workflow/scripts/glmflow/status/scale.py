"""How high a chart of a loss has to reach: a spike at the start must not flatten what comes after it."""

from __future__ import annotations

from collections.abc import Iterable

SHARE = 0.98
"""Of the values, those that a chart shows where they lie."""


def top_of_scale(values: Iterable[float]) -> float:
    """Return the upper end of a scale for some finite values.

    It is the largest value, or the 98th percentile where the few above it would take more than half of the height; they
    are then to be marked at the upper edge.
    """
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    usual = ordered[int(SHARE * (len(ordered) - 1))]
    return usual if low < usual and high - low > 2 * (usual - low) else high

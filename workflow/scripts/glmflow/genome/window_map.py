"""Where a haplotype's window follows the reference base by base."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Stretches(NamedTuple):
    """The stretches of a window whose bases are neighbours on the reference, too; in order.

    `begin` and `stop` (int64[n]) are where each lies in the window, `place` the reference position of its first base.
    """

    begin: np.ndarray
    stop: np.ndarray
    place: np.ndarray


def stretches_of(position: np.ndarray) -> Stretches:
    """Return the stretches of a window from its map (int32[L]); inserted bases and padding are in none."""
    if not len(position):
        return Stretches(*(np.zeros(0, np.int64) for _ in range(3)))
    breaks = position[1:] - position[:-1] != 1
    if position[0] <= 0:  # an inserted base (-1) before position 0 looks like its neighbour
        breaks |= position[1:] == 0
    edges = np.array([0, *(breaks.nonzero()[0] + 1).tolist(), len(position)])
    begin, stop = edges[:-1], edges[1:]
    place = position[begin].astype(np.int64)
    if place.min() < 0:
        placed = place >= 0
        begin, stop, place = begin[placed], stop[placed], place[placed]
    return Stretches(begin, stop, place)

"""Which stretches of a contig share bases with which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .packed import ranges

Places = NDArray[np.int64]


def overlaps(starts: Places, ends: Places, start: Places, end: Places) -> tuple[Places, Places]:
    """Return the pairs of a stretch that is asked for and one of a list that share a base: places in either.

    Parameters
    ----------
    starts, ends
        The list, in order of its starts; some may lie in others.
    start, end
        The stretches that are asked for, in any order.
    """
    first = np.searchsorted(np.maximum.accumulate(ends), start, "right")
    count = np.maximum(np.searchsorted(starts, end, "left") - first, 0)
    asked, place = np.repeat(np.arange(len(start)), count), ranges(first, count)
    shared = ends[place] > start[asked]  # one that ends before may stand behind one that does not
    return asked[shared], place[shared]

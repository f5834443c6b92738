"""Track values of a haplotype window, gathered through its map."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.haplotypes import INSERTED

INSERTED_POLICIES = ("masked", "repeat5p")


def gather_labels(
    position: np.ndarray, read: Callable[[int, int], np.ndarray], inserted: str = "masked"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the track values at the bases of a haplotype window; those of deleted bases vanish.

    Parameters
    ----------
    position : int32[L]
        Map of a window, in the reference's direction (gather first, turn the strand after).
    read
        Returns float32[T, end - start] of a reference interval (0-based half-open), such as
        `functools.partial(tracks.read, chrom)`.
    inserted
        `masked`: inserted bases have no label. `repeat5p`: they repeat the value of the base before them.

    Returns
    -------
    values : float32[T, L]
        0 where there is no label.
    labelled : bool[L]
        False where a base is to be left out of the loss: inserted (when masked) or padding.
    """
    if inserted not in INSERTED_POLICIES:
        raise InputError(f"inserted: {inserted!r}", mend=f"Say {' or '.join(INSERTED_POLICIES)}.")
    if not len(position):
        return read(0, 0), np.zeros(0, bool)
    source = position
    if inserted == "repeat5p":
        # Of each inserted base, the nearest base before it that has a place.
        before = np.maximum.accumulate(np.where(position >= 0, np.arange(len(position)), -1))
        source = np.where((position == INSERTED) & (before >= 0), position[before], position)
    # Stretches without an insertion or deletion are copied whole.
    breaks = source[1:] - source[:-1] != 1
    if source[0] <= 0:  # an inserted base (-1) before position 0 looks like its neighbour
        breaks |= source[1:] == 0
    edges = [0, *(breaks.nonzero()[0] + 1).tolist(), len(source)]
    placed = [(begin, stop, int(source[begin])) for begin, stop in pairwise(edges) if source[begin] >= 0]
    start, end = (placed[0][2], int(source[placed[-1][1] - 1]) + 1) if placed else (0, 0)
    tracks = read(start, end)
    values, labelled = np.zeros((len(tracks), len(source)), np.float32), np.zeros(len(source), bool)
    for begin, stop, place in placed:
        values[:, begin:stop] = tracks[:, place - start : place - start + stop - begin]
        labelled[begin:stop] = True
    return values, labelled

"""Track values of a haplotype window, gathered through its map."""

from __future__ import annotations

from collections.abc import Callable

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
    position : int64[L]
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
    source = position
    if inserted == "repeat5p":
        # Of each inserted base, the nearest base before it that has a place.
        before = np.maximum.accumulate(np.where(position >= 0, np.arange(len(position)), -1))
        source = np.where((position == INSERTED) & (before >= 0), position[before], position)
    # Stretches without an insertion or deletion are copied whole.
    breaks = source[1:] - source[:-1] != 1
    if source[0] <= 0:  # an inserted base (-1) before position 0 looks like its neighbour
        breaks |= source[1:] == 0
    cuts = breaks.nonzero()[0] + 1
    begins, ends = np.append(0, cuts), np.append(cuts, len(source))
    placed = source[begins] >= 0
    begins, ends = begins[placed], ends[placed]
    first = source[begins]
    start, end = (int(first[0]), int(source[ends[-1] - 1]) + 1) if len(begins) else (0, 0)
    tracks = read(start, end)
    values, labelled = np.zeros((len(tracks), len(source)), np.float32), np.zeros(len(source), bool)
    for begin, stop, place in zip(begins.tolist(), ends.tolist(), (first - start).tolist(), strict=True):
        values[:, begin:stop] = tracks[:, place : place + stop - begin]
        labelled[begin:stop] = True
    return values, labelled

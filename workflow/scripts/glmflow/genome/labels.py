"""Track values of a haplotype window, gathered through its map."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.haplotypes import INSERTED
from glmflow.genome.window_map import Stretches, stretches_of

INSERTED_POLICIES = ("masked", "repeat5p")


def gather_labels(
    position: np.ndarray, read: Callable[[Stretches, int], np.ndarray], inserted: str = "masked"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the track values at the bases of a haplotype window; those of deleted bases vanish.

    Parameters
    ----------
    position : int32[L]
        Map of a window, in the reference's direction (gather first, turn the strand after).
    read
        Returns a new array float32[T, L] with the values of the stretches of a window of `L` bases, such as
        `functools.partial(tracks.along, chrom)`.
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
        raise InputError(f"inserted: {inserted!r}", fix=f"Say {' or '.join(INSERTED_POLICIES)}.")
    stretches = stretches_of(position)
    values, labelled = read(stretches, len(position)), np.ones(len(position), bool)
    labelled[: stretches.begin[0] if len(stretches.begin) else len(position)] = False
    for last, end in zip((stretches.stop - 1).tolist(), [*stretches.begin[1:].tolist(), len(position)]):
        if last + 1 == end:
            continue
        values[:, last + 1 : end] = 0
        labelled[last + 1 : end] = False
        if inserted == "repeat5p":
            gap = last + 1 + (position[last + 1 : end] == INSERTED).nonzero()[0]
            values[:, gap] = values[:, last : last + 1]
            labelled[gap] = True
    return values, labelled

"""Parts of the training rows, the smaller ones inside of the larger ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glmflow.errors import InputError


def part_of_training(
    rows: ArrayLike, strata: ArrayLike | None, share: float, seed: int, groups: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Return a share of the training rows: every class keeps its share and at least a row, smaller parts lie in larger ones.

    Parameters
    ----------
    rows
        Training rows.
    strata
        Class of each of them; None for numbers.
    share
        0 to 1 (or a number of rows above 1).
    seed
        Of the draw; the same for all models of a task.
    groups
        Group of each (near copies); whole groups are taken, so that few labels are not counted several times.

    Raises
    ------
    InputError
        The share is not above 0.
    """
    rows = np.asarray(rows, np.int64)
    if share <= 0:
        raise InputError(f"a share of {share}", where="train.examples", fix="Give a number above 0, such as 0.1.")
    wanted = share * len(rows) if share <= 1 else share
    if wanted >= len(rows):
        return rows
    strata = np.zeros(len(rows), np.int64) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    group = np.arange(len(rows)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(int(group.max()) + 1)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    kept = np.zeros(len(rows), bool)
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata == stratum)
        own = own[np.argsort(rank[group[own]], kind="stable")]
        kept[own[: max(1, round(wanted / len(rows) * len(own)))]] = True
    return rows[kept]

"""Which motifs two groups of pieces have: the Jaccard index of their hits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def hit_set(sites: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return which motifs a piece has a site of, `[m]`, and behind them a 1 that counts the piece."""
    return np.append(sites.astype(float), 1.0)


def jaccard(sums: NDArray[np.float64], real: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the Jaccard index of the motifs of a group and of real pieces, 1 where they are the same.

    Of the share of pieces that each motif is in: the sum of the lesser shares over that of the larger ones (Ružička), which
    of single pieces is the Jaccard index of their sets of motifs. Not a number where no motif has a site.

    Parameters
    ----------
    sums
        Of `hit_set` over pieces, `[..., m + 1]`.
    """
    return in_common(sums[..., :-1] / sums[..., -1:], real["motifs"][:-1] / real["motifs"][-1])


def in_common(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of the lesser of two amounts of each thing over that of the larger ones (Ružička), of `[..., m]`.

    Not a number where there is nothing on either side.
    """
    with np.errstate(invalid="ignore"):
        return np.minimum(one, other).sum(-1) / np.maximum(one, other).sum(-1)

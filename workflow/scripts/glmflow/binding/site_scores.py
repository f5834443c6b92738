"""Scores of the best site of each TF, over all of its motifs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.packed import Packed

from .motif_files import Motif
from .motif_scan import best_sites, threshold_of

NO_SITE = -100.0
"""Score of a TF without a motif, below that of any site."""


class SiteScores(NamedTuple):
    """Best log-odds of each TF's motifs, and the same less the score that one word of 10,000 reaches, `[sequences, tfs]`."""

    scores: NDArray[np.float32]
    margins: NDArray[np.float32]


def site_scores(packed: Packed, motifs: Mapping[str, Sequence[Motif]]) -> SiteScores:
    """Return the scores of each TF in each sequence; where no window without N fits, the lowest that its motif can have."""
    matrices = [(place, motif.log_odds()) for place, own in enumerate(motifs.values()) for motif in own]
    found = [np.full((packed.count, len(motifs)), NO_SITE, np.float32) for _ in range(2)]
    if not matrices:
        return SiteScores(*found)
    best = best_sites(packed, [matrix for _, matrix in matrices]).score
    for column, (place, matrix) in enumerate(matrices):
        own = np.where(np.isfinite(best[:, column]), best[:, column], matrix.min(axis=1).sum())
        for values, less in zip(found, (0.0, threshold_of(matrix))):
            values[:, place] = np.maximum(values[:, place], own - less)
    return SiteScores(*found)

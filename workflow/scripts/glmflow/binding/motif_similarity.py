"""How alike motifs are, and which TFs share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from .motif_files import Motif

LEAST = 5
"""Positions that two motifs have to overlap by; the whole of a shorter one."""
ALIKE = 0.75
"""Similarity from which motifs are in one cluster (average linkage)."""


def similarity(one: Motif, other: Motif) -> float:
    """Return the similarity of two motifs: 1 for the same, about 0 for unrelated ones.

    It is the largest sum over ungapped alignments and both strands of the products of columns (probabilities less 1/4),
    divided by the norms of both matrices, so that positions that are not aligned count against it.
    """
    a, b = one.probabilities - 0.25, other.probabilities - 0.25
    norm = np.sqrt((a**2).sum() * (b**2).sum())
    if not norm:
        return 0.0
    least = min(LEAST, len(a), len(b))
    best = -np.inf
    for own in (b, b[::-1, ::-1]):
        products = a @ own.T
        best = max(best, *(np.trace(products, k) for k in range(-(len(a) - least), len(b) - least + 1)))
    return float(best / norm)


def tf_similarity(motifs: Mapping[str, Sequence[Motif]]) -> pd.DataFrame:
    """Return the similarity of TFs, TFs x TFs: that of their most alike motifs."""
    tfs = list(motifs)
    found = np.eye(len(tfs))  # of a TF without a motif: like none but itself
    for i, one in enumerate(tfs):
        for j in range(i):
            pairs = [similarity(a, b) for a in motifs[one] for b in motifs[tfs[j]]]
            found[i, j] = found[j, i] = max(pairs, default=0.0)
    return pd.DataFrame(found, index=tfs, columns=tfs)


def motif_clusters(alike: pd.DataFrame, threshold: float = ALIKE) -> dict[str, str]:
    """Return the cluster of each TF, named after its first TF: average linkage of similarities up to a threshold."""
    tfs = alike.index.tolist()
    if len(tfs) < 2:
        return {tf: tf for tf in tfs}
    distance: NDArray = np.clip(1 - alike.to_numpy(), 0, None)
    np.fill_diagonal(distance, 0)
    numbers = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - threshold, "distance")
    first: dict[int, str] = {}
    return {tf: first.setdefault(number, tf) for tf, number in zip(tfs, numbers.tolist())}

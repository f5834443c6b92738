"""Whether predictions tell cells apart, and TFs: pairs of keys that share one of both, at the regions where labels differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .key_scores import column_parts, concordant, rankable


class Concordance(NamedTuple):
    """Share of pairs in which the bound key has the higher prediction (ties half), and the number of pairs.

    A model that knows nothing of what differs between the keys of a pair has exactly .5.
    """

    value: float
    n: int


def cell_concordance(
    labels: NDArray[np.bool_], scores: NDArray, cells: Sequence[str], tfs: Sequence[str]
) -> Concordance:
    """Return the concordance over pairs of keys of one TF and two cells, `[keys, regions]` each."""
    return _total(pair_counts(labels, scores, tfs))


def tf_concordance(labels: NDArray[np.bool_], scores: NDArray, cells: Sequence[str], tfs: Sequence[str]) -> Concordance:
    """Return the concordance over pairs of keys of one cell and two TFs."""
    return _total(pair_counts(labels, scores, cells))


def pair_counts(
    labels: NDArray[np.bool_], scores: NDArray, shared: Sequence[str], known: NDArray[np.bool_] | None = None
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield for each value that keys share: the pairs ordered right and all pairs, of each region `[regions]`.

    Keys are in no pair in a region in which their label is not `known`.
    """
    known = np.ones_like(labels) if known is None else known
    shared = np.asarray(shared, object)
    for value in dict.fromkeys(shared.tolist()):
        rows = np.flatnonzero(shared == value)
        if len(rows) < 2:
            continue
        won, pairs = np.zeros(labels.shape[1]), np.zeros(labels.shape[1])
        for part in column_parts((len(rows), labels.shape[1])):
            own, scored = labels[rows, part], known[rows, part]
            count = own.sum(axis=0)
            differ = np.flatnonzero((count > 0) & (count < scored.sum(axis=0)))
            if len(differ):
                values = rankable(scores[rows, part][:, differ])
                found = concordant(own[:, differ], values, scored[:, differ])
                won[differ + part.start], pairs[differ + part.start] = found
        yield value, won, pairs


def _total(counts: Iterator[tuple[str, NDArray, NDArray]]) -> Concordance:
    won = pairs = 0.0
    for _, ordered, all_ in counts:
        won, pairs = won + float(ordered.sum()), pairs + float(all_.sum())
    return Concordance(won / pairs if pairs else np.nan, int(pairs))

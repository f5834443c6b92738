"""The k-mers that collections of sequences share, as sparse matrices of sequences by k-mers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from .packed import blocks
from .sketches import Sketches, in_threads, shared_entries

REPEAT = 50
"""Sequences from which on a k-mer is that of a repeat."""
ENOUGH = 4
"""Fewest shared k-mers of a sketch that holds a fraction of them."""

Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Queries, targets, shared k-mers and shares of the smaller set, `[pairs]` each."""

_WORK = 1 << 24  # pairs of equal k-mers that are counted at a time
_TOGETHER = 1 << 22  # k-mers of pairs that are compared at a time


class SharedKmers:
    """The k-mers that sequences of two collections hold: a matrix of each, 1 or, on the opposite strand, -1.

    Attributes
    ----------
    of_query, of_target
        Sequences by k-mers.
    often : bool[k-mers]
        More than `REPEAT` targets hold it.
    capped : int
        k-mers that more targets hold than they are looked up in.
    k : int
        Their length.
    """

    of_query: csr_array
    of_target: csr_array
    often: NDArray[np.bool_]
    capped: int
    k: int

    def described(self, query: NDArray, target: NDArray, shared: NDArray, part: NDArray) -> pd.DataFrame:
        """Return the table of some pairs, with strand and repeats, which are looked up for these alone."""
        strand, common = np.empty(len(query), "U1"), np.zeros(len(query))
        for span, both in products(self.of_query, self.of_target, query, target):
            number = np.maximum(np.diff(both.indptr), 1)
            strand[span] = np.where(both.sum(axis=1) >= 0, "+", "-")
            both.data = self.often[both.indices].astype(np.int32)
            common[span] = both.sum(axis=1) / number
        columns = {"query": query, "target": target, "shared": shared, "share": part}
        identity = np.asarray(part, float) ** (1 / self.k)
        return pd.DataFrame(columns | {"identity_estimate": identity, "strand": strand, "common": common})


class Comparison(SharedKmers):
    """Two collections, compared by the product of their matrices.

    Parameters
    ----------
    queries, targets
        Parts of one sketch; the targets are the queries themselves where None.
    cap
        Targets that a k-mer is looked up in.
    """

    def __init__(self, queries: Sketches, targets: Sketches | None, cap: int):
        self.within, self.k = targets is None, queries.k
        self.sketches = queries, queries if targets is None else targets
        entries, starts = shared_entries(*self.sketches)
        self.of_target = _matrix(self.sketches[1], entries, starts)
        self.of_query = self.of_target if self.within else _matrix(self.sketches[0], entries, starts)
        del entries, starts
        counts = np.diff(self.of_target.indptr)
        self.often = counts > REPEAT
        self.capped = int((counts > cap).sum())
        self.lookup = self.of_target.T
        if self.capped:
            self.lookup = _thinned(self.of_target, counts, cap, larger_first(self.sketches[1].sizes)).T
        self.lookup.data = np.ones(len(self.lookup.data), np.int32)
        self.of_query = self.of_query.tocsr()
        self.of_target = self.of_query if self.within else self.of_target.tocsr()
        self.least = least_shared(queries)

    def pairs(self, share: float, cores: int) -> Iterator[Found]:
        """Yield the pairs that reach a share; not a sequence with itself.

        All pairs of a query come at once. Where targets are the queries themselves, each pair comes from both sides.
        """

        def compared(span: tuple[int, int]) -> Found:
            own = self.of_query[span[0] : span[1]]
            own.data = np.ones(len(own.data), np.int32)
            product = (own @ self.lookup).tocoo()
            query, target, shared = product.row + span[0], product.col, product.data
            smaller = np.minimum(self.sketches[0].sizes[query], self.sketches[1].sizes[target])
            kept = shared >= np.maximum(share * smaller, self.least)
            if self.within:
                kept &= query != target
            query, target, shared = query[kept].astype(np.int64), target[kept].astype(np.int64), shared[kept]
            return query, target, shared.astype(np.int64), shared / smaller[kept]

        yield from in_threads(compared, self._spans(), cores)

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last row of parts of the queries that take about as much work each."""
        work = np.cumsum(np.minimum(np.diff(self.lookup.indptr), len(self.sketches[1]))[self.of_query.indices])
        work = np.concatenate([[0], work])[self.of_query.indptr]
        edges = np.unique(np.searchsorted(work, np.arange(0, work[-1] + _WORK, _WORK)).clip(0, len(work) - 1))
        return iter(zip(edges[:-1].tolist(), edges[1:].tolist()))


def least_shared(sketches: Sketches) -> int:
    """Return the fewest k-mers that a pair has to share."""
    return 1 if sketches.fraction == 1 else ENOUGH


def larger_first(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each sequence among all of them, those of more k-mers first, equal ones in a drawn order.

    What is left of a k-mer that too many hold is left where the smaller ones look.
    """
    rank = np.empty(len(sizes), np.int64)
    drawn = np.random.default_rng(0).permutation(len(sizes))
    rank[np.lexsort((drawn, -sizes))] = np.arange(len(sizes))
    return rank


def products(
    one: csr_array, other: csr_array, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> Iterator[tuple[slice, csr_array]]:
    """Yield the products of rows of two matrices, cell by cell, for some pairs at a time, with the pairs they are."""
    held = np.diff(one.indptr)[rows] + np.diff(other.indptr)[others]
    for span in blocks(held, _TOGETHER):
        yield span, one[rows[span]].multiply(other[others[span]]).tocsr()


def shared_in(
    one: csr_array, other: csr_array, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many columns are filled in both rows of each pair, `[pairs]`."""
    shared = np.zeros(len(rows), np.int64)
    for span, both in products(one, other, rows, others):
        shared[span] = np.diff(both.indptr)
    return shared


def _matrix(sketches: Sketches, entries: NDArray[np.uint64], starts: NDArray[np.int64]) -> csc_array:
    """Return a matrix of sequences by k-mers: 1 where one holds the other, -1 where on the opposite strand."""
    owner = sketches.owners(entries)
    mine = owner >= 0
    kind = np.int32 if len(entries) < 2**31 else np.int64
    before = np.append(np.zeros(1, kind), np.cumsum(mine, dtype=kind))
    sign = 1 - 2 * (entries[mine] & np.uint64(1)).astype(np.int8)
    return csc_array((sign, owner[mine].astype(kind), before[starts]), shape=(len(sketches), len(starts) - 1))


def _thinned(matrix: csc_array, counts: NDArray[np.int64], cap: int, rank: NDArray[np.int64]) -> csc_array:
    """Keep of each column at most `cap` sequences: those of the lowest rank, which is the same for all columns."""
    kept = np.ones(len(matrix.indices), bool)
    for column in np.flatnonzero(counts > cap):
        span = slice(matrix.indptr[column], matrix.indptr[column + 1])
        places = rank[matrix.indices[span]]
        kept[span] = places <= np.partition(places, cap - 1)[cap - 1]
    indptr = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return csc_array((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)

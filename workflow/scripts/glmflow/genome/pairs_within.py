"""All pairs of a collection of sequences that share k-mers, each once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from .packed import ranges
from .shared_kmers import REPEAT, Found, SharedKmers, larger_first, least_shared, shared_in
from .sketches import Sketches, in_threads, shared_entries

COMMON = 16
"""Sequences from which on a k-mer is left for the end of a comparison, since it brings together what is not alike."""

_WORK = 1 << 22  # pairs of equal k-mers that are counted at a time


class PairsWithin(SharedKmers):
    """The k-mers that sequences of one collection share.

    Sequences are ranked, those of more k-mers first. Of a pair, the sequence of the higher rank is the query: it is looked
    for among the sequences before it that hold one of its k-mers, so that no pair is counted from both sides.

    Parameters
    ----------
    queries
        The sequences.
    cap
        Sequences that a k-mer is looked up in: the first ones that hold it.
    """

    def __init__(self, queries: Sketches, cap: int):
        self.sketches, self.cap, self.k = queries, cap, queries.k
        entries, starts = shared_entries(queries, queries)
        counts = np.diff(starts)
        self.starts, self.often, self.capped = starts[:-1], counts > REPEAT, int((counts > cap).sum())
        rank = larger_first(queries.sizes)
        # Sorted by k-mer, then by rank: how many stand before an entry of its k-mer is its place.
        order = rank[queries.owners(entries)].astype(np.uint64) << np.uint64(1)
        order |= entries & np.uint64(1)
        del entries
        order |= np.repeat(np.arange(len(counts), dtype=np.uint64), counts) << np.uint64(32)
        order.sort()
        by_rank = np.argsort(rank).astype(np.int32)
        self.held_by = by_rank[((order & np.uint64(2**32 - 1)) >> np.uint64(1)).astype(np.int64)]
        place = np.arange(1, len(order) + 1) - np.repeat(self.starts, counts)
        place = np.where(order & np.uint64(1), -place, place).astype(np.int32)
        del order
        kind = np.int32 if len(place) < 2**31 else np.int64
        shape = len(queries), len(counts)
        matrix = csc_array((place, self.held_by.astype(kind), starts.astype(kind)), shape=shape).tocsr()
        self.before = np.minimum(np.abs(matrix.data) - 1, cap)
        matrix.data = np.sign(matrix.data).astype(np.int8)
        self.of_query = self.of_target = matrix
        self.counts = counts

    def pairs(self, share: float, cores: int, repeats: float = 1.0) -> Iterator[Found]:
        """Yield the pairs that reach a share, all of a query at once.

        A pair that shares m of its k-mers shares m - r or more of those that are left when r are not looked at: the most
        common ones, up to half of m, are left out, and counted for the pairs that can still reach the share (the prefix
        filter of set similarity joins; Chaudhuri, Ganti and Kaushik 2006, ICDE).

        Where a pair of which more than the part `repeats` are k-mers of repeats may be left out, none of those is looked up:
        what the pair shares of the others has to be 1 - `repeats` of the least. Copies of one repeat are never brought together.
        """
        matrix, sizes = self.of_query, self.sketches.sizes
        need = np.maximum(share * sizes, least_shared(self.sketches))
        if repeats < 1:
            common = np.flatnonzero(self.often[matrix.indices])
            left_out = np.bincount(np.searchsorted(matrix.indptr, common, "right") - 1, minlength=len(sizes))
            enough = np.minimum(need, np.maximum(1, (1 - repeats) * need))
        else:
            common, left_out = self._most_common(np.ceil(need).astype(np.int64) // 2)
            enough = need - left_out
        before = self.before.copy()
        before[common] = 0
        rows = len(sizes)

        def compared(span: tuple[int, int]) -> Found:
            inside = slice(matrix.indptr[span[0]], matrix.indptr[span[1]])
            times = before[inside]
            own = np.repeat(
                np.arange(span[1] - span[0], dtype=np.uint32), np.diff(matrix.indptr[span[0] : span[1] + 1])
            )
            target = self.held_by[ranges(self.starts[matrix.indices[inside]], times)]
            pair = np.repeat(own * np.uint32(rows), times)
            pair += target.view(np.uint32)
            pair.sort()
            first = np.flatnonzero(np.append(len(pair) > 0, pair[1:] != pair[:-1]))
            shared = np.diff(first, append=len(pair))
            reached = shared >= enough[span[0] : span[1]].min(initial=np.inf)
            query, target = np.divmod(pair[first[reached]].astype(np.int64), rows)
            query, shared = query + span[0], shared[reached]
            kept = shared >= enough[query]
            query, target, shared = query[kept], target[kept], shared[kept]
            open_ = np.flatnonzero(left_out[query])
            shared[open_] = shared_in(matrix, matrix, query[open_], target[open_])
            kept = shared >= need[query]
            query, target, shared = query[kept], target[kept], shared[kept]
            return query, target, shared, shared / sizes[query]

        yield from in_threads(compared, self._spans(before), cores)

    def _most_common(self, most: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the most common k-mers of each query stand in its matrix, at most so many of each, and how many."""
        matrix = self.of_query
        counts = self.counts[matrix.indices]
        places = np.flatnonzero(counts > COMMON)
        row = np.searchsorted(matrix.indptr, places, "right") - 1
        order = np.lexsort((-counts[places], row))
        places, row = places[order], row[order]
        out = np.arange(len(row)) - np.searchsorted(row, row) < most[row]
        return places[out], np.bincount(row[out], minlength=matrix.shape[0])

    def _spans(self, before: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
        """Yield the first and last row of parts of the queries whose pairs are `_WORK` or few more, and fit into 32 bits."""
        matrix = self.of_query
        work = np.concatenate([[0], np.cumsum(before, dtype=np.int64)])[matrix.indptr]
        most = (2**32 - 1) // max(matrix.shape[0], 1)
        start = 0
        while start < len(work) - 1:
            end = max(int(np.searchsorted(work, work[start] + _WORK, "right")) - 1, start + 1)
            end = min(end, start + max(most, 1), len(work) - 1)
            yield start, end
            start = end

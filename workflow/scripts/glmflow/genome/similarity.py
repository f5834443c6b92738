"""Which sequences are copies of each other, whatever strand, contig or name they stand under.

Sequences are compared by the canonical k-mers they hold: `sketch` them once, then ask for `exact_copies`, `near_copies`,
`nearest` or `groups`. Nothing is approximate while `fraction` is 1. Below it the k-mers whose hash is smallest are kept
(FracMinHash; Irber et al. 2022, bioRxiv 10.1101/2022.01.11.475838), the same for every sequence, so that shares of
k-mers are estimated without bias from that fraction of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array
from scipy.sparse.csgraph import connected_components

from .canonical import Sequence, as_bases, opposite_strand
from .sketches import K, Sketches, in_threads, shared_entries, sketch, suited_fraction, suited_k

__all__ = [
    "CAP",
    "HOMOLOGOUS",
    "NEAR",
    "REPEAT",
    "K",
    "NearCopies",
    "Sketches",
    "covered",
    "exact_copies",
    "groups",
    "joined_labels",
    "near_copies",
    "nearest",
    "sketch",
    "suited_fraction",
    "suited_k",
]

NEAR = 0.5
"""Share of the smaller set of k-mers from which on two sequences are near copies (about 97 % identity at k = 21)."""
HOMOLOGOUS = 0.2
"""Share from which on they are related: 5 % of substitutions leave a third of the 21-mers and half of the 15-mers."""
CAP = 500
"""Sequences that a k-mer is looked up in; one that more of them hold (Alu) is looked up in as many, always the same."""
REPEAT = 50
"""Sequences from which on a k-mer is that of a repeat."""
WITHIN = 4
"""Times as many sequences that a k-mer is looked up in among the queries themselves, where common ones are mostly left out."""
COMMON = 16
"""Sequences from which on a k-mer is left for the end of a comparison, since it brings together what is not alike."""
ENOUGH = 4
"""Fewest shared k-mers of a sketch that holds a fraction of them."""

_WORK = 1 << 24  # pairs of equal k-mers that are counted at a time
_TURNED = 1 << 22  # bases that are reverse-complemented at a time


class NearCopies(NamedTuple):
    """Pairs of sequences that share k-mers.

    Attributes
    ----------
    table
        `query`, `target` (numbers of sequences), `shared` (k-mers), `share` (of the smaller of both sets),
        `identity_estimate` (`share ** (1 / k)`: of the bases that lie over one another, too low where one sequence is
        shifted), `strand` (`+`: the same, `-`: one is reverse-complemented), `common` (share of the shared k-mers that
        more than `REPEAT` sequences hold); best first for each query.
    pairs
        All pairs that reach the share, whether or not the table holds them.
    queries
        Queries that are in one of these pairs.
    capped
        k-mers that more sequences hold than they are looked up in.
    """

    table: pd.DataFrame
    pairs: int
    queries: int
    capped: int


def exact_copies(sequences: Iterable[Sequence]) -> pd.DataFrame:
    """Return which sequences are the same, read off either strand.

    Sequences are distinguished by a 128-bit hash (BLAKE2b) of the smaller of both strands; upper and lower case, and T and
    U, are the same letter.

    Returns
    -------
    DataFrame
        A row a sequence: `copy` (equal for all copies, numbered by first appearance), `strand` (`+`: as the first of
        its copies, `-`: reverse-complemented), `palindrome` (its own reverse complement).
    """
    numbers: dict[bytes, int] = {}
    first: list[bool] = []
    copy, opposite, own_reverse = [], [], []
    for forward, reverse in _both_strands(sequences):
        turned = reverse < forward
        key = blake2b(reverse if turned else forward, digest_size=16).digest()
        number = numbers.setdefault(key, len(numbers))
        if number == len(first):
            first.append(turned)
        copy.append(number)
        own_reverse.append(forward == reverse)
        opposite.append(turned != first[number] and not own_reverse[-1])
    columns = {"copy": np.array(copy, np.int64), "strand": np.where(np.array(opposite, bool), "-", "+").astype(object)}
    return pd.DataFrame(columns | {"palindrome": np.array(own_reverse, bool)})


def _both_strands(sequences: Iterable[Sequence]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each sequence in upper case as it stands and reverse-complemented; turned many at a time, which is faster."""
    held: list[NDArray[np.uint8]] = []
    size = 0

    def turned() -> Iterator[tuple[bytes, bytes]]:
        bases = as_bases(np.concatenate(held))
        forward, reverse = bases.tobytes(), opposite_strand(bases).tobytes()
        start = 0
        for one in held:
            end = start + len(one)
            yield forward[start:end], reverse[len(reverse) - end : len(reverse) - start]
            start = end

    for sequence in sequences:
        held.append(sequence if isinstance(sequence, np.ndarray) else as_bases(sequence))
        size += len(held[-1])
        if size >= _TURNED:
            yield from turned()
            held, size = [], 0
    if held:
        yield from turned()


def near_copies(
    queries: Sketches,
    targets: Sketches | None = None,
    share: float = NEAR,
    best: int | None = 5,
    cap: int = CAP,
    cores: int = 1,
) -> NearCopies:
    """Return the pairs of a query and a target that share at least this part of the smaller set of k-mers.

    Parameters
    ----------
    queries, targets
        Parts of one sketch: `sketches.of(rows)`. All pairs among the queries, each once, where `targets` is None.
    share
        Share of the smaller set.
    best
        Targets that the table holds of each query; None for all. Where `targets` is None each pair comes once, under
        one of its two sequences.
    cap
        See `CAP`; `WITHIN` times as many where `targets` is None.
    cores
        Threads.
    """
    found = _Comparison(queries, targets, cap if targets is not None else WITHIN * cap)
    rows, pairs, seen = [], 0, np.zeros(len(queries), bool)
    for query, target, shared, part in found.pairs_once(share, cores) if targets is None else found.pairs(share, cores):
        seen[query] = True
        if targets is None:
            seen[target] = True
        pairs += len(query)
        order = np.lexsort((target, -part, query))
        if best is not None:
            ordered = query[order]
            place = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
            order = order[place < best]
        rows.append(found.described(query[order], target[order], shared[order], part[order]))
    table = pd.concat(rows, ignore_index=True) if rows else found.described(*(np.zeros(0, np.int64),) * 4)
    return NearCopies(table, pairs, int(seen.sum()), found.capped)


def nearest(queries: Sketches, targets: Sketches, cap: int = CAP, cores: int = 1) -> pd.DataFrame:
    """Return of each query the target that shares the largest part of its k-mers with it.

    Returns
    -------
    DataFrame
        A row a query: `target` (-1 where nothing is shared), `shared`, `share` (of the smaller set; 0), `strand`.
    """
    found = _Comparison(queries, targets, cap)
    answer = pd.DataFrame({"target": -1, "shared": 0, "share": 0.0, "strand": "+"}, index=range(len(queries)))
    for query, target, shared, part in found.pairs(0.0, cores):
        order = np.lexsort((target, -shared, -part, query))
        first = order[np.unique(query[order], return_index=True)[1]]
        rows = found.described(query[first], target[first], shared[first], part[first])
        answer.loc[rows["query"], ["target", "shared", "share", "strand"]] = rows[
            ["target", "shared", "share", "strand"]
        ].to_numpy()
    return answer.astype({"target": np.int64, "shared": np.int64, "share": float})


def covered(queries: Sketches, targets: Sketches, most: int = REPEAT) -> NDArray[np.float64]:
    """Return which part of each query's k-mers any of the targets holds, `[queries]`; NaN where it has none.

    Parameters
    ----------
    most
        k-mers that more targets hold are those of repeats, and count for nothing.
    """
    entries, starts = shared_entries(queries, targets)
    owner = queries.owners(entries)
    if len(entries):
        holders = np.add.reduceat(targets.owners(entries) >= 0, starts[:-1], dtype=np.int64)
        owner[np.repeat(holders > most, np.diff(starts))] = -1
    held = np.bincount(owner[owner >= 0], minlength=len(queries))
    return np.divide(held, queries.sizes, out=np.full(len(queries), np.nan), where=queries.sizes > 0)


def groups(sketches: Sketches, share: float = NEAR, cap: int = CAP, cores: int = 1) -> NDArray[np.int64]:
    """Return the group of each sequence: near copies, and near copies of those, are one (single linkage).

    Numbered by first appearance. Pairs are not kept, so that a set in which everything is alike fits into memory.
    """
    labels = np.arange(len(sketches))
    for query, target, _, _ in _Comparison(sketches, None, cap).pairs(share, cores):
        edges = coo_array((np.ones(len(query), bool), (labels[query], labels[target])), shape=(len(labels),) * 2)
        labels = connected_components(edges, directed=False)[1][labels]
    return joined_labels(labels)


def joined_labels(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels numbered 0, 1 ... by first appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


class _Comparison:
    """The k-mers that two collections of sequences share, as matrices of sequences by k-mers."""

    def __init__(self, queries: Sketches, targets: Sketches | None, cap: int):
        self.within = targets is None
        self.sketches = queries, queries if targets is None else targets
        entries, starts = shared_entries(*self.sketches)
        self.of_target = _matrix(self.sketches[1], entries, starts)
        self.of_query = self.of_target if self.within else _matrix(self.sketches[0], entries, starts)
        del entries, starts
        self.counts = counts = np.diff(self.of_target.indptr)
        self.often = counts > REPEAT
        self.capped = int((counts > cap).sum())
        # Larger sets first: what is left of a k-mer that too many hold is left where the smaller ones look.
        self.rank = np.empty(self.of_target.shape[0], np.int64)
        drawn = np.random.default_rng(0).permutation(len(self.rank))
        self.rank[np.lexsort((drawn, -self.sketches[1].sizes))] = np.arange(len(self.rank))
        self.lookup = _thinned(self.of_target, counts, cap, self.rank).T if self.capped else self.of_target.T
        self.lookup.data = np.ones(len(self.lookup.data), np.int32)
        self.of_query = self.of_query.tocsr()
        self.of_target = self.of_query if self.within else self.of_target.tocsr()
        self.least = 1 if queries.fraction == 1 else ENOUGH

    def pairs(self, share: float, cores: int) -> Iterator[tuple[NDArray, NDArray, NDArray, NDArray]]:
        """Yield queries, targets, shared k-mers and shares of the pairs that reach a share; not a sequence with itself.

        All pairs of a query come at once. Where targets are the queries themselves, each pair comes from both sides.
        """

        def compared(span: tuple[int, int]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
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

        yield from in_threads(compared, self._spans(self.of_query), cores)

    def pairs_once(self, share: float, cores: int) -> Iterator[tuple[NDArray, NDArray, NDArray, NDArray]]:
        """Yield the same pairs among the queries, each once, under the sequence of fewer k-mers.

        A pair that shares m of its k-mers shares m - r or more of those that are left when r are not looked at: the most
        common ones, up to half of m, are left out, and counted for the pairs that can still reach the share (the prefix
        filter of set similarity joins; Chaudhuri, Ganti and Kaushik 2006, ICDE).
        """
        need = np.maximum(share * self.sketches[0].sizes, self.least)
        prefix, left_out = self._without_common(np.ceil(need).astype(np.int64) // 2)

        def compared(span: tuple[int, int]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
            product = (prefix[span[0] : span[1]] @ self.lookup).tocoo()
            query, target, shared = product.row + span[0], product.col, product.data.astype(np.int64)
            kept = (shared >= (need - left_out)[query]) & (self.rank[target] < self.rank[query])
            query, target, shared = query[kept].astype(np.int64), target[kept].astype(np.int64), shared[kept]
            open_ = np.flatnonzero(left_out[query])
            shared[open_] = self._shared(query[open_], target[open_])
            kept = shared >= need[query]
            query, target, shared = query[kept], target[kept], shared[kept]
            return query, target, shared, shared / self.sketches[0].sizes[query]

        yield from in_threads(compared, self._spans(prefix), cores)

    def _without_common(self, most: NDArray[np.int64]) -> tuple[csr_array, NDArray[np.int64]]:
        """Return the queries without their most common k-mers, at most so many of each, and how many were left out."""
        matrix = self.of_query
        counts = self.counts[matrix.indices]
        places = np.flatnonzero(counts > COMMON)
        row = np.searchsorted(matrix.indptr, places, "right") - 1
        order = np.lexsort((-counts[places], row))
        places, row = places[order], row[order]
        out = np.arange(len(row)) - np.searchsorted(row, row) < most[row]
        kept = np.ones(len(matrix.indices), bool)
        kept[places[out]] = False
        indptr = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr].astype(matrix.indptr.dtype)
        indices = matrix.indices[kept]
        found = csr_array((np.ones(len(indices), np.int32), indices, indptr), shape=matrix.shape)
        return found, np.bincount(row[out], minlength=matrix.shape[0])

    def _spans(self, matrix: csr_array) -> Iterator[tuple[int, int]]:
        """Yield the first and last row of parts of the queries that take about as much work each."""
        work = np.cumsum(np.minimum(np.diff(self.lookup.indptr), len(self.sketches[1]))[matrix.indices])
        work = np.concatenate([[0], work])[matrix.indptr]
        edges = np.unique(np.searchsorted(work, np.arange(0, work[-1] + _WORK, _WORK)).clip(0, len(work) - 1))
        return iter(zip(edges[:-1].tolist(), edges[1:].tolist()))

    def _shared(self, query: NDArray[np.int64], target: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many k-mers pairs share."""
        shared = np.zeros(len(query), np.int64)
        for start in range(0, len(query), 1 << 14):
            span = slice(start, start + (1 << 14))
            both = self.of_query[query[span]].multiply(self.of_target[target[span]]).tocsr()
            shared[span] = np.diff(both.indptr)
        return shared

    def described(self, query: NDArray, target: NDArray, shared: NDArray, part: NDArray) -> pd.DataFrame:
        """Return the table of some pairs, with strand and repeats, which are looked up for these alone."""
        strand, common = np.empty(len(query), "U1"), np.zeros(len(query))
        for start in range(0, len(query), 1 << 14):
            span = slice(start, start + (1 << 14))
            both = self.of_query[query[span]].multiply(self.of_target[target[span]]).tocsr()
            number = np.maximum(np.diff(both.indptr), 1)
            strand[span] = np.where(both.sum(axis=1) >= 0, "+", "-")
            both.data = self.often[both.indices].astype(np.int32)
            common[span] = both.sum(axis=1) / number
        columns = {"query": query, "target": target, "shared": shared, "share": part}
        identity = np.asarray(part, float) ** (1 / self.sketches[0].k)
        return pd.DataFrame(columns | {"identity_estimate": identity, "strand": strand, "common": common})


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

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
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .canonical import Sequence, as_bases, opposite_strand
from .pairs_within import PairsWithin
from .shared_kmers import REPEAT, Comparison
from .sketches import K, Sketches, shared_entries, sketch, suited_fraction, suited_k

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
    "representatives",
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
WITHIN = 4
"""Times as many sequences that a k-mer is looked up in among the queries themselves, where common ones are mostly left out."""

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
    digests, turned, own_reverse = bytearray(), bytearray(), bytearray()  # of millions of sequences 18 bytes each
    for forward, reverse in _both_strands(sequences):
        digests += blake2b(min(forward, reverse), digest_size=16).digest()
        turned.append(reverse < forward)
        own_reverse.append(forward == reverse)
    keys = np.frombuffer(digests, np.uint64).reshape(-1, 2).T
    order = np.lexsort(keys)
    ordered = keys[:, order]
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(np.append(False, (ordered[:, 1:] != ordered[:, :-1]).any(axis=0))[: len(order)])
    copy = joined_labels(number)
    _, first = np.unique(copy, return_index=True)
    other, palindrome = np.frombuffer(turned, bool), np.frombuffer(own_reverse, bool)
    opposite = (other != other[first[copy]]) & ~palindrome
    strand = np.where(opposite, "-", "+").astype(object)
    return pd.DataFrame({"copy": copy, "strand": strand, "palindrome": palindrome.copy()})


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
    repeats: float = 1.0,
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
    repeats
        Where `targets` is None: pairs may be left out of which more than this part of the shared k-mers are those of repeats.
    """
    found = PairsWithin(queries, WITHIN * cap) if targets is None else Comparison(queries, targets, cap)
    rows, pairs, seen = [], 0, np.zeros(len(queries), bool)
    wanted = (repeats,) if targets is None else ()
    for query, target, shared, part in found.pairs(share, cores, *wanted):
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
    found = Comparison(queries, targets, cap)
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
    for query, target, _, _ in Comparison(sketches, None, cap).pairs(share, cores):
        edges = coo_array((np.ones(len(query), bool), (labels[query], labels[target])), shape=(len(labels),) * 2)
        labels = connected_components(edges, directed=False)[1][labels]
    return joined_labels(labels)


def representatives(
    sketches: Sketches, share: float, cap: int = CAP, cores: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the sequence that stands for each, `[n]`: itself where it is kept, else the kept one before it that is most like it.

    In the order of the sequences each is left out where a kept one before it holds at least this share of *its* k-mers; a copy of
    a copy that is no copy itself stays. Second comes the share that the other one holds, 1 of what is kept. Where a k-mer is in
    more sequences than `cap`, what is kept is compared again until nothing more is left out.
    """
    rows = np.arange(len(sketches))
    answer, held = rows.copy(), np.ones(len(rows))
    while True:
        part = sketches.of(rows)
        found = Comparison(part, None, cap)
        for query, target, shared, _ in found.pairs(share, cores):
            own = shared / part.sizes[query]
            good = (target < query) & (own >= share)
            for one, other, value in zip(rows[query[good]].tolist(), rows[target[good]].tolist(), own[good].tolist()):
                if answer[other] == other and (answer[one] == one or value > held[one]):
                    answer[one], held[one] = other, value
        kept = rows[answer[rows] == rows]
        if not found.capped or len(kept) == len(rows):
            return answer, held
        rows = kept


def joined_labels(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels numbered 0, 1 ... by first appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)

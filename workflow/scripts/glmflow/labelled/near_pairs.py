"""Near copies within a data set, exactly: which rows share half of their k-mers on either strand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from glmflow.genome.canonical import CHUNK, canonical_kmers, chunked
from glmflow.genome.packed import EachRow, Packed
from glmflow.genome.shared_kmers import shared_in
from glmflow.genome.similarity import CAP, NEAR, K, Sketches, groups, joined_labels, near_copies, sketch
from glmflow.genome.sketches import MOST, joined

SHORT = 63
"""Bases below which 21-mers are too few: k is 11 there."""
SHORT_K = 11
SHORTEST = 20
"""Bases below which only exact copies are looked for."""
WHOLE = 60_000_000
"""k-mers that are held at once (0.5 GB); of larger sets a part, and the pairs it proposes are counted exactly."""
SUITED, FEWEST = 96, 32
"""k-mers of a typical sequence that are kept of such sets: fewer where all of them together would be more than `MOST`."""
DOUBT = 4.0, 3.7
"""Standard errors above and below the share, estimated from the kept k-mers, between which a pair is counted exactly."""
CROWDED = 5_000_000
"""Pairs, estimated from a sample, from which on they are not listed: a library of mutants is one component."""
SAMPLE = 500
"""Rows of this sample."""


class NearPairs(NamedTuple):
    """Near copies of a data set.

    Attributes
    ----------
    k, share
        Length of a k-mer, and the share of the smaller set that makes a near copy.
    table : DataFrame
        `first` < `second` (rows), `shared` (k-mers), `share`, `strand` (`-`: one is reverse-complemented); empty if
        `crowded`. In sets of more than `WHOLE` k-mers both numbers are estimates for pairs well above the share.
    pairs : int
        How many there are; estimated if `crowded`.
    rows : int
        Rows that are in a pair.
    component : int64[n]
        Near copies, and near copies of those, are one component; numbered by first appearance.
    without : int
        Rows without any k-mer, which are not compared.
    capped : int
        k-mers in too many rows, of which not all rows were looked up.
    crowded : bool
        Too many pairs to list.
    """

    k: int
    share: float
    table: pd.DataFrame
    pairs: int
    rows: int
    component: NDArray[np.int64]
    without: int
    capped: int
    crowded: bool = False

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each component."""
        return np.bincount(self.component)


def suited_k(lengths: NDArray[np.int64]) -> int:
    """Return the length of k-mers for sequences of some lengths: 21, or 11 if half of them are below 63 bases."""
    return SHORT_K if len(lengths) and np.median(lengths) < SHORT else K


def near_pairs(packed: Packed, k: int = K, share: float = NEAR, cap: int = CAP, cores: int = 1) -> NearPairs:
    """Return all pairs of sequences that share this part of the smaller one's distinct canonical k-mers.

    Parameters
    ----------
    packed
        Upper case A C G T N; k-mers with an N are left out.
    k
        Odd, at most 21.
    share
        Part of the smaller set.
    cap
        Rows that a k-mer is looked up in.
    cores
        Threads.
    """
    count = packed.count
    usable = np.maximum(packed.lengths - k + 1, 0)
    total = int(usable.sum())
    kept = kept_share(total, float(np.median(usable)) if count else 0.0)
    sketches = sketch(EachRow(packed), k, kept, cores, count=count)
    without = int((sketches.sizes == 0).sum()) if kept == 1 else int((usable == 0).sum())
    if _estimated_pairs(sketches, share) > CROWDED:
        component = groups(sketches, share, 16, cores)
        sizes = np.bincount(component)
        pairs = _estimated_pairs(sketches, share)
        return NearPairs(k, share, _table(), pairs, int(sizes[sizes > 1].sum()), component, without, 0, True)
    # Of a part of the k-mers the share is known to a standard error of at most this (hypergeometric).
    error = np.sqrt(share * (1 - share) * (1 - kept) / np.maximum(sketches.sizes, 1))
    typical = float(np.median(error)) if count else 0.0
    proposed = near_copies(sketches, None, max(share - DOUBT[1] * typical, share / 2), None, cap, cores)
    del sketches
    first, second = proposed.table["query"].to_numpy(np.int64), proposed.table["target"].to_numpy(np.int64)
    shared, part = np.array(proposed.table["shared"], np.int64), np.array(proposed.table["share"], np.float64)
    strand = proposed.table["strand"].to_numpy(object)
    if kept < 1:
        shared = np.round(shared / kept).astype(np.int64)
        doubtful = np.flatnonzero(part < share + DOUBT[0] * np.maximum(error[first], error[second]))
        shared[doubtful], part[doubtful] = exact_shares(packed, first[doubtful], second[doubtful], k)
        near = part >= share
        first, second, shared, part, strand = (column[near] for column in (first, second, shared, part, strand))
    low, high = np.minimum(first, second), np.maximum(first, second)
    table = _table(low, high, shared, part, strand).sort_values(["first", "second"], ignore_index=True)
    component = connected(table["first"].to_numpy(), table["second"].to_numpy(), count)
    return NearPairs(k, share, table, len(table), len(np.union1d(low, high)), component, without, proposed.capped)


def kept_share(total: int, typical: float) -> float:
    """Return the share of the k-mers by which the near copies of a set are looked for.

    Parameters
    ----------
    total, typical
        k-mers of all sequences together, and of a typical one.
    """
    if total <= WHOLE:
        return 1.0
    of_each = np.clip(MOST / total * typical, FEWEST, SUITED)
    kept = max(WHOLE / 2 / total, of_each / max(typical, of_each))
    return 1.0 if kept > 0.5 and total <= MOST else min(kept, 1.0)


def connected(first: NDArray[np.int64], second: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the connected component of each of `count` rows, numbered by first appearance, from pairs."""
    edges = coo_array((np.ones(len(first), bool), (first, second)), shape=(count, count))
    return joined_labels(connected_components(edges, directed=False)[1])


def exact_shares(
    packed: Packed, first: NDArray[np.int64], second: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many distinct canonical k-mers pairs of sequences share, and which part of the smaller set that is.

    Parameters
    ----------
    first, second
        Rows of each pair.
    """
    rows, place = np.unique(np.concatenate([first, second]), return_inverse=True)
    if len(first) > 1 and packed.lengths[rows].sum() > WHOLE:
        order = np.argsort(first, kind="stable")
        halves = [exact_shares(packed, first[part], second[part], k) for part in np.array_split(order, 2)]
        back = np.argsort(order)
        return np.concatenate([half[0] for half in halves])[back], np.concatenate([half[1] for half in halves])[back]
    first, second = place[: len(first)], place[len(first) :]
    held = distinct_kmers(packed.take(rows), k)
    sizes = np.diff(held.indptr)
    shared = shared_in(held, held, first, second)
    return shared, shared / np.maximum(np.minimum(sizes[first], sizes[second]), 1)


def distinct_kmers(packed: Packed, k: int) -> csr_array:
    """Return the distinct canonical k-mers of each sequence, `[n, 4**k]`: 1 where it holds one."""
    parts = []
    bits = np.uint64(2 * k)
    for codes, numbers in chunked(EachRow(packed), k):
        kmers, _, valid = canonical_kmers(codes, k)
        valid &= numbers[: len(valid)] == numbers[len(codes) - len(valid) :]  # within one sequence
        parts.append(_sorted_once((numbers[: len(kmers)][valid].astype(np.uint64) << bits) | kmers[valid]))
    entries = joined(parts)
    if packed.lengths.max(initial=0) > CHUNK:  # such a sequence comes in several parts
        entries = _sorted_once(entries)
    start = np.searchsorted(entries, np.arange(packed.count + 1, dtype=np.uint64) << bits)
    entries &= np.uint64((1 << (2 * k)) - 1)
    return csr_array((np.ones(len(entries), np.int8), entries.view(np.int64), start), shape=(packed.count, 4**k))


def _sorted_once(entries: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers in order, each once; the array that is given is sorted too."""
    entries.sort()
    return entries[np.append(len(entries) > 0, entries[1:] != entries[:-1])]


def _estimated_pairs(sketches: Sketches, share: float) -> int:
    """Return about how many pairs there are, from a sample of the rows that is the same each time."""
    count = len(sketches)
    if count <= 4 * SAMPLE:
        return 0
    rows = np.sort(np.random.default_rng(0).choice(count, SAMPLE, replace=False))
    found = near_copies(sketches.of(rows), share=share, best=0)
    return int(found.pairs * (count / SAMPLE) ** 2)


def _table(first=(), second=(), shared=(), share=(), strand=()) -> pd.DataFrame:
    columns = {"first": np.asarray(first, np.int64), "second": np.asarray(second, np.int64)}
    columns |= {"shared": np.asarray(shared, np.int64), "share": np.asarray(share, np.float64)}
    return pd.DataFrame(columns | {"strand": np.asarray(strand, object)})

"""Which rows are of one locus: stretches of reference that they share, and groups by what must not be split."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from glmflow.genome.canonical import as_bases, coded, kmers_as_read

K = 31
LOCUS = 500
"""Shared 31-mers that make two windows one locus. A single one joins most of a genome through its repeats (Alu)."""
SHORT = 0.5
"""Of windows that have fewer the share of the shorter one's 31-mers that does."""
Rows = Sequence[str]


def kmer_matrix(sequences: Rows, k: int = K) -> sparse.csr_matrix:
    """Return which k-mers each sequence holds, of the strand as it is, `[sequences, k-mers]` of 1."""
    own = [distinct_kmers(text, k) for text in sequences]
    every, columns = np.unique(np.concatenate([np.empty(0, np.uint64), *own]), return_inverse=True)
    rows = np.repeat(np.arange(len(own)), [len(one) for one in own])
    return sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)), shape=(len(own), max(1, len(every))))


def distinct_kmers(sequence: str, k: int = K) -> NDArray[np.uint64]:
    """Return the distinct k-mers of a sequence as numbers, of the strand as it is; those with other letters left out."""
    numbers, known = kmers_as_read(coded(as_bases(sequence)), k)
    return np.unique(numbers[known])


def shared_kmers(sequences: Rows, others: Rows | None = None, k: int = K) -> NDArray[np.int32]:
    """Return the number of distinct k-mers that each two sequences share, `[sequences, others]`."""
    matrix = kmer_matrix([*sequences, *(others or [])], k)
    first = matrix[: len(sequences)]
    return (first @ (matrix[len(sequences) :] if others is not None else first).T).toarray()


def same_key(keys: Sequence[Hashable]) -> sparse.csr_matrix:
    """Return pairs of rows of the same key, each row paired with the first of its key; None belongs to no other."""
    first: dict[Hashable, int] = {}
    pairs = [(row, first.setdefault(key, row)) for row, key in enumerate(keys) if key is not None]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(len(keys), len(keys)))


def one_locus(shared: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which two of some rows are of one locus, `[rows, rows]`, by the k-mers that they share (their own on the diagonal)."""
    own = np.diagonal(shared)
    least = np.minimum(LOCUS, SHORT * np.minimum(own[:, None], own[None, :]))
    return (shared > 0) & (shared >= least)


def groups_by(*keys: Sequence[Hashable], shared: NDArray | None = None, least: int | None = None) -> NDArray[np.int64]:
    """Return the group of each row: rows with any key in common, or of one locus, are of one group.

    Parameters
    ----------
    keys
        Sequences of one key a row (gene, network ...).
    shared : int[rows, rows]
        Numbers of shared k-mers.
    least
        So many shared k-mers make a locus, whatever the lengths; by `one_locus` where left out.
    """
    graphs = [same_key(own) for own in keys]
    if shared is not None:
        graphs.append(sparse.csr_matrix(one_locus(shared) if least is None else shared >= least))
    joined = sum(graphs[1:], graphs[0]) if graphs else sparse.csr_matrix((0, 0))
    return connected_components(joined, directed=False)[1].astype(np.int64)

"""What can be read off a sequence without looking at what it says: length, composition, its ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack

from glmflow.genome.packed import OnGenome, Packed, count_in

AT_ONCE = 1 << 21
"""Bases that are described, and whose k-mers are counted, at a time."""
_CODE = np.full(256, -1, np.int64)
_CODE[list(b"ACGT")] = range(4)


def composition(packed: Packed | OnGenome) -> pd.DataFrame:
    """Return numbers that describe each sequence.

    Returns
    -------
    DataFrame
        `length`, `gc` (share of G and C in its length), `n_share`, `cpg_oe` (CpG observed / expected: CG x bases / (C x G)),
        `first`, `last` (0 to 3 for A C G T, -1 for N).
    """
    parts = []
    for _, part in packed.parts(AT_ONCE):
        letters = _letters_in(part)
        bases = sum(letters.values())
        cg = np.zeros(len(part.codes), bool)
        cg[:-1] = (part.codes[:-1] == ord("C")) & (part.codes[1:] == ord("G"))
        ends = part.offsets[1:] - 1
        cg[ends[(ends >= 0) & (part.lengths > 0)]] = False
        with np.errstate(invalid="ignore", divide="ignore"):
            expected = letters["C"] * letters["G"] / np.maximum(bases, 1)
            oe = np.where(expected > 0, count_in(part, cg) / np.where(expected > 0, expected, 1), 0.0)
        some = part.lengths > 0
        parts.append(
            pd.DataFrame(
                {
                    "length": part.lengths,
                    "gc": (letters["G"] + letters["C"]) / np.maximum(part.lengths, 1),
                    "n_share": 1 - bases / np.maximum(part.lengths, 1),
                    "cpg_oe": oe,
                    "first": np.where(some, _CODE[part.codes[np.where(some, part.offsets[:-1], 0)]], -1),
                    "last": np.where(some, _CODE[part.codes[np.where(some, ends, 0)]], -1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["length", "gc"])


def _letters_in(packed: Packed) -> dict[str, NDArray[np.int64]]:
    """Return how often A, C, G and T stand in each sequence, `[n]`; of shorter ones all are counted in one number each."""
    if packed.lengths.max(initial=0) >= 1 << 16 or not len(packed.codes):
        return {letter: count_in(packed, packed.codes == ord(letter)) for letter in "ACGT"}
    one = np.zeros(256, np.uint64)
    one[list(b"ACGT")] = [1 << (16 * place) for place in range(4)]
    first = np.minimum(packed.offsets[:-1], len(packed.codes) - 1)
    sums = np.where(packed.lengths > 0, np.add.reduceat(one[packed.codes], first), np.uint64(0))
    return {
        letter: ((sums >> np.uint64(16 * place)) & np.uint64(0xFFFF)).astype(np.int64)
        for place, letter in enumerate("ACGT")
    }


SPARSE = 0.1
"""Largest share of filled cells up to which a table of k-mers is kept as a sparse one."""


def kmer_table(packed: Packed | OnGenome, k: int, both_strands: bool = False) -> NDArray[np.float32]:
    """Count the k-mers of each sequence, `[n, 4**k]` in the order of A C G T; those with an N are left out.

    Parameters
    ----------
    both_strands
        Each k-mer is counted with its reverse complement, in one column: `[n, (4**k + palindromes) / 2]`.
    """
    column, size = _columns(k, both_strands)
    table = np.zeros((packed.count, size), np.float32)
    for rows, part in packed.parts(AT_ONCE):
        index, owner = kmer_places(part, k)
        cell = owner * size + column[index]
        table[rows] = np.bincount(cell, minlength=part.count * size).reshape(part.count, size)
    return table


def kmer_features(packed: Packed | OnGenome, k: int, both_strands: bool = False) -> NDArray[np.float32] | csr_array:
    """Return the table of `kmer_table`; a sparse one where few of its cells can be filled, which is smaller and faster.

    67,000 sequences of 100 bases have 95 of 4,096 6-mers each: 1.1 GB as a table, 50 MB as a sparse one.
    """
    column, size = _columns(k, both_strands)
    if int(np.maximum(packed.lengths - k + 1, 0).sum()) > SPARSE * packed.count * size:
        return kmer_table(packed, k, both_strands)
    parts = [csr_array((0, size), dtype=np.float32)]
    for _, part in packed.parts(AT_ONCE):
        index, owner = kmer_places(part, k)
        ones = np.ones(len(index), np.float32)
        cells = owner.astype(np.int32), column[index].astype(np.int32)
        parts.append(coo_array((ones, cells), shape=(part.count, size)).tocsr())
    return vstack(parts, format="csr", dtype=np.float32)


def _columns(k: int, both_strands: bool) -> tuple[NDArray[np.int64], int]:
    """Return the column of each k-mer, `[4**k]`, and how many columns there are."""
    column = np.arange(4**k)
    if both_strands:
        _, column = np.unique(np.minimum(column, reverse_index(k)), return_inverse=True)
    return column, int(column.max()) + 1


def kmer_places(packed: Packed, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each k-mer without an N, and the sequence it lies in, one after the other."""
    length = len(packed.codes) - k + 1
    if length < 1:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    code = _CODE.astype(np.int8)[packed.codes]
    value = np.zeros(length, np.int32 if k < 16 else np.int64)
    for offset in range(k):
        value *= 4
        value += code[offset : offset + length]
    # Not those that hold an N or reach into the next sequence.
    unknown = np.flatnonzero(code < 0)
    valid = np.ones(len(code), bool)
    for offset in range(k):
        valid[np.maximum(unknown - offset, 0)] = False
        if offset:
            valid[np.maximum(packed.offsets[1:] - offset, packed.offsets[:-1])[packed.lengths > 0]] = False
    kept = np.flatnonzero(valid[:length])
    owner = np.repeat(np.arange(packed.count), packed.lengths)
    return value[kept].astype(np.int64), owner[kept]


def reverse_index(k: int) -> NDArray[np.int64]:
    """Return the number of the reverse complement of each k-mer, `[4**k]`."""
    number, turned = np.arange(4**k), np.zeros(4**k, np.int64)
    for _ in range(k):
        turned = turned * 4 + (3 - number % 4)
        number = number // 4
    return turned


def one_hot(packed: Packed | OnGenome) -> NDArray[np.float32]:
    """Return each base of aligned sequences as four columns, `[n, 4 L]`; N is zero in all of them.

    Raises
    ------
    ValueError
        The sequences differ in length.
    """
    lengths = np.unique(packed.lengths)
    if len(lengths) != 1:
        raise ValueError("sequences of several lengths are not aligned")
    table = np.zeros((packed.count, int(lengths[0]), 4), np.float32)
    for rows, part in packed.parts(AT_ONCE):
        code = _CODE[part.codes].reshape(part.count, -1)
        row, place = np.nonzero(code >= 0)
        table[rows][row, place, code[row, place]] = 1
    return table.reshape(packed.count, -1)


def one_hot_ends(packed: Packed, width: int) -> NDArray[np.float32]:
    """Return the first and the last bases of each sequence as four columns each, `[n, 2 width 4]`, aligned to the ends.

    N, and what lies beyond a shorter sequence, is zero in all four columns.
    """
    places = np.arange(width)
    start, stop = packed.offsets[:-1, None], packed.offsets[1:, None]
    at = np.concatenate([start + places, stop - width + places], axis=1)
    inside = (at >= start) & (at < stop)
    code = np.where(inside, _CODE[packed.codes[np.where(inside, at, 0)]], -1)
    table = np.zeros((*code.shape, 4), np.float32)
    known = code >= 0
    table[known, code[known]] = 1
    return table.reshape(packed.count, -1)


def consensus_identity(packed: Packed) -> float:
    """Return how often a base is the most frequent one of its column, in aligned sequences; NaN if lengths differ.

    Mutants of one sequence are near 1; unrelated sequences are near 0.3.
    """
    if packed.count < 20 or len(np.unique(packed.lengths)) != 1 or packed.lengths[0] == 0:
        return float("nan")
    rows = np.unique(np.linspace(0, packed.count - 1, 2000).astype(int))
    table = packed.take(rows).codes.reshape(len(rows), -1)
    counts = np.stack([(table == ord(letter)).mean(axis=0) for letter in "ACGT"])
    return float(counts.max(axis=0).mean())

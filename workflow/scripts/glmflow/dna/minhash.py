"""Sets of k-mers as sourmash and Mash hash them, and what two of them share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.canonical import Sequence, as_bases, opposite_strand

from .kmer_tables import CODE

K = 21
SEED = 42
_PART = 1 << 18  # k-mers hashed at a time


class Shared(NamedTuple):
    """What two sets of k-mers share.

    Attributes
    ----------
    jaccard
        Common k-mers over all k-mers.
    first_in_second, second_in_first
        Share of one set's k-mers that the other has.
    first_ani, second_ani
        Identity that each of these shares implies, `C ** (1 / k)`; None where nothing is shared.
    mash
        Mash distance `-ln(2 J / (1 + J)) / k` (Ondov et al. 2016); None where nothing is shared.
    """

    jaccard: float
    first_in_second: float
    second_in_first: float
    first_ani: float | None
    second_ani: float | None
    mash: float | None


def hashes(sequences: Iterable[Sequence], k: int = K, scaled: int = 1) -> NDArray[np.uint64]:
    """Return the hashes of all canonical k-mers, each once, sorted.

    The canonical k-mer is the one of both strands that comes first in the alphabet; its letters are hashed by MurmurHash3
    (x64, 128 bits, the first half, seed 42), as sourmash does, so that sketches can be compared with those of others.
    K-mers with letters other than A, C, G and T are left out.

    Parameters
    ----------
    scaled
        Keep hashes up to `2**64 / scaled`: one hash in `scaled` (FracMinHash).
    """
    most = np.uint64(min(2**64 - 1, round((2**64 - 1) / scaled)))
    parts = [np.zeros(0, np.uint64)]
    for sequence in sequences:
        bases = as_bases(sequence)
        for start in range(0, max(0, len(bases) - k + 1), _PART):
            piece = bases[start : start + _PART + k - 1]
            found = _murmur(_canonical(piece, k))
            parts.append(np.unique(found[found <= most]))
    return np.unique(np.concatenate(parts))


def shared(one: NDArray[np.uint64], other: NDArray[np.uint64], k: int = K) -> Shared:
    """Return what two sorted sets of hashes share; NaN shares of an empty set."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    union = len(one) + len(other) - common
    jaccard = common / union if union else float("nan")
    first = common / len(one) if len(one) else float("nan")
    second = common / len(other) if len(other) else float("nan")
    if not common:
        return Shared(jaccard, first, second, None, None, None)
    mash = max(0.0, float(-np.log(2 * jaccard / (1 + jaccard)) / k))
    return Shared(jaccard, first, second, first ** (1 / k), second ** (1 / k), mash)


def sketch_jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64], size: int) -> float:
    """Return the Jaccard index that the `size` smallest hashes of the union tell (Mash's sketches)."""
    smallest = np.union1d(one[:size], other[:size])[:size]
    both = np.isin(smallest, one[:size]) & np.isin(smallest, other[:size])
    return float(both.sum() / len(smallest)) if len(smallest) else float("nan")


def _canonical(bases: NDArray[np.uint8], k: int) -> NDArray[np.uint8]:
    """Return the letters of the canonical k-mers, `[n, k]`."""
    windows = np.lib.stride_tricks.sliding_window_view(bases, k)
    other = np.lib.stride_tricks.sliding_window_view(opposite_strand(bases), k)[::-1]
    known = (np.lib.stride_tricks.sliding_window_view(CODE[bases], k) >= 0).all(axis=1)
    windows, other = windows[known], other[known]
    first = (windows != other).argmax(axis=1)
    rows = np.arange(len(windows))
    return np.where((other[rows, first] < windows[rows, first])[:, None], other, windows)


def _murmur(keys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the first 64 bits of MurmurHash3 x64 128 (Appleby 2011) of each row of bytes."""
    count, length = keys.shape
    padded = np.zeros((count, -(-length // 16) * 16), np.uint8)
    padded[:, :length] = keys
    words = padded.view("<u8").reshape(count, -1).astype(np.uint64)
    c1, c2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
    h1 = np.full(count, SEED, np.uint64)
    h2 = h1.copy()
    for place in range(0, words.shape[1], 2):
        k1, k2 = _rolled(words[:, place] * c1, 31) * c2, _rolled(words[:, place + 1] * c2, 33) * c1
        if 8 * (place + 2) <= length:
            h1 = (_rolled(h1 ^ k1, 27) + h2) * np.uint64(5) + np.uint64(0x52DCE729)
            h2 = (_rolled(h2 ^ k2, 31) + h1) * np.uint64(5) + np.uint64(0x38495AB5)
        else:  # the tail; bytes beyond it are zero and change nothing
            h1, h2 = h1 ^ k1, h2 ^ k2
    h1, h2 = h1 ^ np.uint64(length), h2 ^ np.uint64(length)
    h1 = h1 + h2
    h2 = h2 + h1
    return _finished(h1) + _finished(h2)


def _rolled(words: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    return (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))


def _finished(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        words = (words ^ (words >> np.uint64(33))) * np.uint64(factor)
    return words ^ (words >> np.uint64(33))

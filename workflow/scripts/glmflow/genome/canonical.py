"""Canonical k-mers of sequences: the same number for a k-mer and for its reverse complement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Sequence = NDArray[np.uint8] | bytes | str

CHUNK = 1 << 18
"""Bases that are coded at a time: their arrays of 8 bytes a base stay in the processor's cache."""

INVALID = 4
_CODE = np.full(256, INVALID, dtype=np.uint8)
for _number, _letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
    _CODE[np.frombuffer(_letters.encode(), dtype=np.uint8)] = _number
_COMPLEMENT = np.arange(256, dtype=np.uint8)
for _letters, _others in (
    ("ACGTRYSWKMBVDHN", "TGCAYRSWMKVBHDN"),
    ("acgtryswkmbvdhn", "tgcayrswmkvbhdn"),
    ("Uu", "Aa"),
):
    _COMPLEMENT[np.frombuffer(_letters.encode(), dtype=np.uint8)] = np.frombuffer(_others.encode(), dtype=np.uint8)
_UPPER = np.frombuffer(bytes(range(256)).upper(), dtype=np.uint8).copy()
_UPPER[[ord("u"), ord("U")]] = ord("T")


def as_bases(sequence: Sequence) -> NDArray[np.uint8]:
    """Return a sequence as upper-case ASCII codes, U as T; text and bytes are taken as well as arrays."""
    if isinstance(sequence, str):
        sequence = sequence.encode()
    if not isinstance(sequence, np.ndarray):
        sequence = np.frombuffer(sequence, dtype=np.uint8)
    return _UPPER[sequence]


def coded(bases: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ASCII codes `[L]` as 0 to 3 for A, C, G, T (and U); `INVALID` for everything else."""
    return _CODE[bases]


def opposite_strand(bases: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the reverse complement of ASCII codes `[L]`; ambiguity codes are complemented, N stays N."""
    return _COMPLEMENT[bases[::-1]]


def mixed(numbers: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """Return numbers below `2**bits` spread evenly over the same range, each to another one (a bijection).

    Multiplications by odd numbers and shifts to the right, each of which can be undone modulo `2**bits` (the finalizer
    of MurmurHash3, Appleby 2011, cut to that many bits).
    """
    mask, half = np.uint64(2**bits - 1), np.uint64((bits + 1) // 2)
    numbers = numbers ^ (numbers >> half)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        numbers *= np.uint64(factor)
        numbers &= mask
        numbers ^= numbers >> half
    return numbers


def canonical_kmers(
    codes: NDArray[np.uint8], k: int
) -> tuple[NDArray[np.uint64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the canonical k-mer that starts at each base: the smaller of both strands' numbers.

    Parameters
    ----------
    codes : uint8[L]
        0 to 3 for A, C, G, T; `INVALID` for everything else.
    k
        Odd, so that no k-mer is its own reverse complement; at most 31.

    Returns
    -------
    kmers : uint64[L - k + 1]
        Below `4**k`.
    reverse : bool[L - k + 1]
        True where the reverse complement is the smaller one.
    valid : bool[L - k + 1]
        False where a base of the k-mer is none of A, C, G, T.
    """
    if not k % 2 or not 1 <= k <= 31:
        raise ValueError(f"k = {k}: give an odd number up to 31")
    forward, valid = kmers_as_read(codes, k)
    other = (codes & np.uint8(3)).astype(np.uint64) ^ np.uint64(3)
    reverse = _power_sums(other, k, len(forward), first_highest=False)
    turned = reverse < forward
    return np.minimum(forward, reverse, out=forward), turned, valid


def kmers_as_read(codes: NDArray[np.uint8], k: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the number of the k-mer that starts at each base, of this strand alone, and which hold no other letter.

    Both `[L - k + 1]`; `k` is at most 31 (see `canonical_kmers`).
    """
    length = max(0, len(codes) - k + 1)
    bad = codes > 3
    numbers = _power_sums((codes & np.uint8(3)).astype(np.uint64), k, length, first_highest=True)
    if not bad.any():
        return numbers, np.ones(length, bool)
    before = np.concatenate([[0], np.cumsum(bad, dtype=np.int32)])
    return numbers, before[k : k + length] == before[:length]


def _power_sums(digits: NDArray[np.uint64], k: int, length: int, *, first_highest: bool) -> NDArray[np.uint64]:
    """Return the number that each k digits of base 4 make, by doubling: of 1, 2, 4 ... digits, joined as `k` needs."""
    total: NDArray[np.uint64] | None = None
    part, width, covered = digits, 1, 0
    while True:
        if k & width:
            piece = part[covered : covered + length]
            if total is None:
                total = piece.copy()
            elif first_highest:
                total = (total << np.uint64(2 * width)) | piece
            else:
                total |= piece << np.uint64(2 * covered)
            covered += width
        if covered == k:
            assert total is not None
            return total
        later = part[width:]
        earlier = part[: len(later)]
        if first_highest:
            part = (earlier << np.uint64(2 * width)) | later
        else:
            part = earlier | (later << np.uint64(2 * width))
        width *= 2


def chunked(sequences: Iterable[Sequence], k: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint32]]]:
    """Yield codes of many sequences at a time with the number of the sequence at each base.

    A sequence that is longer than a chunk is cut into pieces that overlap by `k - 1` bases: each of its k-mers comes once.
    """
    pieces: list[NDArray[np.uint8]] = []
    numbers: list[int] = []
    held = 0
    for number, sequence in enumerate(sequences):
        if not isinstance(sequence, np.ndarray):
            sequence = np.frombuffer(sequence.encode() if isinstance(sequence, str) else sequence, dtype=np.uint8)
        for start in range(0, max(1, len(sequence) - k + 1), CHUNK):
            piece = sequence[start : start + CHUNK + k - 1]
            pieces.append(piece)
            numbers.append(number)
            held += len(piece)
            if held >= CHUNK:
                yield _joined(pieces, numbers)
                pieces, numbers, held = [], [], 0
    if held:
        yield _joined(pieces, numbers)


def _joined(pieces: list[NDArray[np.uint8]], numbers: list[int]) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Join pieces of sequences: codes, and the number of the sequence at each base."""
    return coded(np.concatenate(pieces)), np.repeat(np.array(numbers, np.uint32), [len(piece) for piece in pieces])

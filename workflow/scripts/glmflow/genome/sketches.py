"""The k-mers of many sequences in one sorted array, all of them or an even sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from .canonical import Sequence, canonical_kmers, chunked, mixed

K = 21
MOST = 150_000_000
"""k-mers that are kept at most where `fraction` is chosen: 1.2 GB."""

_SLICE = 1 << 20  # entries that are looked at at a time
_BLOCK = 1 << 23  # entries that are joined before all are: 64 MB


@dataclass(frozen=True, eq=False)
class Sketches:
    """The k-mers of many sequences, ready to be compared.

    Attributes
    ----------
    k
        Length of a k-mer, odd.
    fraction
        Share of all k-mers that are kept.
    entries : uint64[n]
        Sorted: hash of a k-mer, then the number of the sequence in `bits` bits, then 1 where the k-mer was read off the
        opposite strand; each k-mer of a sequence once.
    bits
        Bits of a sequence's number.
    sizes : int64[sequences]
        Distinct k-mers kept of each sequence.
    place : int64[all sequences that were sketched]
        Number that each has here, -1 if it is not among these.
    """

    k: int
    fraction: float
    entries: NDArray[np.uint64]
    bits: int
    sizes: NDArray[np.int64]
    place: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.sizes)

    def of(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Sketches:
        """Return the sketches of some of the sequences, numbered 0, 1 ... in ascending order; nothing is copied.

        Parameters
        ----------
        rows
            A mask over all sequences, or their numbers.
        """
        chosen = np.zeros(len(self), bool)
        chosen[np.asarray(rows)] = True
        numbers = np.append(np.where(chosen, np.cumsum(chosen) - 1, -1), -1)
        return replace(self, sizes=self.sizes[chosen], place=numbers[self.place])

    def owners(self, entries: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the number of the sequence of each entry; -1 if it is not among these."""
        return self.place[((entries >> np.uint64(1)) & np.uint64(2**self.bits - 1)).astype(np.int64)]

    def keys(self, entries: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the hash of the k-mer of each entry."""
        return entries >> np.uint64(self.bits + 1)


def suited_k(bases: int, shortest: int) -> int:
    """Return the shortest odd k of 15 to 21 of which a hundredth or less recurs by chance; 11 for short sequences.

    Short k-mers survive more substitutions: of 5 % they leave 46 % of the 15-mers and 34 % of the 21-mers.

    Parameters
    ----------
    bases
        Bases of all sequences together.
    shortest
        Bases of a short sequence (a low quantile of the lengths); below 63 bp 11 is returned.
    """
    if shortest < 63:
        return 11
    return next((k for k in (15, 17, 19) if 4**k / 2 >= 100 * bases), K)


def suited_fraction(bases: int) -> float:
    """Return the share of k-mers with which a comparison of `bases` stays within memory: 1, 1/2, 1/4 ..."""
    fraction = 1.0
    while bases * fraction > MOST:
        fraction /= 2
    return fraction


def sketch(
    sequences: Iterable[Sequence], k: int = K, fraction: float = 1.0, cores: int = 1, count: int | None = None
) -> Sketches:
    """Return the k-mers of sequences, ready to be compared; k-mers with a letter other than A, C, G, T are left out.

    Parameters
    ----------
    sequences
        Arrays of ASCII codes `uint8[L]`, bytes or text; may be a generator, as none is kept.
    k
        Length of a k-mer: odd, at most 31.
    fraction
        Share of all k-mers to keep, the same of each sequence: 1 keeps every one, 1/64 suits windows of a genome.
    cores
        Threads.
    count
        Number of sequences, or a bound of it, where they come from a generator of more than four millions.
    """
    known = count if count is not None else len(sequences) if hasattr(sequences, "__len__") else 1 << 22
    bits = max(1, (max(1, known) - 1).bit_length())
    key_bits = min(2 * k, 63 - bits)
    limit = np.uint64(min(2**key_bits, round(fraction * 2**key_bits)))
    total = 0

    def counted() -> Iterator[Sequence]:
        nonlocal total
        for total, sequence in enumerate(sequences, start=1):  # noqa: B007 - the number of the last one is kept
            yield sequence

    def entries_of(chunk: tuple[NDArray[np.uint8], NDArray[np.uint32]]) -> NDArray[np.uint64]:
        codes, numbers = chunk
        kmers, turned, valid = canonical_kmers(codes, k)
        hashed = mixed(kmers, 2 * k) >> np.uint64(2 * k - key_bits)
        valid &= numbers[: len(valid)] == numbers[len(codes) - len(valid) :]  # within one sequence
        if fraction < 1:
            valid &= hashed < limit
        kept = np.flatnonzero(valid)
        own = (numbers[kept].astype(np.uint64) << np.uint64(1)) | turned[kept]
        return (hashed[kept] << np.uint64(bits + 1)) | own

    entries = gathered(in_threads(entries_of, chunked(counted(), k), cores))
    if total > 2**bits:
        raise ValueError(f"{total:,} sequences, where at most {2**bits:,} were announced: give `count`")
    entries.sort()
    entries = entries[: _compact(entries)]
    sizes = np.zeros(total, np.int64)
    sketches = Sketches(k, fraction, entries, bits, sizes, np.arange(total))
    for start in range(0, len(entries), _SLICE):
        sizes += np.bincount(sketches.owners(entries[start : start + _SLICE]), minlength=total)
    return sketches


def shared_entries(queries: Sketches, targets: Sketches) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the entries whose k-mer a query and another sequence, a target, hold, and where each k-mer's begin.

    Raises
    ------
    ValueError
        They are not parts of one sketch.
    """
    if queries.entries is not targets.entries:
        raise ValueError("not parts of one sketch: sketch all sequences together, then take `of(rows)`")
    parts, starts, total = [], [np.zeros(0, np.int64)], 0
    for part in _whole_runs(queries):
        keys = queries.keys(part)
        same = keys[1:] == keys[:-1]
        repeated = np.append(same, False)
        repeated[1:] |= same
        part, keys = part[repeated], keys[repeated]
        if not len(part):
            continue
        start = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        by_query, by_target = queries.owners(part) >= 0, targets.owners(part) >= 0
        held = np.add.reduceat(by_query | by_target, start, dtype=np.int64)
        # A k-mer that one sequence alone holds, as a query and as a target, compares nothing.
        wanted = np.logical_or.reduceat(by_query, start) & np.logical_or.reduceat(by_target, start) & (held > 1)
        parts.append(part[np.repeat(wanted, np.diff(start, append=len(part))) & (by_query | by_target)])
        starts.append(total + np.cumsum(held[wanted]) - held[wanted])
        total += len(parts[-1])
    return joined(parts), np.append(np.concatenate(starts), total)


def _whole_runs(sketches: Sketches) -> Iterator[NDArray[np.uint64]]:
    """Yield consecutive parts of the entries; those of one k-mer stay together."""
    entries, start = sketches.entries, 0
    while start < len(entries):
        end = min(start + _SLICE, len(entries))
        if end < len(entries):
            after = (int(sketches.keys(entries[end - 1 : end])[0]) + 1) << (sketches.bits + 1)
            end = len(entries) if after >= 2**64 else int(np.searchsorted(entries, np.uint64(after)))
        yield entries[start:end]
        start = end


def _compact(entries: NDArray[np.uint64]) -> int:
    """Move the first entry of each k-mer and sequence to the front, in place, and return how many there are."""
    kept, last = 0, None
    for start in range(0, len(entries), _SLICE):
        part = entries[start : start + _SLICE]
        own = part >> np.uint64(1)
        new = np.append(last is None or own[0] != last, own[1:] != own[:-1])
        last = own[-1]
        chosen = part[new]
        entries[kept : kept + len(chosen)] = chosen
        kept += len(chosen)
    return kept


def gathered(parts: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Join arrays that come one by one; small ones to blocks first, whose memory the system takes back as they are joined."""
    blocks: list[NDArray[np.uint64]] = []
    waiting: list[NDArray[np.uint64]] = []
    held = 0
    for part in parts:
        waiting.append(part)
        held += len(part)
        if held >= _BLOCK:
            blocks.append(joined(waiting))
            held = 0
    blocks += waiting
    waiting.clear()  # so that nothing but the list that is emptied holds them
    return joined(blocks)


def joined(parts: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Join arrays and empty the list: each is let go as it is copied, so that little more than one copy is held."""
    whole = np.empty(sum(map(len, parts)), np.uint64)
    end = len(whole)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole


def in_threads(function: Callable, items: Iterator, cores: int) -> Iterator:
    """Apply a function to items and yield the results in their order, some computed ahead by threads."""
    if cores <= 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(cores) as pool:
        waiting = [pool.submit(function, item) for item in islice(items, 2 * cores)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(function, item) for item in islice(items, 1)]

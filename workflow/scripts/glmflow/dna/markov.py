"""Markov chains of bases: how many bits per base costs under one, and sequences drawn from one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.canonical import Sequence

from .kmer_tables import coded, counts, index_of_codes


class Chain:
    """Counts of the base that follows each k-mer.

    Attributes
    ----------
    order
        Bases k before it that a base depends on, at most 12.
    table : int64[4**k, 4]
        How often each base followed each k-mer.
    """

    def __init__(self, sequences: Iterable[Sequence], order: int, both_strands: bool = False):
        self.order = order
        self.table = counts(sequences, order + 1, both_strands).reshape(4**order, 4)

    def bits(self, sequence: Sequence) -> NDArray[np.float64]:
        """Return the bits of each base from the first that has k bases before it, `[<= L - k]`.

        A base costs `-log2((c + 1) / (n + 4))`; bases that follow, or are, letters other than A, C, G and T are left out.
        """
        index = index_of_codes(coded(sequence), self.order + 1)
        index = index[index >= 0]
        table = self.table.reshape(-1)
        return np.log2(self.table.sum(1) + 4.0)[index // 4] - np.log2(table[index] + 1.0)

    def bits_per_base(self, sequences: Iterable[Sequence]) -> float:
        """Return the mean bits per base over all scored bases of sequences; NaN where none is scored."""
        parts = [self.bits(sequence) for sequence in sequences]
        scored = sum(map(len, parts))
        return float(sum(part.sum() for part in parts) / scored) if scored else float("nan")

    @cached_property
    def _seen(self) -> NDArray[np.int64]:
        """How often the k-mers up to each were followed by a base."""
        return np.cumsum(self.table.sum(1))

    def draw(self, length: int, generator: np.random.Generator, start: Sequence = "") -> str:
        """Draw what follows a sequence (nothing: a k-mer of the chain comes first), `length` bases.

        A base that never followed a k-mer in the counts is not drawn; after a k-mer that was never seen, and as long as
        fewer than k bases stand before, all bases are alike. Draws are those of the counts, nothing is added to them.
        """
        return "".join(self._drawn(length, generator, start))

    def likeliest(self, length: int, start: Sequence) -> str:
        """Return the likeliest continuation, base by base; of equally likely bases the first of A, C, G and T."""
        return "".join(self._continued(start, length, lambda row: int(row.argmax())))

    def _drawn(self, length: int, generator: np.random.Generator, start: Sequence) -> Iterator[str]:
        if not len(start) and self.order and self._seen[-1] and length:
            first = int(np.searchsorted(self._seen, generator.random() * self._seen[-1], side="right"))
            letters = "".join("ACGT"[(first >> (2 * place)) & 3] for place in range(self.order - 1, -1, -1))[:length]
            yield letters
            start, length = letters, length - len(letters)
        uniform = iter(generator.random(length).tolist())

        def pick(row: NDArray[np.int64]) -> int:
            a, b, c, d = row.tolist()
            total = a + b + c + d
            if not total:
                a = b = c = 1
                total = 4
            point = next(uniform) * total
            return 0 if point < a else 1 if point < a + b else 2 if point < a + b + c else 3

        yield from self._continued(start, length, pick)

    def _continued(self, start: Sequence, length: int, pick: Callable[[NDArray[np.int64]], int]) -> Iterator[str]:
        """Yield bases one by one."""
        nothing, size = np.zeros(4, np.int64), 4**self.order
        state, seen = 0, 0
        for code in coded(start)[-self.order :].tolist() if self.order else []:
            state, seen = (4 * state + max(code, 0)) % size, seen + 1 if code >= 0 else 0
        for _ in range(length):
            base = pick(self.table[state] if seen >= self.order else nothing)
            state, seen = (4 * state + base) % size, seen + 1
            yield "ACGT"[base]

"""Whether a sequence holds anything of a list of hazards, window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.canonical import as_bases

from .hazards import LONG, PEPTIDE, SHORT, Hazards, Table, kmers_of, peptides_of
from .short_words import SPANS, ShortWords

WINDOWS = (50, 200)
STEP = 25
LEAST = {"31-mers": 0.0, "21-mers": 0.02, "peptides": 0.1, "alignment": 0.3}
"""Share of a window's 31-mers (any), 21-mers, peptides of six frames and aligned bases from which on it is a hit.

Those of short words in order are told by `short_words.SPANS`.
"""


class Hit(NamedTuple):
    """A window that holds something of a hazard: what was found there, 0-based half-open, and the share of it."""

    hazard: str
    start: int
    end: int
    test: str
    score: float


class Screen:
    """The comparison of sequences with a list of hazards.

    Parameters
    ----------
    windows
        Lengths of the windows in bases; a hit in any of them, however long the sequence, is a hit.
    """

    def __init__(self, hazards: Hazards, windows: Sequence[int] = WINDOWS, step: int = STEP):
        if min(windows) < 3 * PEPTIDE or step < 1:
            raise InputError(f"windows of {min(windows)} bases", fix=f"Give windows of {3 * PEPTIDE} bases or more.")
        self.hazards, self.windows, self.step = hazards, tuple(windows), step
        self._words = ShortWords(hazards.bases)
        self._aligners = [_aligner(bases) for bases in hazards.bases]

    @property
    def aligns(self) -> bool:
        """Whether windows are aligned too: mappy is installed."""
        return any(self._aligners)

    def hits(self, sequence: str) -> list[Hit]:
        """Return the hits of a sequence: of each test and length of window the one with the highest score."""
        bases = as_bases(sequence)
        found = []
        tests: list[tuple[str, Table, list[tuple[NDArray, NDArray]], int]] = [
            ("31-mers", self.hazards.long, [kmers_of(bases, LONG)], LONG),
            ("21-mers", self.hazards.short, [kmers_of(bases, SHORT)], SHORT),
            (
                "peptides",
                self.hazards.peptides,
                [(own[own >= 0], np.flatnonzero(own >= 0)) for own in peptides_of(bases)],
                3 * PEPTIDE,
            ),
        ]
        for name, table, parts, width in tests:
            owner = np.concatenate([table.owners(numbers) for numbers, _ in parts])
            if (owner < 0).all():
                continue
            place = np.concatenate([places for _, places in parts])
            known = np.bincount(place, minlength=len(bases))
            held = np.bincount(place[owner >= 0], minlength=len(bases))
            for start, end, score in self._best(known, held, width, name):
                inside = owner[(owner >= 0) & (place >= start) & (place + width <= end)]
                found.append(Hit(self.hazards.names[np.bincount(inside).argmax()], start, end, name, score))
        return found + self._in_order(bases) + self._aligned(bases)

    def chance(self, length: int, draws: int = 20) -> float:
        """Return the share of random sequences of a length that have a hit: what a long list of hazards blocks by itself."""
        generator = np.random.default_rng(0)
        letters = np.frombuffer(b"ACGT", np.uint8)
        drawn = (letters[generator.integers(0, 4, length)].tobytes().decode("ascii") for _ in range(draws))
        return sum(bool(self.hits(sequence)) for sequence in drawn) / draws

    def _best(self, known: NDArray, held: NDArray, width: int, name: str) -> Iterator[tuple[int, int, float]]:
        """Yield the window with the highest share of each length, where it is a hit."""
        before = [np.append(0, np.cumsum(counts)) for counts in (known, held)]
        for size in self.windows:
            starts = window_starts(len(known), size, self.step)
            ends = np.minimum(starts + size, len(known))
            last = np.maximum(ends - width + 1, starts)
            total, hits = (counts[last] - counts[starts] for counts in before)
            share = hits / np.maximum(total, 1)
            best = int(share.argmax())
            if share[best] > 0 and share[best] >= LEAST[name]:
                yield int(starts[best]), int(ends[best]), float(share[best])

    def _in_order(self, bases: NDArray[np.uint8]) -> list[Hit]:
        """Return the window of each length that has most bases in short words of a hazard in its order."""
        best = ((span, self._words.best(bases, span)) for span in SPANS)
        return [
            Hit(self.hazards.names[one.hazard], one.start, one.end, "short words", one.covered / span.bases)
            for span, one in best
            if one is not None
        ]

    def _aligned(self, bases: NDArray[np.uint8]) -> list[Hit]:
        """Return the best aligned window of each length."""
        found = []
        for size in self.windows if self.aligns else ():
            best: Hit | None = None
            for start in window_starts(len(bases), size, self.step).tolist():
                window = bases[start : start + size].tobytes().decode("ascii")
                for name, aligner in zip(self.hazards.names, self._aligners):
                    equal = max((hit.mlen for hit in aligner.map(window)), default=0) if aligner else 0
                    share = equal / len(window)
                    if share >= LEAST["alignment"] and (best is None or share > best.score):
                        best = Hit(name, start, start + len(window), "alignment", share)
            found += [best] if best else []
        return found


def window_starts(length: int, size: int, step: int) -> NDArray[np.int64]:
    """Return where windows start: every `step` bases, and the last one flush with the end; a shorter sequence is one."""
    if length <= size:
        return np.zeros(1, np.int64)
    return np.unique(np.append(np.arange(0, length - size + 1, step), length - size))


def _aligner(bases: str) -> Any:
    """Return an aligner of short, diverged pieces to a hazard (minimap2; Li 2018); None without mappy or bases."""
    try:
        import mappy
    except ImportError:
        return None
    return mappy.Aligner(seq=bases, k=11, w=3, min_cnt=2, min_chain_score=15) if bases else None

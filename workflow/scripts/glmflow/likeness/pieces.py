"""Pieces of sequences, all about equally long, so that what grows with length or number compares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmflow.errors import InputError

MOST_N = 0.05
"""Pieces with more letters other than A, C, G and T than this are left out."""
FEWEST = 3
LEAST = 50
"""Bases of a piece: shorter ones have neither words nor frames to speak of."""


def cut(sequences: Sequence[str], size: int) -> list[str]:
    """Return the consecutive pieces of `size` bases; a sequence that is shorter is one piece, a shorter remainder none."""
    found = []
    for sequence in sequences:
        if len(sequence) < size:
            found.append(sequence)
        found += [sequence[start : start + size] for start in range(0, len(sequence) - size + 1, size)]
    return [piece for piece in found if readable(piece)]


def readable(piece: str) -> bool:
    """Whether a piece holds bases enough."""
    known = sum(piece.count(base) for base in "ACGT")
    return known > 0 and known >= (1 - MOST_N) * len(piece)


def sampled(sequences: Sequence[str], lengths: Sequence[int], generator: np.random.Generator) -> list[str]:
    """Return pieces of given lengths from anywhere, each place as likely; they may overlap.

    Raises
    ------
    InputError
        No sequence is as long.
    """
    found = []
    for length in lengths:
        places = np.array([max(0, len(sequence) - length + 1) for sequence in sequences], float)
        if not places.sum():
            raise InputError(f"no sequence of {length:,} bases to take a piece from", fix="Give longer ones.")
        for _ in range(100):
            own = int(generator.choice(len(sequences), p=places / places.sum()))
            start = int(generator.integers(0, int(places[own])))
            piece = sequences[own][start : start + length]
            if readable(piece):
                break
        found.append(piece)
    return found


def divided(pieces: Sequence[str], count: int, generator: np.random.Generator) -> tuple[list[str], list[str]]:
    """Return up to `count` pieces, a third of all at most, and the others: floor and reference of real sequences.

    Raises
    ------
    InputError
        There are too few.
    """
    count = min(count, len(pieces) // 3)
    if count < FEWEST:
        raise InputError(
            f"{len(pieces)} pieces of real sequences: a floor and a reference need {3 * FEWEST}",
            fix="Give more held-out sequences, or a smaller --piece.",
        )
    chosen = set(generator.choice(len(pieces), count, replace=False).tolist())
    return [pieces[place] for place in sorted(chosen)], [p for place, p in enumerate(pieces) if place not in chosen]


def suited_size(lengths: Sequence[int]) -> int:
    """Return a length of pieces: the median sequence, or less where there are few, 500 bases at least."""
    return int(max(min(np.median(lengths), sum(lengths) / 20), min(500, np.median(lengths))))

"""Bases that most sequences of one class hold, wherever in them, and hardly any other: an adapter, primer or vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.packed import Packed
from glmflow.labelled.audit_checks import Check
from glmflow.labelled.composition import kmer_places

K = 12
"""Length of a k-mer: one of 16.8 million stands in a few thousand bases by chance in far fewer than one row of a hundred."""
BASES = 1_000_000
"""Bases that are looked at; a sample of larger sets."""
MOST, FEWEST = 0.5, 0.05
"""Least share of the rows of a class, and largest share of all other rows, that hold it."""
ROWS = 20
"""Least rows of a class that hold it."""


def telling_stretch(
    packed: Packed, target: NDArray[np.int64], classes: int, seed: int = 0
) -> tuple[str, int, float, float] | None:
    """Return a stretch of bases by which a class is known: bases, class, share of its rows and of others; None if there is none.

    Parameters
    ----------
    packed, target
        Sequences, and the class index of each.
    """
    order = np.random.default_rng(seed).permutation(packed.count)
    chosen = np.sort(order[: max(1, int(np.searchsorted(np.cumsum(packed.lengths[order]), BASES, side="right")))])
    code, owner = kmer_places(packed.take(chosen), K)
    held = np.unique(owner.astype(np.int64) << 2 * K | code)  # once a row
    code, owner = held & (1 << 2 * K) - 1, held >> 2 * K
    own = np.asarray(target)[chosen]
    kmers, place, every = np.unique(code, return_inverse=True, return_counts=True)
    often = every >= ROWS
    best: tuple[str, int, float, float] | None = None
    for number in range(classes):
        rows = int((own == number).sum())
        others = len(own) - rows
        if rows < ROWS or others < ROWS:
            continue
        count = np.bincount(place[own[owner] == number], minlength=len(kmers))
        share, elsewhere = count / rows, (every - count) / others
        telling = often & (count >= ROWS) & (share >= MOST) & (elsewhere <= FEWEST)
        if telling.any():
            first = int(np.where(telling, share - elsewhere, -1).argmax())
            if best is None or share[first] - elsewhere[first] > best[2] - best[3]:
                text = _extended(int(kmers[first]), set(kmers[telling].tolist()))
                best = (text, number, float(share[first]), float(elsewhere[first]))
    return best


def stretch_checks(packed: Packed, target: NDArray[np.int64], classes: Sequence[str]) -> list[Check]:
    """Return the finding of a stretch that tells a class, where there is one."""
    found = telling_stretch(packed, target, len(classes))
    if found is None:
        return []
    text, number, share, elsewhere = found
    said = (
        f"{text} stands in {share:.0%} of the rows of {classes[number]} and in {elsewhere:.0%} of all others: "
        "an adapter, primer or vector, which alone tells the class?"
    )
    return [Check("one stretch alone", round(share * int((target == number).sum())), packed.count, "WARN", said)]


def _extended(code: int, known: set[int]) -> str:
    """Return the stretch that overlapping k-mers make of one of them, no k-mer twice."""
    used, text = {code}, "".join("ACGT"[code >> 2 * (K - 1 - place) & 3] for place in range(K))
    right = left = code
    while right is not None:
        nexts = ((right << 2 & (1 << 2 * K) - 1) | base for base in range(4))
        right = next((one for one in nexts if one in known and one not in used), None)
        if right is not None:
            used.add(right)
            text += "ACGT"[right & 3]
    while left is not None:
        nexts = (left >> 2 | base << 2 * (K - 1) for base in range(4))
        left = next((one for one in nexts if one in known and one not in used), None)
        if left is not None:
            used.add(left)
            text = "ACGT"[left >> 2 * (K - 1)] + text
    return text

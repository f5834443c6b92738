"""Pairs of alleles as models read them, and others that stand in their place."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from glmflow.dna.shuffles import eulerian_walk
from glmflow.genome.allele_change import change_of, cropped

LETTERS = "ACGT"
NEAREST = 8
"""Bases between a change and one that is put elsewhere in its place, at least."""


class Alleles(NamedTuple):
    """Both alleles, and where each differs: `ref[start:ref_end]` and `alt[start:alt_end]`."""

    ref: str
    alt: str
    start: int
    ref_end: int
    alt_end: int

    def places(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return where what changes starts and ends, of the reference and of the variant."""
        return (self.start, self.ref_end), (self.start, self.alt_end)

    def unvaried(self) -> Alleles:
        """Return the reference twice, looked at in the same place."""
        return self._replace(alt=self.ref, alt_end=self.ref_end)

    def swapped(self) -> Alleles:
        """Return the variant as the reference, and the other way round."""
        return Alleles(self.alt, self.ref, self.start, self.alt_end, self.ref_end)

    def elsewhere(self, seed: int) -> Alleles:
        """Return the reference with a substitution near the change in place of it, at least `NEAREST` bases from it.

        On the left or the right within half of the flank; where the allele is too short for that, anywhere but in the change.
        """
        rng = np.random.default_rng([seed, zlib.crc32(self.ref.encode())])
        far = max(NEAREST, min(self.start, len(self.ref) - self.ref_end) // 2)
        near = [
            *range(self.start - far, self.start - NEAREST + 1),
            *range(self.ref_end + NEAREST - 1, self.ref_end + far),
        ]
        places = [place for place in near if 0 <= place < len(self.ref) and self.ref[place] in LETTERS] or [
            place
            for place in range(len(self.ref))
            if not self.start <= place < self.ref_end and self.ref[place] in LETTERS
        ]
        if not places:
            return self.unvaried()
        place = int(rng.choice(places))
        base = str(rng.choice([letter for letter in LETTERS if letter != self.ref[place]]))
        return Alleles(self.ref, self.ref[:place] + base + self.ref[place + 1 :], place, place + 1, place + 1)


def of_example(ref: str, alt: str, task: Any) -> Alleles:
    """Return what models read of a pair of alleles; one without a change is looked at in its middle."""
    ref, alt = cropped(ref, alt, task.crop, task.flank)
    if ref == alt:
        middle = len(ref) // 2
        return Alleles(ref, alt, middle, middle + 1, middle + 1)
    return Alleles(ref, alt, *change_of(ref, alt))


def shuffled_flanks(view: Alleles, seed: int) -> Alleles:
    """Return alleles whose flanks are shuffled alike in both, dinucleotides kept; what changes stays."""
    rng = np.random.default_rng([seed, zlib.crc32(view.ref.encode())])
    left, right = eulerian_walk(view.ref[: view.start], rng), eulerian_walk(view.ref[view.ref_end :], rng)
    ref, alt = (
        left + middle + right for middle in (view.ref[view.start : view.ref_end], view.alt[view.start : view.alt_end])
    )
    return view._replace(ref=ref, alt=alt)


def permuted(views: Sequence[Alleles], answers: Sequence[str], seed: int) -> list[Alleles]:
    """Return for each question the alleles of another one with another answer, where there is one."""
    rng, values = np.random.default_rng(seed), np.asarray(answers, object)
    found = []
    for answer in values:
        others = np.flatnonzero(values != answer)
        found.append(views[int(rng.choice(others)) if len(others) else int(rng.integers(len(views)))])
    return found

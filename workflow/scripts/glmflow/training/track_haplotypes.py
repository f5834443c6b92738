"""Training windows of a track task as people have them: their alleles, and the coverage carried along."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.labels import gather_labels
from glmflow.tracks.reading import TrackReader

N = ord("N")


class Person(NamedTuple):
    """One of a person's haplotypes (1 or 2)."""

    sample: str
    haplotype: int


class PersonalTracks:
    """Draws people and reads windows of their haplotypes.

    The coverage is that of the biosample, not of the person: what a person lacks has no label, what they have more is
    masked or repeats the base before it.

    Parameters
    ----------
    haplotypes
        Haplotypes of the cohort.
    share
        Share of the windows that are read from a person.
    inserted
        What becomes of inserted bases (`glmflow.genome.labels.gather_labels`).
    people
        Whose haplotypes are drawn; all of the cohort by default. Their order does not matter.
    """

    def __init__(self, haplotypes: HaplotypeReader, share: float, inserted: str, people: Collection[str] | None = None):
        self.haplotypes, self.share, self.inserted = haplotypes, share, inserted
        # In the order of the cohort, so that a table that names everyone draws as no table does.
        self.people = [name for name in haplotypes.store.samples if people is None or name in people]

    def draw(self, generator: np.random.Generator, chrom: str, start: int, end: int) -> Person | None:
        """Return whose haplotype a window is read from, or None for the reference."""
        store = self.haplotypes.store
        chosen, number, haplotype = generator.random(), generator.integers(len(self.people)), generator.integers(1, 3)
        if chosen >= self.share or chrom not in store.contigs:
            return None
        sample = self.people[number]
        present = store.has_haplotype(sample, int(haplotype), chrom, start, end)
        return Person(sample, int(haplotype) if present else 1)

    def read(
        self, person: Person, chrom: str, start: int, end: int, length: int, tracks: TrackReader
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return sequence `uint8 [length]`, coverage `float32 [T, length]` and which bases are labelled `bool [length]`.

        What lies beyond `end` is hidden, however much a person has lost before it: it may belong to another split.
        """
        window = self.haplotypes.window(*person, chrom, start, min(end, start + length), length)
        sequence, position = window.sequence.copy(), window.position.copy()
        beyond = np.flatnonzero(position >= end)
        if len(beyond):
            sequence[beyond[0] :], position[beyond[0] :] = N, -2
        values, labelled = gather_labels(position, partial(tracks.read, chrom), self.inserted)
        return sequence, values, labelled

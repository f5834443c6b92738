"""Training windows that carry the alleles of samples, and the coverage carried along."""

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


class Haplotype(NamedTuple):
    """One of the haplotypes (1 or 2) of a sample."""

    sample: str
    haplotype: int


class CarriedTracks:
    """Draws samples and reads windows of their haplotypes.

    The coverage is that of the biosample, not of the sample: deleted bases have no label, inserted ones are masked or
    repeat the base before them.

    Parameters
    ----------
    haplotypes
        Haplotypes of the cohort.
    share
        Share of the windows that are read from a sample.
    inserted
        What becomes of inserted bases (`glmflow.genome.labels.gather_labels`).
    samples
        Samples whose haplotypes are drawn; all of the cohort by default. Their order does not matter.
    """

    def __init__(
        self, haplotypes: HaplotypeReader, share: float, inserted: str, samples: Collection[str] | None = None
    ):
        self.haplotypes, self.share, self.inserted = haplotypes, share, inserted
        # In the order of the cohort, so that a table that names everyone draws as no table does.
        self.samples = [name for name in haplotypes.store.samples if samples is None or name in samples]

    def draw(self, generator: np.random.Generator, chrom: str, start: int, end: int) -> Haplotype | None:
        """Return the haplotype that a window is read from, or None for the reference."""
        store = self.haplotypes.store
        chosen, number, haplotype = generator.random(), generator.integers(len(self.samples)), generator.integers(1, 3)
        if chosen >= self.share or chrom not in store.contigs:
            return None
        sample = self.samples[number]
        present = store.has_haplotype(sample, int(haplotype), chrom, start, end)
        return Haplotype(sample, int(haplotype) if present else 1)

    def read(
        self, drawn: Haplotype, chrom: str, start: int, end: int, length: int, tracks: TrackReader
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return sequence `uint8 [length]`, coverage `float32 [T, length]` and which bases are labelled `bool [length]`.

        What lies beyond `end` is hidden, however much is deleted before it: it may belong to another split.
        """
        window = self.haplotypes.window(*drawn, chrom, start, min(end, start + length), length)
        sequence, position = window.sequence.copy(), window.position.copy()
        beyond = np.flatnonzero(position >= end)
        if len(beyond):
            sequence[beyond[0] :], position[beyond[0] :] = N, -2
        values, labelled = gather_labels(position, partial(tracks.along, chrom), self.inserted)
        return sequence, values, labelled

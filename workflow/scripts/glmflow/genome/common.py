"""A cohort's haplotypes with their common variants alone."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from glmflow.genome.store import ContigVariants, VariantStore, contig_folder

BYTES = 1 << 16  # of calls that are counted at a time, eight variants each


class CommonVariants(VariantStore):
    """A variant store in which everyone has the more frequent allele wherever the other one is rare.

    Read as any store; what is left out is as if it had never been called. The conflicts between overlapping variants
    are those of the whole store: a common variant that gave way to a rare one stays out of that haplotype.

    Parameters
    ----------
    folder
        Where the store is.
    people
        Whose haplotypes the frequencies are counted in: training people, for others are not known when a model is made.
    min_maf
        Lowest frequency of the rarer allele that is kept.
    """

    def __init__(self, folder: str | PathLike[str], people: Sequence[str], min_maf: float):
        super().__init__(folder)
        first = np.array([self.row(person, 1) for person in people])
        self.rows, self.min_maf = np.sort(np.concatenate([first, first + 1])), min_maf

    def contig(self, chrom: str) -> ContigVariants:
        """Return the variants of a contig; frequencies are counted when it is first asked for."""
        if chrom not in self._open and chrom in self.contigs:
            folder, length = contig_folder(Path(self.folder), chrom), self.contigs[chrom]
            self._open[chrom] = _CommonContig(folder, length, self.rows, self.min_maf)
        return super().contig(chrom)


class _CommonContig(ContigVariants):
    """A contig whose calls of rare alleles are overridden."""

    def __init__(self, folder: Path, length: int, rows: np.ndarray, min_maf: float):
        super().__init__(folder, length)
        frequency = allele_counts(self, rows) / len(rows)
        self.kept = (np.minimum(frequency, 1 - frequency) >= min_maf).astype(np.uint8)
        self.everyones = (frequency > 1 - min_maf).astype(np.uint8)

    def carried(self, rows: slice | np.ndarray | int, low: int, high: int) -> np.ndarray:
        """Return uint8[..., high - low]: 1 where a haplotype has a variant from `low` up to `high`."""
        return super().carried(rows, low, high) & self.kept[low:high] | self.everyones[low:high]


def allele_counts(contig: ContigVariants, rows: np.ndarray) -> np.ndarray:
    """Return how many of some haplotypes carry each variant, int64[V]."""
    parts = []
    for start in range(0, contig.calls.shape[1], BYTES):
        bits = np.unpackbits(contig.calls[rows, start : start + BYTES], axis=1, bitorder="little")
        parts.append(bits.sum(axis=0, dtype=np.int64))
    return np.concatenate(parts)[: len(contig.pos)] if parts else np.zeros(0, np.int64)

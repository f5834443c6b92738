"""A cohort's haplotypes with their common variants alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.genome.store import ContigVariants, VariantStore, contig_folder

log = logging.getLogger(__name__)

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
            frequency = allele_counts(ContigVariants(folder, length), self.rows) / len(self.rows)
            kept = np.minimum(frequency, 1 - frequency) >= self.min_maf
            marks = (mark.astype(np.uint8) for mark in (kept, frequency > 1 - self.min_maf))
            self._open[chrom] = _CommonContig(folder, length, *marks)
        return super().contig(chrom)


class CommonElsewhere(VariantStore):
    """Other people's variants, those alone that are common in a cohort; everyone has an allele that everyone has there.

    Read as any store. What was never called in the cohort is rare there.

    Parameters
    ----------
    folder
        Where the store of the other people is.
    cohort
        The variants of the cohort, on the same genome.
    """

    def __init__(self, folder: str | PathLike[str], cohort: CommonVariants):
        super().__init__(folder)
        self.cohort = cohort

    def contig(self, chrom: str) -> ContigVariants:
        """Return the variants of a contig; they are matched with those of the cohort when it is first asked for."""
        if chrom not in self._open and chrom in self.contigs:
            folder, length = contig_folder(Path(self.folder), chrom), self.contigs[chrom]
            here = _alleles(ContigVariants(folder, length))
            there = here.iloc[:0].assign(kept=np.uint8(0), everyones=np.uint8(0))
            if chrom in self.cohort.contigs:
                known = self.cohort.contig(chrom)
                there = _alleles(known).assign(kept=known.kept, everyones=known.everyones)
            found = here.merge(there, how="left").fillna(0)
            lost = int(there["everyones"].sum() - found["everyones"].sum())
            if lost:
                log.warning(
                    "%s: %d alleles that everyone is given are called in nobody and stay the reference", chrom, lost
                )
            marks = (found[name].to_numpy(np.uint8) for name in ("kept", "everyones"))
            self._open[chrom] = _CommonContig(folder, length, *marks)
        return super().contig(chrom)


def _alleles(contig: ContigVariants) -> pd.DataFrame:
    """Return `pos`, `ref`, `alt` of the variants of a contig, and `again`: how often the same came before."""
    table = contig.alleles.select(["pos", "ref", "alt"]).to_pandas()
    return table.assign(again=table.groupby(["pos", "ref", "alt"]).cumcount())


class _CommonContig(ContigVariants):
    """A contig whose calls of rare alleles are overridden.

    Attributes
    ----------
    kept : uint8[V]
        1 where calls count.
    everyones : uint8[V]
        1 where everyone has the alternative allele.
    """

    def __init__(self, folder: Path, length: int, kept: np.ndarray, everyones: np.ndarray):
        super().__init__(folder, length)
        self.kept, self.everyones = kept, everyones

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

"""The window of a gene in every sample: its distinct sequences, and the alleles that make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.genome.distinct import distinct_windows
from glmflow.genome.haplotypes import MARGIN, HaplotypeReader, HaplotypeWindow, reverse_window


class GeneHaplotypes(NamedTuple):
    """What samples have in the window of a gene.

    Attributes
    ----------
    sequences : uint8[D, L]
        ASCII codes of the distinct haplotypes, read in the direction of the gene.
    of_person : int64[P, 2]
        Which of them a sample's two haplotypes are.
    """

    sequences: np.ndarray
    of_person: np.ndarray


class GeneAlleles(NamedTuple):
    """Who carries what in the window of a gene.

    Attributes
    ----------
    variants : DataFrame
        `pos` (0-based), `end` (of the reference bases that the allele replaces; of `<DEL>` its end), `ref`, `alt`.
    carried : uint8[P, 2, V]
        1 where a haplotype carries the alternative allele.
    """

    variants: pd.DataFrame
    carried: np.ndarray

    @property
    def dosages(self) -> np.ndarray:
        """float64[P, V]: 0, 1 or 2 copies."""
        return self.carried.sum(axis=1, dtype=np.float64)


class GeneWindows:
    """Reads the windows of genes from a cohort's variant store.

    Picklable, as the reader is.

    Parameters
    ----------
    reader
        Haplotypes of the cohort.
    """

    def __init__(self, reader: HaplotypeReader):
        self.reader = reader

    def haplotypes(self, chrom: str, start: int, end: int, strand: str, people: Sequence[str]) -> GeneHaplotypes:
        """Return the distinct sequences of a window (0-based half-open) and who has which of them.

        A sample without a second haplotype there (haploid calls) has the first one twice.
        """
        rows = self._rows(chrom, start, end, people)
        patterns, kinds = self._patterns(chrom, start, end, rows)
        # Equal alleles make equal windows, unless deletions let a window reach beyond the alleles looked at.
        read = [self._read(chrom, start, end, row) for row in rows[patterns]]
        if any(window.position.max(initial=-1) >= end + MARGIN for window in read):
            kinds, read = np.arange(len(rows)), [self._read(chrom, start, end, row) for row in rows]
        found = distinct_windows((reverse_window(window) if strand == "-" else window).sequence for window in read)
        return GeneHaplotypes(np.stack(found.sequences), found.inverse[kinds].reshape(len(people), 2))

    def _rows(self, chrom: str, start: int, end: int, people: Sequence[str]) -> np.ndarray:
        """Return the rows of everyone's haplotypes among the calls; the first one twice where there is no second."""
        store = self.reader.store
        rows = np.repeat([store.row(person, 1) for person in people], 2)
        rows[1::2] += 1
        if len(store.contig(chrom).absent):
            alone = [not store.has_haplotype(person, 2, chrom, start, end) for person in people]
            rows[1::2][alone] -= 1
        return rows

    def _read(self, chrom: str, start: int, end: int, row: int) -> HaplotypeWindow:
        sample = self.reader.store.samples[row >> 1]
        return self.reader.window(sample, 1 + (row & 1), chrom, start, end)

    def _patterns(self, chrom: str, start: int, end: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Group haplotypes by the alleles that are applied in and near a window: the first row of each group, and groups."""
        contig = self.reader.store.contig(chrom)
        low = int(contig.reach.searchsorted(np.int32(max(start, 0) - 1), "right"))
        high = int(contig.pos.searchsorted(np.int32(end + MARGIN), "right"))
        carried = contig.carried(rows, low, high)
        for place, row in enumerate(rows.tolist()):
            lost = contig.overlap[self.reader.variants][row]
            if len(lost):
                carried[place, lost[(lost >= low) & (lost < high)] - low] = 0
        if self.reader.variants == "snv":
            carried = carried[:, contig.snv[low:high]]
        _, first, kinds = np.unique(np.packbits(carried, axis=1), axis=0, return_index=True, return_inverse=True)
        return first, kinds.ravel()

    def reference(self, chrom: str, start: int, end: int, strand: str, people: Sequence[str]) -> GeneHaplotypes:
        """Return the same for a cohort in which everyone carries the reference: the control that no one differs."""
        window = HaplotypeWindow(self.reader.reference.fetch(chrom, start, end), np.arange(start, end))
        sequence = (reverse_window(window) if strand == "-" else window).sequence
        return GeneHaplotypes(sequence[None], np.zeros((len(people), 2), np.int64))

    def alleles(self, chrom: str, start: int, end: int, people: Sequence[str]) -> GeneAlleles:
        """Return the variants that start in a window and which haplotypes carry them; each distinct allele once."""
        contig = self.reader.store.contig(chrom)
        low, high = contig.pos.searchsorted(np.array([start, end], np.int32))
        rows = self._rows(chrom, start, end, people)
        table = contig.alleles.slice(low, high - low).to_pandas()
        carried = contig.carried(rows, low, high)
        firsts = table["first"].to_numpy() - low
        for variant in np.flatnonzero(firsts != np.arange(high - low)):
            carried[:, firsts[variant]] |= carried[:, variant]
        keep = (firsts == np.arange(high - low)) & (
            contig.snv[low:high] if self.reader.variants == "snv" else np.ones(high - low, bool)
        )
        table = table.assign(end=contig.end[low:high]).loc[keep, ["pos", "end", "ref", "alt"]].reset_index(drop=True)
        return GeneAlleles(table, carried[:, keep].reshape(len(people), 2, -1))

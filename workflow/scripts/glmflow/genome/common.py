"""A cohort's haplotypes with their common variants alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from glmflow.genome.alleles import Edit, is_anchored, is_longer
from glmflow.genome.conflicts import is_single, overlapping
from glmflow.genome.store import MODES, ContigVariants, VariantStore, contig_folder

log = logging.getLogger(__name__)

BYTES = 1 << 16  # of calls that are counted at a time, eight variants each


class CommonVariants(VariantStore):
    """A variant store in which everyone has the more frequent allele wherever the other one is rare.

    Read as any store; what is left out is as if it had never been called. Of overlapping variants the first one wins
    as in any store, among those that are left: what everyone has keeps out what overlaps it, and a common variant that
    gave way to a rare one is back in its place.

    Parameters
    ----------
    folder
        Where the store is.
    samples
        Whose haplotypes the frequencies are counted in: training samples, for others are not known when a model is made.
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
    """Other samples' variants, those alone that are common in a cohort; everyone has an allele that everyone has there.

    Read as any store. What was never called in the cohort is rare there.

    Parameters
    ----------
    folder
        Where the store of the other samples is.
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
                    "%s: %d alleles that everyone is given are called in no sample and stay the reference", chrom, lost
                )
            marks = (found[name].to_numpy(np.uint8) for name in ("kept", "everyones"))
            self._open[chrom] = _CommonContig(folder, length, *marks)
        return super().contig(chrom)


def _alleles(contig: ContigVariants) -> pd.DataFrame:
    """Return `pos`, `end`, `ref`, `alt` of the variants of a contig, and `again`: how often the same came before."""
    table = (
        contig.alleles.select(["pos", "ref", "alt"]).to_pandas().assign(end=contig.end)
    )  # a `<DEL>` has its end alone
    return table.assign(again=table.groupby(["pos", "end", "ref", "alt"]).cumcount())


class _CommonContig(ContigVariants):
    """A contig whose calls of rare alleles are overridden.

    Attributes
    ----------
    kept : uint8[V]
        1 where calls count.
    everyones : uint8[V]
        1 where everyone has the alternative allele.
    overlap : dict[str, dict[int, int32[]]]
        By mode and haplotype, as in any contig, among the alleles that are left.
    """

    def __init__(self, folder: Path, length: int, kept: np.ndarray, everyones: np.ndarray):
        super().__init__(folder, length)
        self.kept, self.everyones = kept, everyones
        near = _Overlapping(self)
        self.overlap = {mode: _Conflicts(self, near, self.snv if mode == "snv" else None) for mode in MODES}

    def carried(self, rows: slice | np.ndarray | int, low: int, high: int) -> np.ndarray:
        """Return uint8[..., high - low]: 1 where a haplotype has a variant from `low` up to `high`."""
        return super().carried(rows, low, high) & self.kept[low:high] | self.everyones[low:high]


class _Overlapping:
    """The variants of a contig that overlap another one, of those that anyone may have.

    Attributes
    ----------
    number : int64[n]
        Which ones they are among the variants of the contig.
    pos, last, grows, anchored, single
        As `overlapping` takes them.
    """

    def __init__(self, contig: _CommonContig):
        texts = pq.read_table(contig.folder / "alleles.parquet", columns=["ref", "alt"])
        deleted = pc.equal(texts["alt"], "<DEL>").to_numpy()
        last = np.where(deleted, contig.end, contig.pos + pc.utf8_length(texts["ref"]).to_numpy()) - 1
        possible = np.flatnonzero(contig.kept | contig.everyones)
        meets = np.zeros(len(possible), bool)
        meets[1:] = contig.pos[possible[1:]] <= np.maximum.accumulate(last[possible])[:-1]
        near = meets.copy()
        near[:-1] |= meets[1:]
        self.number = possible[near]
        self.pos, self.last = contig.pos[self.number], last[self.number]
        alleles = texts.take(self.number).to_pylist()
        edits = [
            Edit(
                int(contig.start[i]),
                int(contig.end[i]),
                contig.bases[contig.offset[i] : contig.offset[i + 1]].tobytes().decode(),
            )
            for i in self.number
        ]
        self.grows = np.array([is_longer(**allele) for allele in alleles], bool)
        self.anchored = np.array([is_anchored(**a, edit=edit) for a, edit in zip(alleles, edits, strict=True)], bool)
        sizes = np.array([len(edit.bases) for edit in edits], np.int64)
        self.single = is_single(self.pos, self.last, contig.start[self.number], contig.end[self.number], sizes)


class _Conflicts(dict[int, np.ndarray]):
    """By haplotype, the variants that are left out because an earlier one took their place; found when asked for."""

    def __init__(self, contig: _CommonContig, near: _Overlapping, taken: np.ndarray | None):
        self.contig, self.near = contig, near
        self.taken = True if taken is None else taken[near.number]

    def __missing__(self, row: int) -> np.ndarray:
        contig, near = self.contig, self.near
        called = contig.calls[row][near.number >> 3] >> (near.number & 7)
        carried = (called & contig.kept[near.number] | contig.everyones[near.number]).astype(bool) & self.taken
        skip = overlapping(*(each[carried] for each in (near.pos, near.last, near.grows, near.anchored, near.single)))
        self[row] = near.number[carried][skip].astype(np.int32)
        return self[row]


def allele_counts(contig: ContigVariants, rows: np.ndarray) -> np.ndarray:
    """Return how many of some haplotypes carry each variant, int64[V]."""
    parts = []
    for start in range(0, contig.calls.shape[1], BYTES):
        bits = np.unpackbits(contig.calls[rows, start : start + BYTES], axis=1, bitorder="little")
        parts.append(bits.sum(axis=0, dtype=np.int64))
    return np.concatenate(parts)[: len(contig.pos)] if parts else np.zeros(0, np.int64)

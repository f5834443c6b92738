"""Haplotypes made on the fly from a variant store, each base with its place in the reference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.genome.store import MODES, ContigVariants, VariantStore

INSERTED = -1
PADDING = -2
N = ord("N")
MARGIN = 256  # bases read beyond a window, so that most need no second look for what deletions took

_COMPLEMENT = np.arange(256, dtype=np.uint8)
_COMPLEMENT[np.frombuffer(b"ACGT", np.uint8)] = np.frombuffer(b"TGCA", np.uint8)


class HaplotypeWindow(NamedTuple):
    """A stretch of one haplotype.

    Attributes
    ----------
    sequence : uint8[L]
        ASCII codes of A C G T N.
    position : int64[L]
        0-based reference position of each base, -1 where it is inserted, -2 where it is padding.
    """

    sequence: np.ndarray
    position: np.ndarray


def reverse_complement(window: HaplotypeWindow) -> HaplotypeWindow:
    """Return a window as read from the other strand; the map is turned with it."""
    return HaplotypeWindow(_COMPLEMENT[window.sequence[::-1]], window.position[::-1])


class HaplotypeReader:
    """Makes windows of any person's haplotypes.

    Picklable, and safe in forked or spawned workers: every process opens the genome for itself.

    Parameters
    ----------
    store
        The cohort's variants.
    reference
        The genome that the store was built with.
    variants
        `all`, or `snv` for single-base changes alone, which keeps every coordinate.

    Raises
    ------
    InputError
        The genome is not the one of the store.
    """

    def __init__(self, store: VariantStore, reference: Reference, variants: str = "all"):
        if variants not in MODES:
            raise InputError(f"variants: {variants!r}", mend=f"Say {' or '.join(MODES)}.")
        for chrom, length in store.contigs.items():
            if reference.contigs.get(chrom) != length:
                found = reference.contigs.get(chrom, "no")
                raise InputError(
                    f"contig {chrom} has {found} bases, in the variant store {length}",
                    where=reference.path,
                    mend="Give the genome that the store was built with.",
                )
        self.store = store
        self.reference = reference
        self.variants = variants

    def window(
        self, sample: str, haplotype: int, chrom: str, start: int, end: int, length: int | None = None
    ) -> HaplotypeWindow:
        """Return a window of fixed length, read from the reference position `start` on to the right.

        Where the haplotype has lost bases, ones from beyond `end` follow; where it has gained some, the last
        ones fall off. Padded with N past the ends of the contig.

        Parameters
        ----------
        sample
            Person.
        haplotype
            1 or 2.
        chrom, start, end
            Window of the reference, 0-based half-open; may reach past the ends of the contig.
        length
            Bases of the haplotype; `end - start` by default.

        Raises
        ------
        InputError
            The store has no such person or contig, or the person no such haplotype there (haploid calls).
        """
        length = end - start if length is None else length
        limit = self.store.contig(chrom).length
        left = max(start, 0)
        wanted = length - (left - start)
        stop = min(limit, left + wanted + MARGIN)
        found = self.region(sample, haplotype, chrom, left, max(left, stop))
        while len(found.sequence) < wanted and stop < limit:
            stop = min(limit, stop + wanted - len(found.sequence) + MARGIN)
            found = self.region(sample, haplotype, chrom, left, stop)
        sequence = np.full(length, N, np.uint8)
        position = np.full(length, PADDING, np.int64)
        kept = slice(left - start, left - start + min(len(found.sequence), wanted))
        sequence[kept] = found.sequence[:wanted]
        position[kept] = found.position[:wanted]
        return HaplotypeWindow(sequence, position)

    def region(self, sample: str, haplotype: int, chrom: str, start: int, end: int) -> HaplotypeWindow:
        """Return what a haplotype has for a stretch of the reference, however long that is.

        An inserted base belongs to the reference base before it (at the very start of a contig, to the one
        after it), so that adjoining regions join to the haplotype without a gap or a repeat.

        Parameters
        ----------
        sample, haplotype
            Person and haplotype (1 or 2).
        chrom, start, end
            0-based half-open, within the contig.
        """
        contig = self.store.contig(chrom)
        row = self.store.row(sample, haplotype)
        if not self.store.has_haplotype(sample, haplotype, chrom, start, end):
            raise InputError(
                f"{sample} has one haplotype only in {chrom}:{start + 1}-{end} (haploid calls)",
                where=self.store.folder,
                mend="Take haplotype 1 alone there.",
            )
        edits = _edits(contig, row, self.variants, start, end)
        return _splice(contig, edits, self.reference.fetch(chrom, start, end), start, end)


def _edits(contig: ContigVariants, row: int, variants: str, start: int, end: int) -> np.ndarray:
    """Return the variants of a haplotype that change `start` to `end` or insert behind one of these bases."""
    after = start if start > 0 else -1
    low = int(contig.reach.searchsorted(np.int32(after), "right"))
    high = int(contig.pos.searchsorted(np.int32(end), "right"))
    if high <= low:
        return np.zeros(0, np.int64)
    edits = np.flatnonzero(contig.carried(row, low, high)) + low
    lost = contig.overlap[variants][row]
    if len(lost):
        edits = edits[~np.isin(edits, lost)]
    if variants == "snv":
        edits = edits[contig.snv[edits]]
    first, last = contig.start[edits], contig.end[edits]
    return edits[(last > after) & ((first < end) | (last <= end)) & (first <= end)]


def _splice(contig: ContigVariants, edits: np.ndarray, reference: np.ndarray, start: int, end: int) -> HaplotypeWindow:
    """Write edits into the reference bases `start` to `end`."""
    sequence, position = [], []
    here = start
    for edit in edits:
        first, last = int(contig.start[edit]), int(contig.end[edit])
        bases = contig.bases[contig.offset[edit] : contig.offset[edit + 1]]
        # Replaced bases keep their places as far as they go; what is more is inserted behind them.
        replaced = np.arange(first, min(last, first + len(bases)))
        places = np.concatenate([replaced, np.full(len(bases) - len(replaced), INSERTED)])
        keep = np.where(places == INSERTED, last <= end, (places >= start) & (places < end))
        if first > here:
            sequence.append(reference[here - start : first - start])
            position.append(np.arange(here, first))
        sequence.append(bases[keep])
        position.append(places[keep])
        here = min(max(here, last), end)
    sequence.append(reference[here - start :])
    position.append(np.arange(here, end))
    return HaplotypeWindow(np.concatenate(sequence), np.concatenate(position))

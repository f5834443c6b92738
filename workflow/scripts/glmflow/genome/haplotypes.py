"""Haplotypes made on the fly from a variant store, each base with its place in the reference."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from glmflow.bases import reverse_complement
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.genome.remembered import RememberedReference
from glmflow.genome.store import MODES, ContigVariants, VariantStore

INSERTED = -1
PADDING = -2
N = ord("N")
REMEMBERED = 1 << 22  # bases of a window whose steps are kept in memory for the next one: 16 MiB
MARGIN = 256  # bases read beyond a window, so that most need no second look for what deletions took


class HaplotypeWindow(NamedTuple):
    """A stretch of one haplotype.

    Attributes
    ----------
    sequence : uint8[L]
        ASCII codes of A C G T N.
    position : int32[L]
        0-based reference position of each base, -1 where it is inserted, -2 where it is padding.
    """

    sequence: np.ndarray
    position: np.ndarray


def reverse_window(window: HaplotypeWindow) -> HaplotypeWindow:
    """Return a window as read from the other strand; the map is turned with it."""
    return HaplotypeWindow(reverse_complement(window.sequence), window.position[::-1])


Block = tuple[np.ndarray, int]  # bases, and the place of the first (the others follow), -1 or -2 for all


class HaplotypeReader:
    """Makes windows of any sample's haplotypes.

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
            raise InputError(f"variants: {variants!r}", fix=f"Say {' or '.join(MODES)}.")
        for chrom, length in store.contigs.items():
            if reference.contigs.get(chrom) != length:
                found = reference.contigs.get(chrom, "no")
                raise InputError(
                    f"contig {chrom} has {found} bases, in the variant store {length}",
                    where=reference.path,
                    fix="Give the genome that the store was built with.",
                )
        self.store = store
        self.reference = reference
        self._remembered = RememberedReference(reference)
        self.variants = variants
        self._whole: tuple[str, np.ndarray] = "", np.empty(0, np.uint8)

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_whole": ("", np.empty(0, np.uint8))}

    def window(
        self, sample: str, haplotype: int, chrom: str, start: int, end: int, length: int | None = None
    ) -> HaplotypeWindow:
        """Return a window of fixed length, read from the reference position `start` on to the right.

        Where the haplotype has lost bases, ones from beyond `end` follow; where it has gained some, the last
        ones fall off. Padded with N past the ends of the contig.

        Parameters
        ----------
        sample
            Sample.
        haplotype
            1 or 2.
        chrom, start, end
            Window of the reference, 0-based half-open; may reach past the ends of the contig.
        length
            Bases of the haplotype; `end - start` by default.

        Raises
        ------
        InputError
            The store has no such sample or contig, or the sample no such haplotype there (haploid calls).
        """
        if end < start:
            raise ValueError(f"window ends before it starts: {chrom}:{start}-{end}")
        length = end - start if length is None else length
        contig, row = self.store.contig(chrom), self.store.row(sample, haplotype)
        left = max(start, 0)
        blocks: list[Block] = [(np.full(left - start, N, np.uint8), PADDING)] if start < 0 else []
        have, stop = left - start, left
        while have < length and stop < contig.length:
            # Deletions may leave too little: look again, that much further.
            stop = min(contig.length, stop + length - have + MARGIN)
            found = self._blocks(contig, row, left, self._remembered.fetch(chrom, left, stop))
            have = left - start + sum(len(bases) for bases, _ in found)
        window = _join([*blocks, *found] if stop > left else blocks, length)
        if haplotype == 2 and len(contig.absent):
            last = int(window.position.max(initial=-1))
            self._check_present(sample, haplotype, chrom, left, last + 1)
        return window

    def region(self, sample: str, haplotype: int, chrom: str, start: int, end: int) -> HaplotypeWindow:
        """Return what a haplotype has for a stretch of the reference, however long that is.

        An inserted base belongs to the reference base before it (at the very start of a contig, to the one
        after it), so that adjoining regions join to the haplotype without a gap or a repeat.

        Parameters
        ----------
        sample, haplotype
            Sample and haplotype (1 or 2).
        chrom, start, end
            0-based half-open, within the contig.
        """
        self._check_present(sample, haplotype, chrom, start, end)
        contig, row = self.store.contig(chrom), self.store.row(sample, haplotype)
        blocks = self._blocks(contig, row, start, self.reference.fetch(chrom, start, end))
        return _join(blocks, sum(len(bases) for bases, _ in blocks))

    def applied(self, sample: str, haplotype: int, chrom: str, start: int, end: int) -> int:
        """Return how many alleles make `region` differ from the reference, each counted once."""
        contig, row = self.store.contig(chrom), self.store.row(sample, haplotype)
        return len(_edits(contig, row, self.variants, start, end))

    def sequence(self, sample: str, haplotype: int, chrom: str) -> np.ndarray:
        """Return the bases of a whole haplotype (uint8[L]), without their map."""
        return np.concatenate([bases for bases, _ in self.blocks(sample, haplotype, chrom)])

    def blocks(self, sample: str, haplotype: int, chrom: str) -> list[Block]:
        """Return a whole haplotype in pieces: the bases of each, and the place of the first (-1: all inserted).

        The reference of the contig stays in memory for the next haplotype.
        """
        contig, row = self.store.contig(chrom), self.store.row(sample, haplotype)
        self._check_present(sample, haplotype, chrom, 0, contig.length)
        if self._whole[0] != chrom:
            self._whole = chrom, self.reference.fetch(chrom, 0, contig.length)
        return self._blocks(contig, row, 0, self._whole[1].copy())

    def _check_present(self, sample: str, haplotype: int, chrom: str, start: int, end: int) -> None:
        """Stop where a sample has one haplotype only."""
        if not self.store.has_haplotype(sample, haplotype, chrom, start, end):
            raise InputError(
                f"{sample} has one haplotype only in {chrom}:{start + 1}-{end} (haploid calls)",
                where=self.store.folder,
                fix="Take haplotype 1 alone there.",
            )

    def _blocks(self, contig: ContigVariants, row: int, start: int, reference: np.ndarray) -> list[Block]:
        """Cut the reference bases from `start` on where a haplotype gains or loses some, and change single ones.

        The array of bases is the caller's own: it is changed.
        """
        end = start + len(reference)
        edits = _edits(contig, row, self.variants, start, end)
        if not len(edits):
            return [(reference, start)]
        single = contig.single[edits]
        changed = edits[single]
        if len(changed):
            reference[contig.start[changed] - start] = contig.bases[contig.offset[changed]]
            if len(changed) == len(edits):
                return [(reference, start)]
        blocks = []
        here = start
        others = edits[~single]
        places = (contig.start[others], contig.end[others], contig.offset[others], contig.offset[others + 1])
        for first, last, offset, stop in zip(*(column.tolist() for column in places)):
            bases = contig.bases[offset:stop]
            if first > here:
                blocks.append((reference[here - start : first - start], here))
            # Bases that replace some keep their places as far as they go; what is more is inserted behind them.
            replaced = min(stop - offset, last - first)
            low, high = max(first, start), min(first + replaced, end)
            if low < high:
                blocks.append((bases[low - first : high - first], low))
            if replaced < stop - offset and last <= end:
                blocks.append((bases[replaced:], INSERTED))
            here = min(max(here, last), end)
        blocks.append((reference[here - start :], here))
        return blocks


def _join(blocks: list[Block], length: int) -> HaplotypeWindow:
    """Lay blocks side by side up to a length, and padding behind them where they are too few."""
    position = np.empty(length, np.int32)
    steps = _steps(length) if length <= REMEMBERED else np.arange(length, dtype=np.int32)
    parts = []
    at = 0
    for bases, place in blocks:
        begin, at = at, at + len(bases)
        if at > length:
            bases, at = bases[: length - begin], length
        parts.append(bases)
        if place < 0:
            position[begin:at] = place
        else:
            np.add(steps[: at - begin], place, out=position[begin:at])
    if at < length:
        position[at:] = PADDING
        parts.append(np.full(length - at, N, np.uint8))
    return HaplotypeWindow(np.concatenate(parts) if parts else np.empty(0, np.uint8), position)


@lru_cache(maxsize=1)
def _steps(length: int) -> np.ndarray:
    """Return 0, 1, 2 ...: adding to it is faster than counting again for every window."""
    return np.arange(length, dtype=np.int32)


def _edits(contig: ContigVariants, row: int, variants: str, start: int, end: int) -> np.ndarray:
    """Return the variants of a haplotype that change `start` to `end` or insert behind one of these bases."""
    after = -1 if start == 0 < end else start  # at the very start also what is inserted before the first base
    low = int(contig.reach.searchsorted(np.int32(after), "right"))
    high = int(contig.pos.searchsorted(np.int32(end), "right"))
    if high <= low:
        return np.zeros(0, np.int64)
    edits = contig.carried(row, low, high).nonzero()[0] + low
    lost = contig.overlap[variants][row]
    if len(lost):
        nearby = lost[slice(*lost.searchsorted(np.array([low, high], np.int32)))]
        if len(nearby):
            edits = edits[~np.isin(edits, nearby)]
    if variants == "snv":
        edits = edits[contig.snv[edits]]
    if not len(edits) or (contig.pos[edits[0]] > after and contig.pos[edits[-1]] + contig.shift < end):
        return edits  # none is near an end
    first, last = contig.start[edits], contig.end[edits]
    # Of what begins at `end`, an insertion (first == last) follows the last base and belongs to it; all else lies beyond.
    inside = (last > after) & ((first < end) | (last <= end)) & (first <= end)
    return edits if inside.all() else edits[inside]

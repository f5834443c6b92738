"""Where two alleles differ, and both cut to the same flanks around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SLACK = 8
"""Bases beyond twice the cut at which the published truncation begins to cut."""


class Change(NamedTuple):
    """The part in which two alleles differ: `ref[start:ref_end]` stands where `alt[start:alt_end]` does."""

    start: int
    ref_end: int
    alt_end: int

    @property
    def kind(self) -> str:
        """Return `none`, `snv`, `mnv`, `insertion` or `deletion`, by the length of both parts."""
        ref, alt = self.ref_end - self.start, self.alt_end - self.start
        if ref == alt:
            return ("none", "snv")[ref] if ref < 2 else "mnv"
        return "insertion" if alt > ref else "deletion"


LONG, BY_CHANCE = 20, 10
"""A change of more bases that reaches the end of a window is one of its frame; fewer than these are alike there by chance."""


def reaches_the_end(ref: str, alt: str) -> bool:
    """Return whether both alleles differ up to the end of windows of one length, but for a few bases, over more than a few.

    So windows of fixed length look that are cut around an insertion or deletion (`uncut`).
    """
    change = change_of(ref, alt)
    end = len(ref) - change.ref_end < BY_CHANCE
    return len(ref) == len(alt) and end and change.ref_end - change.start > LONG


def common_start(one: str, other: str) -> int:
    """Return how many letters two texts begin with alike."""
    length = min(len(one), len(other))
    first, second = (np.frombuffer(text[:length].encode("ascii"), np.uint8) for text in (one, other))
    differs = first != second
    return int(differs.argmax()) if differs.any() else length


def change_of(ref: str, alt: str) -> Change:
    """Return where two alleles differ: what is left between their common start and their common end.

    An inserted or deleted repeat is placed at its end, as far right as it can be: the common start is taken first.
    """
    start = common_start(ref, alt)
    end = common_start(ref[start:][::-1], alt[start:][::-1])
    return Change(start, len(ref) - end, len(alt) - end)


def crop(ref: str, alt: str, flank: int) -> tuple[str, str]:
    """Return both alleles cut to the change and at most `flank` bases on each side of it, the strand kept.

    What is left of the change is the same in both, and what is right of it; fewer bases where an allele ends.
    """
    change = change_of(ref, alt)
    left = max(0, change.start - flank)
    return ref[left : change.ref_end + flank], alt[left : change.alt_end + flank]


def cropped(ref: str, alt: str, how: str, flank: int) -> tuple[str, str]:
    """Return what is read of both alleles: `change`, what is around it (`crop`); `first`, the first 2 x flank letters."""
    return crop(ref, alt, flank) if how == "change" else first_letters(ref, alt, 2 * flank)


def hidden(refs: Sequence[str], alts: Sequence[str]) -> list[int]:
    """Return the places of the pairs whose alleles are the same letter by letter: what they differ in is not seen."""
    return [place for place, (ref, alt) in enumerate(zip(refs, alts)) if ref == alt]


def first_letters(ref: str, alt: str, kept: int) -> tuple[str, str]:
    """Return the first letters of both alleles, as a tokenizer of bases that truncates on the right leaves them."""
    return ref[:kept], alt[:kept]


def published_truncation(sequence: str, per_side: int) -> str:
    """Return a sequence as BioReason cuts it: `per_side` bases off each end, if it is longer than both by more than 8.

    Each allele is cut by its own length, so that one of a pair may be cut and the other not; in the originals the result
    is never read, because conversations are built before.
    """
    return sequence[per_side:-per_side] if len(sequence) > 2 * per_side + SLACK else sequence


def uncut(ref: str, alt: str, longest: int = 128) -> tuple[str, str]:
    """Return alleles of one length whose shorter end was padded or cut off, so that they end alike again.

    N behind the alternative allele is taken off. Where an insertion pushed the last bases over the edge of a window of
    fixed length, the reference loses as many: the number with which most of both is alike to the end.

    Parameters
    ----------
    longest
        Most bases that an insertion can have.
    """
    bare = alt.rstrip("N")
    if len(bare) < len(alt) and not ref.endswith("N"):
        return ref, bare
    start = common_start(ref, alt)
    if start == len(ref) or len(ref) != len(alt):
        return ref, alt

    def alike(cut: int) -> int:
        own = ref[: len(ref) - cut]
        return common_start(own[start:][::-1], alt[start:][::-1])

    best = max(range(min(longest, len(ref) - start) + 1), key=alike)
    return ref[: len(ref) - best], alt

"""Alleles as edits of the reference."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import NamedTuple

LITERAL = frozenset("ACGTN")
_TO_BASES = str.maketrans(
    {code: code.upper() if code.upper() in LITERAL else "N" for code in map(chr, range(128)) if code.isalpha()}
)


class Edit(NamedTuple):
    """What an allele does: the reference bases `start` to `end` (0-based half-open) become `bases`."""

    start: int
    end: int
    bases: str


def upper_bases(text: str) -> str:
    """Return a reference allele in upper case, ambiguous codes as N (as `Reference` returns them)."""
    return text.translate(_TO_BASES)


def left_out_because(alt: str) -> str | None:
    """Return why an alternative allele cannot be written as bases, or None where it can.

    `<DEL>` can (it needs an end); `*` only says that the base is deleted by another record.
    """
    if LITERAL.issuperset(alt) or alt == "<DEL>":
        return None
    if alt == "*":
        return "spanning_deletion"
    if is_unobserved(alt):
        return "unobserved"
    return "symbolic" if any(mark in alt for mark in "<>[].") else "not_acgtn"


def minimal_edit(pos: int, ref: str, alt: str) -> Edit:
    """Return the smallest edit an allele makes.

    A shared first base is the anchor of an insertion or deletion and stays in front of it; then the shared
    end is cut off, then what is still shared at the beginning.
    """
    if len(ref) == len(alt) == 1:
        return Edit(pos, pos + 1, alt)
    anchor = int(ref[0] == alt[0])
    ref, alt, pos = ref[anchor:], alt[anchor:], pos + anchor
    shared_end = _shared(zip(reversed(ref), reversed(alt)))
    ref, alt = ref[: len(ref) - shared_end], alt[: len(alt) - shared_end]
    shared = _shared(zip(ref, alt))
    return Edit(pos + shared, pos + len(ref), alt[shared:])


def _shared(pairs: Iterable[tuple[str, str]]) -> int:
    """Count the leading pairs of equal bases."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def is_anchored(ref: str, alt: str, edit: Edit) -> bool:
    """Return whether an allele only inserts or only deletes, behind a first base that it leaves alone."""
    if alt == "<DEL>":
        return True
    only = edit.start == edit.end or not edit.bases
    return len(ref) != len(alt) and ref[0] == alt[0] and only


def is_longer(ref: str, alt: str) -> bool:
    """Return whether an allele is longer than its reference allele."""
    return alt != "<DEL>" and len(alt) > len(ref)


def is_snv(edit: Edit) -> bool:
    """Return whether an edit changes one base into another."""
    return edit.end - edit.start == 1 == len(edit.bases)


def is_unobserved(alt: str) -> bool:
    """Return whether an allele stands for any that was not seen (gVCF of GATK, DeepVariant, bcftools), no variant.

    htslib counts these as reference where it says of which type a record is.
    """
    return alt in ("<NON_REF>", "<*>", "<X>")

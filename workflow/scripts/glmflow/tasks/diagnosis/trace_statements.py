"""What texts say of a variant, held against its alleles and counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pandas as pd

from glmflow.bases import other_strand
from glmflow.genome.allele_change import Change, change_of

WRITTEN = re.compile(r"(?<![A-Za-z])([ACGT]+)\s*>\s*([ACGT]+)(?![A-Za-z])")
"""A change of bases as it is written: `C>T`, `GA>G`."""


PLACED = re.compile(r"\bpositions?\s+\d[\d,]*", re.IGNORECASE)
"""Where a change is said to be; a reader of two alleles is not given where they lie."""
NAMED = re.compile(r"\s*\bKEGG_\d+\b")
"""Names of variants in the published table."""


class _Varied:
    """The changed parts of two alleles."""

    def __init__(self, ref: str, alt: str):
        self.change: Change = change_of(ref, alt)
        self.ref, self.alt = ref[self.change.start : self.change.ref_end], alt[self.change.start : self.change.alt_end]

    @property
    def longer(self) -> int:
        """Return how many bases the variant has more than the reference."""
        return len(self.alt) - len(self.ref)


def same_change(said: tuple[str, str], own: tuple[str, str]) -> bool:
    """Return whether two changes are one on either strand; of an insertion or deletion, turned around in its repeat or not."""
    change = change_of(*said)
    short = said[0][change.start : change.ref_end], said[1][change.start : change.alt_end]
    turned = tuple(map(other_strand, short))
    return any(all(_alike(*pair) for pair in zip(one, own)) for one in (short, turned))


def _alike(one: str, other: str) -> bool:
    return len(one) == len(other) and (one == other or (len(one) > 1 and one in other + other))


CLAIMS: dict[str, tuple[re.Pattern[str], Callable[[_Varied], bool]]] = {
    "a substitution": (re.compile(r"\b(?:[ACGT]+\s*>\s*[ACGT]+ substitution|point mutation|single[- ]nucleotide)", re.I),
                       lambda own: own.longer == 0),
    "missense or nonsense": (re.compile(r"\b(?:missense|nonsense)\b", re.I), lambda own: own.longer == 0),
    "a frameshift": (re.compile(r"\bframe-?\s?shift", re.I), lambda own: own.longer % 3 != 0),
    "in-frame": (re.compile(r"\bin-?frame\b", re.I), lambda own: own.longer % 3 == 0),
    "an insertion or duplication": (re.compile(r"\b(?:insertion|duplication)\b", re.I), lambda own: own.longer > 0),
    "a deletion": (re.compile(r"\bdeletion\b", re.I), lambda own: own.longer < 0),
}  # fmt: skip
"""What a text may say of the kind of a change, and when that can be so. Without a reading frame no more can be said."""


def as_shown(text: str, ref: str, alt: str) -> str:
    """Return a text that says of the variant what its alleles show: their change of bases, and no position or name.

    Bases of the reference's strand; an insertion or deletion with the base before it, as in a VCF.
    """
    change = change_of(ref, alt)
    bare = "" in (ref[change.start : change.ref_end], alt[change.start : change.alt_end])
    start = change.start - (bare and change.start > 0)
    own = f"{ref[start : change.ref_end]}>{alt[start : change.alt_end]}"
    return NAMED.sub("", PLACED.sub("the changed position", WRITTEN.sub(own, text)))


def statements(texts: Iterable[str], refs: Iterable[str], alts: Iterable[str]) -> pd.DataFrame:
    """Return what texts say of their variants, and of how many that is so: `statement`, `said` (texts), `holds`, `share`.

    A change of bases holds where any that the text writes is the one between the alleles, on either strand.
    """
    said, holds = dict.fromkeys(("the change of bases", *CLAIMS), 0), dict.fromkeys(("the change of bases", *CLAIMS), 0)
    for text, ref, alt in zip(texts, refs, alts):
        own = _Varied(ref, alt)
        if written := WRITTEN.findall(text):
            said["the change of bases"] += 1
            holds["the change of bases"] += any(same_change(one, (own.ref, own.alt)) for one in written)
        for name, (pattern, can_be) in CLAIMS.items():
            if pattern.search(text):
                said[name] += 1
                holds[name] += can_be(own)
    rows = [(name, count, holds[name], holds[name] / count if count else float("nan")) for name, count in said.items()]
    return pd.DataFrame(rows, columns=["statement", "said", "holds", "share"])

"""Alleles of records as edits of the reference, each compared with the genome; what is no edit gets a reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.alleles import minimal_edit

from .reasons import Reason
from .stretches import Genome, Stretches

ACGT = frozenset("ACGT")
KNOWN = np.zeros(256, bool)
KNOWN[np.frombuffer(b"ACGT", np.uint8)] = True
COMPLEMENT = str.maketrans("ACGT", "TGCA")
NO_ALT = {".", "", "<NON_REF>", "<*>"}
_END = re.compile(r"(?:^|;)END=(\d+)")
_LENGTHS = re.compile(r"(?:^|;)SVLEN=([-\d.,]+)")
BEYOND = 2**48
"""A position behind the end of any contig."""
LONGEST = 2**21
"""Bases of a symbolic deletion that are looked through for N; no window holds more."""


@dataclass
class Records:
    """Some records of a file.

    Attributes
    ----------
    chrom, pos, ref, alt
        A value a record: contig, 0-based first base of REF, REF, ALT (several joined by commas).
    lines
        What the file has of each record (a VCF line, or a row of a table); empty where nothing is kept.
    info
        INFO of each record, where symbolic alleles are to be read.
    genome
        The genome these records lie on, where each part has its own (sequences of a table).
    labels
        Name of each record's place as output shows it (chrom and 0-based position), where that is not `chrom`, `pos`.
    broken
        Lines that are no records, by number, each in words.
    """

    chrom: list[str]
    pos: list[int]
    ref: list[str]
    alt: list[str]
    lines: list = field(default_factory=list)
    info: list[str] | None = None
    genome: Genome | None = None
    labels: list[tuple[str, int]] | None = None
    broken: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pos)


@dataclass
class Edits:
    """Alleles as edits, `n` of them in the order of records and, within one, of ALT.

    Attributes
    ----------
    record
        `int64[n]`: number of the record within its part.
    alt
        The alternative allele as written.
    contig
        `int64[n]`: number of the contig in `names`; -1 where the genome lacks it.
    start, end
        `int64[n]`: the reference bases that change, 0-based half-open; -1 where there is no edit.
    bases
        What they become.
    reason
        `uint8[n]`: a `Reason`.
    names
        Contigs of the genome, by number.
    notes
        Of mismatches: how many are `swapped`, `complement`; and `examples` of each reason, in words.
    """

    record: NDArray[np.int64]
    alt: list[str]
    contig: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    bases: list[str]
    reason: NDArray[np.uint8]
    names: list[str]
    notes: Counter = field(default_factory=Counter)
    examples: dict[Reason, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.record)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which alleles are edits that can be scored so far."""
        return self.reason == Reason.NONE


def edits_of(records: Records, genome: Genome, symbolic: bool = False) -> Edits:
    """Return the alleles of records as the smallest edits they make, compared with the genome.

    Parameters
    ----------
    symbolic
        Read `<DEL>` with END or SVLEN as the deletion of the bases behind POS.
    """
    names = list(genome.contigs)
    number = {name: place for place, name in enumerate(names)}
    split = [alt.split(",") if "," in alt else (alt,) for alt in records.alt]
    record = np.repeat(np.arange(len(records)), [len(alts) for alts in split]).astype(np.int64)
    alts = [alt for some in split for alt in some]
    contig = np.fromiter((number.get(name, -1) for name in records.chrom), np.int64, len(records))
    # A damaged file may say any number: beyond every contig is outside, however far.
    pos = np.fromiter((min(max(place, -1), BEYOND) for place in records.pos), np.int64, len(records))
    width = np.fromiter(map(len, records.ref), np.int64, len(records))
    length = np.fromiter(genome.contigs.values(), np.int64, len(names)) if names else np.zeros(1, np.int64)

    here = np.zeros(len(records), np.uint8)
    here[(pos < 0) | (pos + width > length[contig]) | (width == 0)] = Reason.OUTSIDE_CONTIG
    here[contig < 0] = Reason.MISSING_CONTIG
    here[list(records.broken)] = Reason.NOT_A_RECORD
    edits = Edits(
        record, alts, contig[record], pos[record], (pos + width)[record], list(alts), here[record].copy(), names
    )
    single = (width[record] == 1) & (np.fromiter(map(len, alts), np.int64, len(alts)) == 1)
    ref = _compare(records, genome, names, contig, pos, width, here == 0)
    _single_bases(edits, records, ref, single)
    for place in np.flatnonzero(~single & edits.ok):
        _longer(edits, int(place), records, ref, genome, symbolic)
    edits.start[~edits.ok], edits.end[~edits.ok] = -1, -1
    _explain(edits, records, genome, ref)
    return edits


@dataclass
class _Compared:
    """REF beside the genome: `reason` a record, and the genome's bases where it is not `NONE`."""

    reason: NDArray[np.uint8]
    codes: NDArray[np.uint8]
    zero: NDArray[np.int64]

    def found(self, place: int, start: int, end: int) -> str:
        """Return what the genome has from `start` to `end` on the contig of a record."""
        return self.codes[self.zero[place] + start : self.zero[place] + end].tobytes().decode("ascii")


def _compare(
    records: Records,
    genome: Genome,
    names: Sequence[str],
    contig: NDArray,
    pos: NDArray,
    width: NDArray,
    inside: NDArray[np.bool_],
) -> _Compared:
    """Compare each REF with the genome, all at once."""
    places = np.flatnonzero(inside)
    stretches = Stretches(genome, names, contig[places], pos[places], (pos + width)[places])
    compared = _Compared(np.zeros(len(records), np.uint8), stretches.codes, np.zeros(len(records), np.int64))
    compared.zero[places] = stretches.zero
    if not len(places):
        return compared
    given = np.frombuffer("".join([records.ref[i] for i in places]).upper().encode("latin-1", "replace"), np.uint8)
    first = np.cumsum(width[places]) - width[places]
    within = np.arange(len(given)) - np.repeat(first, width[places])
    has = stretches.codes[np.repeat(stretches.zero + pos[places], width[places]) + within]
    hidden = np.add.reduceat(~KNOWN[has], first) > 0
    wrong = np.add.reduceat(KNOWN[has] & (given != has), first) > 0
    compared.reason[places[hidden]] = Reason.N_IN_ALLELE
    compared.reason[places[wrong]] = Reason.REF_MISMATCH
    return compared


def _single_bases(edits: Edits, records: Records, ref: _Compared, single: NDArray[np.bool_]) -> None:
    """Fill in the alleles of one base under one base."""
    places = np.flatnonzero(single & edits.ok)
    if not len(places):
        return
    text = "".join([edits.alt[i] for i in places]).upper()
    alts = np.frombuffer(text.encode("latin-1", "replace"), np.uint8)
    refs = np.frombuffer(
        "".join([records.ref[i] for i in edits.record[places]]).upper().encode("latin-1", "replace"), np.uint8
    )
    reason = ref.reason[edits.record[places]]
    reason = np.where((reason == Reason.NONE) & (alts == refs), np.uint8(Reason.NO_CHANGE), reason)
    reason[~KNOWN[alts]] = Reason.NOT_ACGT
    reason[alts == ord("*")] = Reason.SPANNING_DELETION
    reason[alts == ord(".")] = Reason.NO_ALT
    edits.reason[places] = reason
    for place, base in zip(places.tolist(), text):
        edits.bases[place] = base


def _longer(edits: Edits, place: int, records: Records, ref: _Compared, genome: Genome, symbolic: bool) -> None:
    """Fill in one allele that is longer than a base, or symbolic."""
    record = int(edits.record[place])
    alt, given = edits.alt[place].upper(), records.ref[record].upper()
    if alt in NO_ALT:
        edits.reason[place] = Reason.NO_ALT
    elif alt == "*":
        edits.reason[place] = Reason.SPANNING_DELETION
    elif symbolic and alt == "<DEL>" and records.info is not None:
        _deletion(edits, place, records, ref, genome)
    elif any(mark in alt for mark in "<>[]."):
        edits.reason[place] = Reason.SYMBOLIC
    elif not ACGT.issuperset(alt):
        edits.reason[place] = Reason.NOT_ACGT
    elif ref.reason[record]:
        edits.reason[place] = ref.reason[record]
    elif alt == given:
        edits.reason[place] = Reason.NO_CHANGE
    else:
        edits.start[place], edits.end[place], edits.bases[place] = minimal_edit(records.pos[record], given, alt)


def _deletion(edits: Edits, place: int, records: Records, ref: _Compared, genome: Genome) -> None:
    """Read `<DEL>` as the deletion of what lies behind POS, up to END (or over SVLEN bases, a number an allele)."""
    record = int(edits.record[place])
    start, stop = records.pos[record] + 1, _last(edits, place, records)
    chrom = records.chrom[record]
    if ref.reason[record]:
        edits.reason[place] = ref.reason[record]
    elif stop is None or stop <= start:
        edits.reason[place] = Reason.SYMBOLIC
    elif stop <= genome.contigs[chrom] and not KNOWN[genome.fetch(chrom, start, min(stop, start + LONGEST))].all():
        edits.reason[place] = Reason.N_IN_ALLELE
    else:
        edits.start[place], edits.end[place], edits.bases[place] = start, stop, ""


def _last(edits: Edits, place: int, records: Records) -> int | None:
    """Return where a symbolic deletion ends; None where INFO does not tell."""
    record = int(edits.record[place])
    info = records.info[record]
    if end := _END.search(info):
        return min(BEYOND, int(end[1]))
    lengths = _LENGTHS.search(info)
    if lengths is None:
        return None
    given = lengths[1].split(",")
    own = place - int(np.searchsorted(edits.record, record))
    text = given[own if own < len(given) else 0].lstrip("-")
    return min(BEYOND, records.pos[record] + 1 + int(text)) if text.isdecimal() else None


def _explain(edits: Edits, records: Records, genome: Genome, ref: _Compared) -> None:
    """Say of the first allele of each reason what was found, and count mismatches that have a likely cause."""
    outside = np.flatnonzero(edits.ok & (edits.end > _lengths(genome, edits)))  # <DEL> beyond the contig
    edits.reason[outside] = Reason.OUTSIDE_CONTIG
    for place in np.flatnonzero(~edits.ok).tolist():
        reason, record = Reason(int(edits.reason[place])), int(edits.record[place])
        given, pos = records.ref[record].upper(), records.pos[record]
        found = ""
        if reason is Reason.REF_MISMATCH:
            found = ref.found(record, pos, pos + len(given))
            edits.notes["swapped"] += edits.alt[place].upper() == found
            edits.notes["complement"] += given.translate(COMPLEMENT)[::-1] == found
        if reason not in edits.examples:
            edits.examples[reason] = _example(reason, records, record, edits.alt[place], found, genome)


def _example(reason: Reason, records: Records, record: int, alt: str, found: str, genome: Genome) -> str:
    """Return in words what is wrong with an allele."""
    chrom, pos, ref = records.chrom[record], records.pos[record], records.ref[record]
    place = f"{chrom}:{pos + 1}:{ref[:20]}:{alt[:20]}"
    if reason is Reason.REF_MISMATCH:
        return f"{place}, the genome has {found[:20]}"
    if reason is Reason.NOT_A_RECORD:
        return records.broken[record]
    if reason is Reason.OUTSIDE_CONTIG:
        return f"{place}, {chrom} has {genome.contigs[chrom]:,} bases"
    return place


def _lengths(genome: Genome, edits: Edits) -> NDArray[np.int64]:
    """Return the length of each allele's contig; 0 where there is none."""
    lengths = np.append(np.fromiter(genome.contigs.values(), np.int64, len(genome.contigs)), 0)
    return lengths[edits.contig]

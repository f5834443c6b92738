"""A file of variants read once before any model is: REF compared with the genome, reasons and passes counted."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glmflow.errors import InputError

from .contigs import find_contig, some
from .edit_sets import Source, chosen, unique_edits
from .edits import Edits, edits_of
from .reasons import Reason, described
from .stretches import Genome

log = logging.getLogger(__name__)

PART = 4096
OUTSIDE = 0.5
"""Share of the alleles outside their contig from which on the genome is a part of theirs, or another."""
MISMATCHES = 0.05
"""Largest share of alleles whose REF is not the genome's; one such allele never stops a run."""
RECORD = "Positions are whole numbers; columns of a VCF are CHROM POS ID REF ALT QUAL FILTER INFO, separated by tabs."
SAMPLE = 16
"""Edits on which the strands of a model are compared."""


@dataclass
class FirstLook:
    """What a file holds.

    Attributes
    ----------
    records, alleles
        How many.
    reasons
        Alleles of each `Reason` that is known without a model.
    notes
        Mismatches that would fit if REF and ALT were `swapped`, or read on the other strand (`complement`).
    examples
        The first allele of each reason, in words.
    missing
        Contigs that the genome lacks: how many alleles each has.
    equal, changed
        Distinct edits that keep the length, and insertions and deletions.
    sites
        Distinct places of edits that keep the length: alternatives of one share a masked pass.
    windows
        Distinct places of all edits: alternatives of one share a reference window.
    lengths
        Distinct indels of each pair (bases removed, bases inserted).
    sample
        Up to `SAMPLE` edits that keep the length, far from the ends of their contigs, with the genome they lie on.
    """

    records: int = 0
    alleles: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    examples: dict[Reason, str] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)
    equal: int = 0
    changed: int = 0
    sites: int = 0
    windows: int = 0
    lengths: Counter[tuple[int, int]] = field(default_factory=Counter)
    sample: list[tuple[Genome, Edits]] = field(default_factory=list)
    sampled: int = 0


def look(source: Source, genome: Genome | None, symbolic: bool = False, far: int = 0) -> FirstLook:
    """Read a file of variants through.

    Parameters
    ----------
    genome
        Where the variants lie; None for a table that brings its sequences.
    far
        Bases that the edits of the sample keep from the ends of their contigs.
    """
    found = FirstLook()
    for records in source.parts(PART):
        here = records.genome or genome
        edits = edits_of(records, here, symbolic)
        found.records += len(records)
        found.alleles += len(edits)
        values, counts = np.unique(edits.reason, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist()):
            found.reasons[Reason(value)] += count
        found.notes.update(edits.notes)
        for reason, example in edits.examples.items():
            found.examples.setdefault(reason, example)
        if Reason.MISSING_CONTIG in edits.examples:
            lacking = edits.reason == Reason.MISSING_CONTIG
            found.missing.update(records.chrom[i] for i in edits.record[lacking].tolist())
        _count_edits(found, edits)
        _sample(found, edits, here, far)
    return found


def _count_edits(found: FirstLook, edits: Edits) -> None:
    """Count the distinct edits of a part, and the places they share."""
    first, _ = unique_edits(edits)
    first = first[edits.ok[first]]
    removed = edits.end[first] - edits.start[first]
    inserted = np.fromiter((len(edits.bases[i]) for i in first.tolist()), np.int64, len(first))
    equal = removed == inserted
    found.equal += int(equal.sum())
    found.changed += int((~equal).sum())
    places = np.column_stack([edits.contig[first], edits.start[first], np.where(equal, removed, -1)])
    found.sites += len(np.unique(places[equal], axis=0))
    found.windows += len(np.unique(places[:, :2], axis=0))
    found.lengths.update(zip(removed[~equal].tolist(), inserted[~equal].tolist()))


def _sample(found: FirstLook, edits: Edits, genome: Genome, far: int) -> None:
    """Take some edits for the comparison of strands."""
    if found.sampled >= SAMPLE:
        return
    lengths = np.append(np.fromiter(genome.contigs.values(), np.int64, len(genome.contigs)), 0)[edits.contig]
    inserted = np.fromiter(map(len, edits.bases), np.int64, len(edits))
    fits = edits.ok & (edits.start >= far) & (edits.end + far <= lengths) & (edits.end - edits.start == inserted)
    places = np.flatnonzero(fits)[: SAMPLE - found.sampled]
    if len(places):
        found.sample.append((genome, chosen(edits, places)))
        found.sampled += len(places)


def require_matching(
    found: FirstLook, genome: Genome, where: Path, limit: float = MISMATCHES, strict: bool = False
) -> None:
    """Say what will have no score, and stop where the genome is another than that of the variants.

    Raises
    ------
    InputError
        No allele lies on the genome; more than half of them lie outside their contig; more than `limit` of them (and more
        than one) have another REF than the genome, or are no records; or, where `strict`, any has another REF or is no record.
    """
    broken = found.reasons[Reason.NOT_A_RECORD]
    if broken and (strict or broken == found.alleles or (broken > 1 and broken > limit * found.alleles)):
        more = f", nor are {broken - 1:,} others of {found.alleles:,}" if broken > 1 else ""
        raise InputError(f"{found.examples[Reason.NOT_A_RECORD]}{more}", where=where, fix=RECORD)
    for line in described(found.reasons):
        log.warning("%s: %s", where, line)
    lacking = found.reasons[Reason.MISSING_CONTIG]
    hint = _renamed(found, genome)
    if lacking:
        log.warning("%s: contigs that the genome lacks: %s%s", where, some(found.missing), f"; {hint}" if hint else "")
    if lacking and lacking + broken == found.alleles:
        fix = f"{hint or 'Give the genome that the variants were called on'} (bcftools annotate --rename-chrs)."
        raise InputError(
            f"no variant lies on the genome: contigs are {some(found.missing)}, the genome has {some(genome.contigs)}",
            where=where,
            fix=fix,
        )
    wrong, outside = found.reasons[Reason.REF_MISMATCH], found.reasons[Reason.OUTSIDE_CONTIG]
    named = found.alleles - lacking - broken
    if outside > 1 and outside > max(limit, OUTSIDE) * named:
        raise InputError(
            f"{outside:,} of {named:,} alleles lie outside their contig, first {found.examples[Reason.OUTSIDE_CONTIG]}: it is "
            "another assembly, or a part of it",
            where=where,
            fix="Give the genome that the variants were called on.",
        )
    compared = named - outside
    too_many = wrong > 1 and wrong > limit * compared
    if wrong and (strict or too_many):
        raise InputError(
            f"REF of {wrong:,} of {compared:,} alleles is not what the genome has, first {found.examples[Reason.REF_MISMATCH]}"
            f"; {_cause(found)}",
            where=where,
            fix="Give the genome that the variants were called on"
            + ("." if strict else ", or allow them: --most-mismatches 1 (`mismatches: 1` in a study)."),
        )
    if wrong:
        log.warning("%s: first REF that is not the genome's: %s; %s", where,
                    found.examples[Reason.REF_MISMATCH], _cause(found))  # fmt: skip


def _renamed(found: FirstLook, genome: Genome) -> str:
    """Say which name of the genome a missing contig may mean."""
    for name in found.missing:
        other = find_contig(name, genome.contigs)
        if other:
            return f"{name} may be the genome's {other}: rename the contigs"
    return ""


def _cause(found: FirstLook) -> str:
    """Return the likely cause of mismatches."""
    wrong, swapped = found.reasons[Reason.REF_MISMATCH], found.notes["swapped"]
    complement = found.notes["complement"]
    if swapped > wrong / 2:
        return f"{swapped:,} have the genome's base as ALT: REF and ALT are exchanged"
    if complement > wrong / 2:
        return f"{complement:,} fit on the other strand: alleles are given on the strand of a gene or probe"
    return (
        f"{swapped:,} have the genome's base as ALT, {complement:,} fit on the other strand: another assembly, likely"
    )

"""Questions about the variants of a VCF: both alleles are cut out of the genome, the question is asked in given words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from glmflow.errors import InputError
from glmflow.genome.edits import edits_of
from glmflow.genome.reasons import WORDS, Reason
from glmflow.genome.reference import Reference

from .annotated_vcf import Renamed
from .variants.variant_sources import VcfSource

RECORDS = 10_000
"""Records that are read at a time."""


class Asked(NamedTuple):
    """Questions, a row an allele (`variant`, `question`, `reference_sequence`, `variant_sequence`), and alleles left out."""

    rows: list[dict[str, Any]]
    left_out: Counter[Reason]


def questions_about(vcf: Path, fasta: Path, question: str, flank: int, variant: str | None = None) -> Asked:
    """Return a question about every allele of a VCF, or about one of them.

    Parameters
    ----------
    flank
        Bases of the genome on each side of the change; fewer where the contig ends.
    variant
        `contig:position:REF:ALT`, the position from 1, as the VCF has it.

    Raises
    ------
    InputError
        The file cannot be read, does not have the variant, or the variant is no change of the genome's bases.
    """
    genome = Reference(fasta)
    rows: list[dict[str, Any]] = []
    left_out: Counter[Reason] = Counter()
    for records in Renamed(VcfSource(vcf), genome).parts(RECORDS):
        edits = edits_of(records, genome)
        for place, record in enumerate(edits.record.tolist()):
            name = f"{records.chrom[record]}:{records.pos[record] + 1}:{records.ref[record]}:{edits.alt[place]}"
            if variant is not None and not same_variant(name, variant):
                continue
            reason = Reason(int(edits.reason[place]))
            if reason is not Reason.NONE:
                left_out[reason] += 1
                continue
            chrom, start, end = records.chrom[record], int(edits.start[place]), int(edits.end[place])
            left = genome.fetch_string(chrom, max(0, start - flank), start)
            right = genome.fetch_string(chrom, end, min(genome.contigs[chrom], end + flank))
            rows.append({
                "variant": name,
                "question": question,
                "reference_sequence": left + genome.fetch_string(chrom, start, end) + right,
                "variant_sequence": left + edits.bases[place] + right,
            })  # fmt: skip
    if not rows:
        why = "; ".join(f"{count:,} alleles: {WORDS[reason]}" for reason, count in left_out.items())
        what = f"no allele to ask about{f' ({why})' if why else ''}" if variant is None or why else f"has no {variant}"
        raise InputError(what, where=vcf, fix="Name a variant of the file as contig:position:REF:ALT, of this genome.")
    return Asked(rows, left_out)


def same_variant(one: str, other: str) -> bool:
    """Return whether two names are of one variant; `chr` before the contig and lower case make no difference."""
    return one.upper().removeprefix("CHR") == other.strip().upper().removeprefix("CHR")

"""Variants counted in windows along a genome, from a VCF with or without genotypes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs
from glmflow.genome.packed import fetch_blocks
from glmflow.genome.reference import Reference
from glmflow.genome.vcf_files import open_vcf, passes_filter
from glmflow.labelled.composition import composition


def tiles(contigs: Mapping[str, int], size: int) -> pd.DataFrame:
    """Return windows that tile each contig from base 0 without overlap: `chrom`, `start`, `end`.

    A last one that would be shorter is left out.
    """
    parts = [
        pd.DataFrame({"chrom": chrom, "start": np.arange(length // size, dtype=np.int64) * size})
        for chrom, length in contigs.items()
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"chrom": [], "start": []})
    if not len(table):
        longest = max(contigs.values(), default=0)
        what = f"no window of {size:,} bases fits into a contig (the longest has {longest:,})"
        raise InputError(what, where="windows.size", fix="Give shorter windows.")
    return table.assign(end=table["start"] + size)


class Counted(NamedTuple):
    """Which records of a VCF count.

    Attributes
    ----------
    filters
        FILTER values that are kept; None for all.
    snv_only
        Only records whose alleles are single bases.
    min_frequency
        Smallest frequency of the rarer allele: among the genotypes, or by INFO/AF where there are none.
    samples
        Whose genotypes count; by default everyone's.
    """

    filters: Collection[str] | None = ("PASS", ".")
    snv_only: bool = False
    min_frequency: float = 0.0
    samples: list[str] | None = None


PUBLISHED = Counted()
"""Every record that passes its filters."""
REASONS = ("records", "snv", "filtered", "not_carried", "rare", "not_snv", "other_contig")


def counted_records(
    vcf: Path, contigs: Mapping[str, int], which: Counted, counts: dict[str, int]
) -> Iterator[tuple[str, int, bool]]:
    """Yield contig (of the genome), 0-based position and whether all alleles are single bases, of each record that counts.

    A record counts once, whatever its alternative alleles; with genotypes only where someone carries one of them.

    Parameters
    ----------
    counts
        Gets `REASONS`: records that count, and those left out by reason.
    """
    file = open_vcf(vcf, which.samples)
    genotyped = bool(file.samples)
    names: dict[str, str | None] = {}
    theirs = match_contigs(contigs, file.seqnames, vcf) if file.seqnames else {}
    ours = {name: chrom for chrom, name in theirs.items()}
    for record in file:
        chrom = names.setdefault(record.CHROM, ours.get(record.CHROM))
        if chrom is None:
            counts["other_contig"] += 1
            continue
        if not passes_filter((record.FILTER or "").split(";") if record.FILTER else [], which.filters):
            counts["filtered"] += 1
            continue
        if genotyped and record.num_het + record.num_hom_alt == 0:
            counts["not_carried"] += 1
            continue
        bases = len(record.REF) == 1 and all(len(alt) == 1 and alt in "ACGTacgt" for alt in record.ALT)
        if which.snv_only and not bases:
            counts["not_snv"] += 1
            continue
        if which.min_frequency > 0 and _rarer(record, genotyped) < which.min_frequency:
            counts["rare"] += 1
            continue
        counts["records"] += 1
        counts["snv"] += bases
        yield chrom, record.start, bases


class Variants(NamedTuple):
    """Variants counted in windows.

    Attributes
    ----------
    variants, snv : dict of int64[windows]
        By contig of the genome: records, and those whose alleles are single bases.
    places : dict of int64[snv]
        0-based positions of single-base changes, by contig.
    counts : dict
        `records` counted, `filtered`, `not_carried`, `rare`, `not_snv` and `other_contig` left out.
    """

    variants: dict[str, NDArray[np.int64]]
    snv: dict[str, NDArray[np.int64]]
    places: dict[str, NDArray[np.int64]]
    counts: dict[str, int]


def count_variants(vcfs: Sequence[Path], contigs: Mapping[str, int], size: int, which: Counted = PUBLISHED) -> Variants:
    """Count the records of VCFs in the windows of `tiles`, each once at its POS.

    Raises
    ------
    InputError
        None of them counts.
    """
    found = {chrom: np.zeros(length // size, np.int64) for chrom, length in contigs.items()}
    single = {chrom: np.zeros(length // size, np.int64) for chrom, length in contigs.items()}
    places: dict[str, list[int]] = {chrom: [] for chrom in contigs}
    counts = dict.fromkeys(REASONS, 0)
    for vcf in vcfs:
        for chrom, start, bases in counted_records(vcf, contigs, which, counts):
            place = start // size
            if bases:
                places[chrom].append(start)
            if place < len(found[chrom]):
                found[chrom][place] += 1
                single[chrom][place] += bases
    if not counts["records"]:
        reasons = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in counts.items() if n)
        where = ", ".join(map(str, vcfs))
        raise InputError(
            f"no variant to count ({reasons or 'no record'})", where=where, fix="Check filters and contigs."
        )
    return Variants(found, single, {chrom: np.array(own, np.int64) for chrom, own in places.items()}, counts)


def _rarer(record, genotyped: bool) -> float:
    """Return the frequency of the rarer allele of a record, 0 where it is not known."""
    if genotyped:
        alleles = record.genotype.array()[:, :-1]  # the last column says whether they are phased
        share = (alleles > 0).sum() / max((alleles >= 0).sum(), 1)
        return float(min(share, 1 - share))
    frequency = record.INFO.get("AF")
    if isinstance(frequency, tuple):
        frequency = sum(frequency)
    return 0.0 if frequency is None else float(min(frequency, 1 - frequency))


def window_table(
    reference: Reference,
    contigs: Mapping[str, int],
    size: int,
    variants: Mapping[str, NDArray[np.int64]],
    snv: Mapping[str, NDArray[np.int64]],
    max_n_fraction: float = 0.0,
) -> pd.DataFrame:
    """Return the windows with their counts and what their sequence is like.

    Returns
    -------
    DataFrame
        `chrom`, `start`, `end`, `variants`, `snv`, `n_fraction`, `gc`, `cpg_oe`, `used` (no more N than allowed).
    """
    table = tiles(contigs, size)
    used = [chrom for chrom, length in contigs.items() if length >= size]
    table["variants"] = np.concatenate([variants[chrom] for chrom in used])
    table["snv"] = np.concatenate([snv[chrom] for chrom in used])
    parts = [composition(packed) for _, packed in fetch_blocks(reference, table)]
    facts = pd.concat(parts, ignore_index=True)
    table["n_fraction"], table["gc"], table["cpg_oe"] = facts["n_share"], facts["gc"], facts["cpg_oe"]
    return table.assign(used=table["n_fraction"] <= max_n_fraction)

"""What files of alleles write in other words: contigs, consequences, genes, and REF where a table leaves it out."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import ContigNames, some
from glmflow.genome.reference import Reference

log = logging.getLogger(__name__)


def first_consequence(values: pd.Series) -> pd.Series:
    """Return the first of several consequences: of ClinVar (`SO:0001583|missense_variant,SO:…`), or VEP (`a&b`)."""
    return values.astype(str).str.replace(r"^SO:\d+\|", "", regex=True).str.split(r"[,&]").str[0]


def first_gene(values: pd.Series) -> pd.Series:
    """Return the first gene of ClinVar's `GENEINFO` (`BRCA1:672|NBR2:10230`); other names as they are."""
    return values.astype(str).str.replace(r"^([^:|]+):\d+(\|.*)?$", r"\1", regex=True)


def renamed_contigs(table: pd.DataFrame, genome: Reference, where: Path) -> pd.DataFrame:
    """Return alleles with the genome's names of their contigs (`1` may be its `chr1`); those it lacks stay as they are."""
    names = ContigNames(genome.contigs)
    given = table["chrom"].astype(str)
    found = {name: names.find(name) or name for name in given.unique()}
    other = [f"{name} is {new}" for name, new in found.items() if new != name]
    if other:
        log.warning("%s: contig names mapped: %s", where, some(other))
    return table.assign(chrom=given.map(found))


def with_reference_first(table: pd.DataFrame, genome: Reference, where: Path) -> pd.DataFrame:
    """Return alleles with REF and ALT exchanged where the genome has ALT and not REF: the table orders them otherwise."""

    def at(chrom: str, start: int, allele: str) -> bool:
        end = start + len(allele)
        if chrom not in genome.contigs or end > genome.contigs[chrom]:
            return False
        return genome.fetch_string(chrom, start, end).upper() == allele.upper()

    places = zip(table["chrom"], table["start"].tolist(), table["ref"].astype(str), table["alt"].astype(str))
    exchanged = [not at(chrom, start, ref) and at(chrom, start, alt) for chrom, start, ref, alt in places]
    if any(exchanged):
        log.warning(
            "%s: REF and ALT of %d of %d alleles are exchanged: the genome has ALT", where, sum(exchanged), len(table)
        )
    ref = table["ref"].where(~pd.Series(exchanged, index=table.index), table["alt"])
    alt = table["alt"].where(~pd.Series(exchanged, index=table.index), table["ref"])
    return table.assign(ref=ref, alt=alt)


def with_reference_bases(table: pd.DataFrame, genome: Reference, where: Path) -> pd.DataFrame:
    """Return alleles of one base with REF as the genome has it: nothing can tell whether the table means this genome.

    Raises
    ------
    InputError
        An alternative has several bases: without REF nothing says what it replaces.
    """
    long = table["alt"].astype(str).str.len() != 1
    if long.any():
        row = table[long].iloc[0]
        raise InputError(
            f"{row['chrom']}:{row['start'] + 1} has the alternative {str(row['alt'])[:20]!r}, and no REF says what it replaces",
            where=where,
            fix="Give a table with REF, or one of single bases.",
        )
    lacks = ~table["chrom"].isin(list(genome.contigs))
    pairs = zip(table["chrom"], table["start"], lacks)
    bases = ["N" if gone else genome.fetch(chrom, start, start + 1).tobytes().decode() for chrom, start, gone in pairs]
    log.warning(
        "%s: REF of %d alleles is taken from the genome, so that it is compared with nothing", where, len(table)
    )
    return table.assign(ref=bases)

"""Where genes start, from whichever table of genes is at hand: GTF, BED or TSV."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.genome.annotation import read_genes
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.intervals import bed_lines
from glmflow.text_files import open_text

log = logging.getLogger(__name__)

COLUMNS = ["gene_id", "chrom", "tss", "strand"]


def read_gene_starts(path: Path, contigs: Mapping[str, int]) -> pd.DataFrame:
    """Read the transcription start site (TSS) and the strand of genes.

    Parameters
    ----------
    path
        BED (six columns, the name is the gene), TSV (with the columns `gene_id`, `chrom`, `tss`, 0-based, and
        `strand`, as the workflow writes them), or else GTF.
    contigs
        Length of every contig of the genome. Names are mapped to it (chr1 or 1); genes elsewhere are left out.

    Returns
    -------
    DataFrame
        `gene_id`, `chrom`, `tss` (0-based position of the 5' base), `strand`.

    Raises
    ------
    InputError
        The file is missing or no such table, a gene comes twice, or starts where the genome has no base.
    """
    name = path.name.removesuffix(".gz")
    if not name.endswith((".bed", ".tsv")):
        return read_genes(path, contigs)[COLUMNS]
    genes = _of_bed(path) if name.endswith(".bed") else _of_table(path)
    ours = {theirs: chrom for chrom, theirs in match_contigs(contigs, genes["chrom"], where=path).items()}
    elsewhere = genes[~genes["chrom"].isin(ours)]
    if len(elsewhere):
        log.warning("%s: genes on contigs that the genome lacks left out: %s", path, some(elsewhere["gene_id"]))
    genes = genes.drop(elsewhere.index).assign(chrom=lambda table: table["chrom"].map(ours))
    _check(genes, contigs, path)
    return genes.reset_index(drop=True)[COLUMNS]


def _of_bed(path: Path) -> pd.DataFrame:
    """Read a BED: a gene on the plus strand starts with its first base, one on the minus strand with its last."""
    rows = []
    for where, chrom, start, end, rest in bed_lines(path):
        if len(rest) < 3:
            fix = "Give chrom, start, end, gene, score and strand, separated by tabs."
            raise InputError("not a BED of genes: a line of fewer than six columns", where=where, fix=fix)
        rows.append((rest[0], chrom, start if rest[2] == "+" else end - 1, rest[2]))
    if not rows:
        raise InputError("no gene", where=path, fix="Give chrom, start, end, gene, score and strand.")
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_table(path: Path) -> pd.DataFrame:
    """Read a table with the columns of `COLUMNS`."""
    try:
        with open_text(path) as handle:
            table = read_table(handle)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"not a table of genes ({error})", where=path, fix=f"Give {', '.join(COLUMNS)}.") from None
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        fix = f"Give {', '.join(COLUMNS)} (the 0-based position of its first base)."
        raise InputError(f"no column {missing[0]}", where=path, fix=fix)
    if not pd.api.types.is_integer_dtype(table["tss"]):
        raise InputError("tss holds what is no position", where=path, fix="Give whole numbers, 0-based.")
    if table[COLUMNS].isna().to_numpy().any():
        raise InputError("an empty cell", where=path, fix=f"Give {', '.join(COLUMNS)} of every gene.")
    return table


def _check(genes: pd.DataFrame, contigs: Mapping[str, int], path: Path) -> None:
    """Stop at genes that come twice, have no strand, or start outside of their contig."""
    twice = genes.loc[genes["gene_id"].duplicated(), "gene_id"]
    if len(twice):
        raise InputError(f"gene {twice.iloc[0]} comes twice", where=path, fix="Give one line a gene.")
    unknown = genes[~genes["strand"].isin(["+", "-"])]
    if len(unknown):
        gene = unknown.iloc[0]
        raise InputError(f"gene {gene['gene_id']} has the strand {gene['strand']!r}", where=path, fix="Say + or -.")
    outside = genes[(genes["tss"] < 0) | (genes["tss"] >= genes["chrom"].map(contigs))]
    if len(outside):
        gene = outside.iloc[0]
        raise InputError(
            f"gene {gene['gene_id']} starts at {gene['tss'] + 1:,}, outside of {gene['chrom']} "
            f"({contigs[gene['chrom']]:,} bases)",
            where=path,
            fix="Give the genes of the genome's own build.",
        )

"""Matrices of expression by gene and person, as they are found in the wild."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.errors import InputError

GENE_COLUMNS = (
    *("gene_id", "gid", "gene", "geneid", "targetid", "ensembl_gene_id", "ensembl_id", "name"),
    *("phenotype_id", "pid", "id", "unnamed: 0"),
)
"""Names of the column of gene ids in small letters; the first that is there is taken."""

ABOUT_GENES = {
    *GENE_COLUMNS,
    *("chr", "#chr", "chrom", "#chrom", "chromosome", "start", "end", "left", "right", "coord", "tss", "strand"),
    *("gene_symbol", "symbol", "gene_name", "genename", "description", "gene_type", "biotype", "length", "gene_length"),
}
"""Columns that say something of a gene, in small letters; every other column is a person."""

VERSION = re.compile(r"\.\d+(_PAR_Y)?$")
NAMED = 5


class Expression(NamedTuple):
    """Expression as it was measured.

    Attributes
    ----------
    values : DataFrame
        float64, genes (index) x people (columns); NaN where nothing was measured.
    notes : dict[str, int]
        What was counted while reading.
    """

    values: pd.DataFrame
    notes: dict[str, int]


def read_expression(path: str | os.PathLike[str]) -> Expression:
    """Read a matrix of expression: BED (FastQTL, QTLtools), GCT (GTEx) or any TSV, told apart by their columns.

    Genes are rows, people are columns, and columns about the genes are recognised by their names. Rows that come twice
    with the same values count once.

    Raises
    ------
    InputError
        No file, no column of gene ids, no people, what is no number, or a gene that comes twice with other values.
    """
    table = _read_table(Path(path))
    gene, people = _columns(table, path)
    values = _numbers(table[people], path).set_axis(table[gene].astype(str), axis=0).rename_axis(index="gene_id")
    repeated = values.reset_index().duplicated().to_numpy()
    values = values[~repeated]
    _require_unique(values, path)
    infinite = int(np.isinf(values.to_numpy()).sum())
    values = values.replace([np.inf, -np.inf], np.nan)
    return Expression(
        values.set_axis(values.columns.astype(str), axis=1),
        {
            "rows that come twice": int(repeated.sum()),
            "values that are infinite": infinite,
            "values that are missing": int(values.isna().to_numpy().sum()) - infinite,
        },
    )


def measured_people(path: str | os.PathLike[str]) -> list[str]:
    """Return the people of a matrix of expression; no more than its head is read.

    Raises
    ------
    InputError
        As `read_expression`, of the columns and the first gene.
    """
    return [str(name) for name in _columns(_read_table(Path(path), rows=1), path)[1]]


def _columns(table: pd.DataFrame, path: str | os.PathLike[str]) -> tuple[str, list[str]]:
    """Return the column of gene ids and those of people."""
    by_name = {str(name).strip().lower(): name for name in table.columns}
    gene = next((by_name[name] for name in GENE_COLUMNS if name in by_name), None)
    if gene is None:
        found = ", ".join(map(str, table.columns[:6]))
        raise InputError("no column of gene ids", where=path, mend=f"Name it gene_id; the file has {found} ...")
    people = [name for name in table.columns if str(name).strip().lower() not in ABOUT_GENES]
    if not people:
        raise InputError("no column of a person", where=path, mend="Give one column a person, named as in the VCF.")
    if len(set(people)) < len(people):
        twice = sorted({name for name in people if people.count(name) > 1})
        raise InputError(f"people come twice: {', '.join(map(str, twice[:NAMED]))}", where=path)
    return gene, people


def _read_table(path: Path, rows: int | None = None) -> pd.DataFrame:
    """Read the lines from the header on: all, or the first `rows`."""
    try:
        with path.open("rb") as handle:
            packed = handle.read(2) == b"\x1f\x8b"
        with (gzip.open if packed else open)(path, "rt", encoding="utf-8") as handle:
            first = handle.readline()
            if first.startswith("#1."):  # GCT: version, then the size of the table
                handle.readline()
                header = handle.readline()
            else:
                while first.startswith("##"):
                    first = handle.readline()
                header = first
            separator = "\t" if "\t" in header else "," if "," in header else r"\s+"
            names = re.split(separator, header.strip("\r\n")) if header.strip() else []
            engine = "python" if separator == r"\s+" else "c"
            table = pd.read_csv(handle, sep=separator, header=None, na_values=["."], engine=engine, nrows=rows)
    except FileNotFoundError:
        raise InputError("no such file", where=path, mend="Check the path.") from None
    except (OSError, EOFError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"not a table of expression ({error})", where=path, mend="Give BED, GCT or TSV.") from None
    if len(names) == table.shape[1] - 1:  # as R writes it: no name over the genes
        names = ["gene_id", *names]
    if len(names) != table.shape[1]:
        raise InputError(f"{len(names)} column names over {table.shape[1]} columns", where=path)
    return table.set_axis(["gene_id" if name.strip('"') == "" else name.strip('"') for name in names], axis=1)


def _numbers(table: pd.DataFrame, path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the columns of people as numbers."""
    columns = {}
    for name in table.columns:
        try:
            columns[name] = pd.to_numeric(table[name]).to_numpy(float)
        except (ValueError, TypeError):
            bad = table.loc[pd.to_numeric(table[name], errors="coerce").isna() & table[name].notna(), name].iloc[0]
            raise InputError(
                f"column {name!r} holds {str(bad)!r}, which is no number",
                where=path,
                mend="Drop columns that are no people, or name one about genes as usual (strand, symbol ...).",
            ) from None
    return pd.DataFrame(columns, index=table.index)


def _require_unique(values: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Stop where a gene comes twice."""
    twice = values.index[values.index.duplicated()].unique()
    if len(twice):
        raise InputError(
            f"{len(twice):,} genes come twice with different values: {', '.join(twice[:NAMED])}",
            where=path,
            mend="Give one row a gene.",
        )


def without_version(gene: str) -> str:
    """Return an Ensembl id without its version (`ENSG00000012048.23` is `ENSG00000012048`)."""
    return VERSION.sub(r"\1", gene) if gene.startswith("ENS") else gene


def match_genes(found: Iterable[str], annotated: Iterable[str]) -> dict[str, str]:
    """Return by annotated gene id the id in the matrix: the same, or the same but for its version.

    An id that is there as it stands goes first; where several versions of it are left, none is matched, for which of
    them is meant cannot be known.
    """
    found, annotated = list(found), list(annotated)
    exact = set(found)
    bare: dict[str, list[str]] = {}
    for name in found:
        bare.setdefault(without_version(name), []).append(name)
    matches = {}
    for gene in annotated:
        candidates = [gene] if gene in exact else bare.get(without_version(gene), [])
        if len(candidates) == 1:
            matches[gene] = candidates[0]
    return matches

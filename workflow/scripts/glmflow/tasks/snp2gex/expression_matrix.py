"""Matrices of expression by gene and sample, as they are found in the wild."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.text_files import ends_with_line, open_text

from .expression_layout import Layout, read_layout

VERSION = re.compile(r"\.\d+(_PAR_Y)?$")
MISSING = ("", "NA", "N/A", "na", "NaN", "nan", "null", "NULL", ".")
"""What stands for no value, in columns of samples alone: a gene may be named NA."""
SUMMARY = re.compile(r"__\w+|N_(unmapped|multimapping|noFeature|ambiguous)")
"""Rows of htseq-count, STAR and GDC that count reads of no gene."""
NAMED = 5


class Expression(NamedTuple):
    """Expression as it was measured.

    Attributes
    ----------
    values : DataFrame
        float64, genes (index) x samples (columns); NaN where nothing was measured.
    notes : dict[str, int]
        What was counted while reading.
    """

    values: pd.DataFrame
    notes: dict[str, int]


def read_expression(path: str | os.PathLike[str]) -> Expression:
    """Return a matrix of expression: BED (FastQTL, QTLtools), GCT, featureCounts or any TSV or CSV, distinguished by columns.

    Genes are rows, samples are columns, and columns about the genes are recognised by their names (`read_layout`). Rows
    that come twice with the same values count once; rows of reads of no gene (htseq-count, STAR) are left out.

    Raises
    ------
    InputError
        No file, no column of gene ids, no samples, what is no number, or a gene that comes twice with other values.
    """
    path = Path(path)
    layout = read_layout(path)
    table = _read_table(path, layout)
    ids = table[layout.gene].fillna("")  # a line that ends before it
    summary, unnamed = ids.str.fullmatch(SUMMARY).to_numpy(bool), ids.str.strip().eq("").to_numpy(bool)
    used = ~(summary | unnamed)
    values = _numbers(table[used], layout, path).set_axis(ids[used].to_numpy(), axis=0).rename_axis(index="gene_id")
    repeated = values.reset_index().duplicated().to_numpy()
    values = values[~repeated]
    _require_unique(values, path)
    infinite = int(np.isinf(values.to_numpy()).sum())
    values = values.replace([np.inf, -np.inf], np.nan)
    return Expression(
        values,
        {
            "rows that come twice": int(repeated.sum()),
            "rows without a gene id": int(unnamed.sum()),
            "rows of reads of no gene": int(summary.sum()),
            "values that are infinite": infinite,
            "values that are missing": int(values.isna().to_numpy().sum()) - infinite,
        },
    )


def measured_samples(path: str | os.PathLike[str]) -> list[str]:
    """Return the samples of a matrix of expression; no more than its header is read.

    Raises
    ------
    InputError
        As `read_expression`, of the columns and the first gene.
    """
    path = Path(path)
    layout = read_layout(path)
    _numbers(_read_table(path, layout, rows=1), layout, path)
    return list(layout.people.values())


def _read_table(path: Path, layout: Layout, rows: int | None = None) -> pd.DataFrame:
    """Return the lines below the header, all or the first `rows`, by number of column; genes are text."""
    people = list(layout.people)
    try:
        with open_text(path) as handle:
            table = pd.read_csv(
                handle,
                sep=layout.separator,
                header=None,
                skiprows=layout.skipped,
                nrows=rows,
                dtype={layout.gene: str},
                keep_default_na=False,
                na_values=dict.fromkeys([*people, *layout.unnamed], MISSING),
            )
    except pd.errors.EmptyDataError:
        raise InputError("a header and no gene", where=path, fix="Give one row a gene.") from None
    except (pd.errors.ParserError, ValueError, OverflowError) as error:
        raise InputError(f"not a table of expression ({error})", where=path, fix="Give BED, GCT or TSV.") from None
    for column in layout.unnamed:
        if table[column].notna().any():
            raise InputError(f"column {column + 1} has values and no name", where=path, fix="Name it in the header.")
    if rows is None and layout.rows is not None and len(table) != layout.rows:
        what = f"{len(table):,} genes, where its head says {layout.rows:,}"
        raise InputError(what, where=path, fix="Fetch it again, or correct its second line.")
    if rows is None and len(table) and table[people[-1]].isna().iloc[-1] and not ends_with_line(path):
        raise InputError("cut short in its last line", where=path, fix="Fetch or write it again.")
    return table


def _numbers(table: pd.DataFrame, layout: Layout, path: Path) -> pd.DataFrame:
    """Return the columns of samples as numbers, by their names."""
    columns = {}
    for column, name in layout.people.items():
        values = table[column]
        if values.dtype == bool:
            values = values.astype(str)
        try:
            columns[name] = pd.to_numeric(values).to_numpy(float)
        except (ValueError, TypeError):
            bad = values[pd.to_numeric(values, errors="coerce").isna() & values.notna()].iloc[0]
            raise InputError(
                f"column {name!r} holds {str(bad)!r}, which is no number",
                where=path,
                fix="Drop columns that are no samples, or name one about genes as usual (strand, symbol ...).",
            ) from None
    return pd.DataFrame(columns, index=table.index)


def _require_unique(values: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Stop where a gene comes twice."""
    twice = values.index[values.index.duplicated()].unique()
    if len(twice):
        raise InputError(
            f"{len(twice):,} genes come twice with different values: {', '.join(twice[:NAMED])}",
            where=path,
            fix="Give one row a gene.",
        )


def without_version(gene: str) -> str:
    """Return an Ensembl id without its version (`ENSG00000012048.23` is `ENSG00000012048`) or the name behind it (`|`)."""
    return VERSION.sub(r"\1", gene.partition("|")[0]) if gene.startswith("ENS") else gene


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


def in_several_versions(found: Iterable[str], annotated: Iterable[str]) -> list[str]:
    """Return the ids of a matrix that `match_genes` leaves out as they are versions of one annotated gene."""
    found, bare = list(found), {without_version(gene) for gene in annotated}
    exact = set(annotated)
    times = Counter(map(without_version, found))
    known = {without_version(name) for name in found if name in exact}
    return [n for n in found if times[b := without_version(n)] > 1 and b in bare and b not in known]

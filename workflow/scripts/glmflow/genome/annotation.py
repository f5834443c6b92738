"""Genes and their exons from GTF, as Ensembl and GENCODE write it."""

from __future__ import annotations

import gzip
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs

log = logging.getLogger(__name__)

GENE_COLUMNS = ["gene_id", "gene_name", "chrom", "start", "end", "strand", "tss"]
EXON_COLUMNS = ["gene_id", "chrom", "start", "end", "strand"]
_ATTRIBUTE = re.compile(r'\b(gene_id|gene_name) (?:"([^"]*)"|([^\s;]+))')


class Annotation(NamedTuple):
    """Genes, the exons of each, and the lines of the file that told of neither."""

    genes: pd.DataFrame
    exons: pd.DataFrame
    skipped: dict[str, int]


class _Line(NamedTuple):
    """One gene, transcript or exon."""

    number: int
    feature: str
    gene_id: str
    gene_name: str | None
    chrom: str
    start: int
    end: int
    strand: str


def read_genes(gtf: str | os.PathLike[str] | None, contigs: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the genes of an annotation: `read_annotation` without its exons."""
    return read_annotation(gtf, contigs).genes


def read_exons(gtf: str | os.PathLike[str] | None, contigs: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the exons of every gene of an annotation: `read_annotation` without its genes."""
    return read_annotation(gtf, contigs).exons


def read_annotation(gtf: str | os.PathLike[str] | None, contigs: Mapping[str, int] | None = None) -> Annotation:
    """Read genes and exons.

    A gene reaches as far as its `gene` line says or, where it has none, its transcripts and exons.

    Parameters
    ----------
    gtf
        GTF file, plain or gzip; None where there is no annotation, which is an empty one.
    contigs
        Length in bases of every contig of the genome: names are mapped to it (chr1 or 1), and what lies on other
        contigs is left out. Names are kept as they are without it.

    Returns
    -------
    genes : DataFrame
        `gene_id`, `gene_name` (the id where it has none), `chrom`, `start`, `end` (0-based half-open), `strand` (+ or
        -) and `tss`, the 0-based position of the 5' base; sorted by position, contigs in the genome's order.
    exons : DataFrame
        `gene_id`, `chrom`, `start`, `end`, `strand`: the union of the exons of each gene, sorted and disjoint, genes in
        the order of `genes`.
    skipped : dict[str, int]
        Lines left out, by reason: `other_feature`, `no_gene_id`, `no_strand`, `other_contig`, and `several_places` (a
        gene id on more than one contig or strand).

    Raises
    ------
    InputError
        The file is missing or not GTF, has no gene, no contig of the genome, or a gene past the end of its contig.
    """
    if gtf is None:
        return Annotation(pd.DataFrame(columns=GENE_COLUMNS), pd.DataFrame(columns=EXON_COLUMNS), {})
    gtf = Path(gtf)
    skipped = Counter(other_feature=0, no_gene_id=0, no_strand=0, other_contig=0, several_places=0)
    lines = list(_on_contigs(list(_parse(gtf, skipped)), contigs, gtf, skipped))
    lines = list(_in_one_place(lines, skipped))
    if not lines:
        raise InputError("no gene, transcript or exon line that can be used", where=gtf, mend="Give a GTF of genes.")
    order = {chrom: number for number, chrom in enumerate(contigs or dict.fromkeys(line.chrom for line in lines))}
    genes = _genes(lines, order)
    left_out = {reason: count for reason, count in skipped.items() if count and reason != "other_feature"}
    if left_out:
        log.warning("%s: lines left out: %s", gtf, ", ".join(f"{count} {reason}" for reason, count in left_out.items()))
    return Annotation(genes, _exons(lines, genes), dict(skipped))


def _parse(gtf: Path, skipped: Counter) -> Iterator[_Line]:
    """Yield the lines that tell of a gene with an id and a strand."""
    try:
        with gtf.open("rb") as handle:
            packed = handle.read(2) == b"\x1f\x8b"
        with (gzip.open if packed else open)(gtf, "rt", encoding="utf-8", errors="replace") as handle:
            for number, text in enumerate(handle, 1):
                if text.startswith("#") or not text.strip():
                    continue
                columns = text.rstrip("\n").split("\t")
                if len(columns) < 9 or not (columns[3].isdecimal() and columns[4].isdecimal()):
                    raise InputError("not a line of GTF", where=f"{gtf}:{number}", mend="Give nine columns.")
                chrom, _, feature, first, last, _, strand, _, attributes = columns[:9]
                if feature not in ("gene", "transcript", "exon"):
                    skipped["other_feature"] += 1
                    continue
                names = {key: sys.intern(quoted or bare) for key, quoted, bare in _ATTRIBUTE.findall(attributes)}
                start, end = int(first) - 1, int(last)
                if not 0 <= start < end:
                    raise InputError(f"{first} to {last} is no interval", where=f"{gtf}:{number}", mend="Correct it.")
                if not names.get("gene_id"):
                    skipped["no_gene_id"] += 1
                elif strand not in ("+", "-"):
                    skipped["no_strand"] += 1
                else:
                    yield _Line(
                        number, feature, names["gene_id"], names.get("gene_name"), sys.intern(chrom), start, end, strand
                    )
    except FileNotFoundError:
        raise InputError("no such GTF file", where=gtf, mend="Check the path.") from None
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read ({error})", where=gtf, mend="Fetch it again.") from error


def _on_contigs(lines: list[_Line], contigs: Mapping[str, int] | None, gtf: Path, skipped: Counter) -> Iterable[_Line]:
    """Yield the lines on contigs of the genome, under its names."""
    if contigs is None or not lines:
        yield from lines
        return
    ours = {name: chrom for chrom, name in match_contigs(contigs, (line.chrom for line in lines), where=gtf).items()}
    for line in lines:
        if (chrom := ours.get(line.chrom)) is None:
            skipped["other_contig"] += 1
        elif line.end > contigs[chrom]:
            raise InputError(
                f"gene {line.gene_id} ends at {line.end:,}, past the end of {chrom} ({contigs[chrom]:,} bases)",
                where=f"{gtf}:{line.number}",
                mend="Give the annotation of the genome's own build.",
            )
        else:
            yield line._replace(chrom=chrom)


def _in_one_place(lines: list[_Line], skipped: Counter) -> Iterator[_Line]:
    """Yield the lines of genes that lie on one strand of one contig."""
    places: dict[str, set[tuple[str, str]]] = {}
    for line in lines:
        places.setdefault(line.gene_id, set()).add((line.chrom, line.strand))
    for line in lines:
        if len(places[line.gene_id]) == 1:
            yield line
        else:
            skipped["several_places"] += 1


def _genes(lines: list[_Line], order: Mapping[str, int]) -> pd.DataFrame:
    """Return one row a gene."""
    table = pd.DataFrame(lines).drop(columns="number")
    # A gene's own line counts alone where there is one.
    own = table["feature"] == "gene"
    table = table[own | ~table["gene_id"].isin(table.loc[own, "gene_id"])]
    genes = table.groupby("gene_id", as_index=False, sort=False).agg(
        gene_name=("gene_name", "first"),
        chrom=("chrom", "first"),
        start=("start", "min"),
        end=("end", "max"),
        strand=("strand", "first"),
    )
    genes["gene_name"] = genes["gene_name"].fillna(genes["gene_id"])
    genes["tss"] = np.where(genes["strand"] == "+", genes["start"], genes["end"] - 1)
    place = genes["chrom"].map(order)
    genes = genes.iloc[np.lexsort((genes["gene_id"], genes["end"], genes["start"], place))]
    return genes.reset_index(drop=True)[GENE_COLUMNS]


def _exons(lines: list[_Line], genes: pd.DataFrame) -> pd.DataFrame:
    """Return the union of the exons of every gene."""
    exons = pd.DataFrame([line for line in lines if line.feature == "exon"], columns=_Line._fields)
    order = {gene: number for number, gene in enumerate(genes["gene_id"])}
    gene = exons["gene_id"].map(order).to_numpy(np.int64)
    by_gene = np.lexsort((exons["start"], gene))
    exons, gene = exons.iloc[by_gene], gene[by_gene]
    start, end = exons["start"].to_numpy(np.int64), exons["end"].to_numpy(np.int64)
    # Laid out one gene behind another, an exon opens a stretch where none before it reaches.
    shift = gene * (int(end.max(initial=0)) + 1)
    reached = np.maximum.accumulate(end + shift) if len(end) else end
    opens = np.append(True, (start + shift)[1:] > reached[:-1])[: len(start)]
    first = np.flatnonzero(opens)
    union = exons.iloc[first].reset_index(drop=True)
    union["end"] = np.maximum.reduceat(end, first) if len(first) else end
    return union[EXON_COLUMNS]

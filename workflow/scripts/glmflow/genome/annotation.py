"""Genes and their exons from GTF, as Ensembl and GENCODE write it."""

from __future__ import annotations

import gzip
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

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


@dataclass(slots=True)
class _Gene:
    """What the lines of one gene say, as it grows."""

    gene_id: str
    chrom: str
    strand: str
    start: int
    end: int
    number: int  # of the line that reaches furthest
    name: str | None = None
    has_own_line: bool = False
    in_one_place: bool = True
    lines: int = 0
    exons: set[tuple[int, int]] = field(default_factory=set)

    def add(self, feature: str, number: int, chrom: str, start: int, end: int, strand: str, name: str | None) -> None:
        """Take in one line."""
        self.lines += 1
        self.name = self.name or name
        self.in_one_place &= (chrom, strand) == (self.chrom, self.strand)
        if feature == "exon":
            self.exons.add((start, end))
        own = feature == "gene"
        if own and not self.has_own_line:
            self.start, self.end, self.number, self.has_own_line = start, end, number, True
        elif own == self.has_own_line:
            self.start = min(self.start, start)
            if end > self.end:
                self.end, self.number = end, number


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
    found = _on_contigs(_in_one_place(_collect(gtf, skipped), skipped), contigs, gtf, skipped)
    if not found:
        raise InputError("no gene, transcript or exon line that can be used", where=gtf, mend="Give a GTF of genes.")
    order = {chrom: number for number, chrom in enumerate(contigs or dict.fromkeys(gene.chrom for gene in found))}
    found.sort(key=lambda gene: (order[gene.chrom], gene.start, gene.end, gene.gene_id))
    left_out = {reason: count for reason, count in skipped.items() if count and reason != "other_feature"}
    if left_out:
        log.warning("%s: lines left out: %s", gtf, ", ".join(f"{count} {reason}" for reason, count in left_out.items()))
    return Annotation(_genes(found), _exons(found), dict(skipped))


def _collect(gtf: Path, skipped: Counter) -> list[_Gene]:
    """Gather the lines that have a gene id and a strand by gene."""
    genes: dict[str, _Gene] = {}
    for number, columns in _lines(gtf):
        chrom, _, feature, first, last, _, strand, _, attributes = columns[:9]
        if feature not in ("gene", "transcript", "exon"):
            skipped["other_feature"] += 1
            continue
        names = {key: quoted or bare for key, quoted, bare in _ATTRIBUTE.findall(attributes)}
        start, end, gene_id = int(first) - 1, int(last), names.get("gene_id")
        if not 0 <= start < end:
            raise InputError(f"{first} to {last} is no interval", where=f"{gtf}:{number}", mend="Correct it.")
        if not gene_id:
            skipped["no_gene_id"] += 1
        elif strand not in ("+", "-"):
            skipped["no_strand"] += 1
        else:
            gene = genes.get(gene_id) or _Gene(gene_id, chrom, strand, start, end, number)
            gene.add(feature, number, chrom, start, end, strand, names.get("gene_name"))
            genes[gene_id] = gene
    return list(genes.values())


def _lines(gtf: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the columns of every line that is no comment."""
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
                yield number, columns
    except FileNotFoundError:
        raise InputError("no such GTF file", where=gtf, mend="Check the path.") from None
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read ({error})", where=gtf, mend="Fetch it again.") from error


def _in_one_place(genes: list[_Gene], skipped: Counter) -> list[_Gene]:
    """Return the genes that lie on one strand of one contig."""
    skipped["several_places"] += sum(gene.lines for gene in genes if not gene.in_one_place)
    return [gene for gene in genes if gene.in_one_place]


def _on_contigs(genes: list[_Gene], contigs: Mapping[str, int] | None, gtf: Path, skipped: Counter) -> list[_Gene]:
    """Return the genes on contigs of the genome, under its names."""
    if contigs is None or not genes:
        return genes
    ours = {name: chrom for chrom, name in match_contigs(contigs, (gene.chrom for gene in genes), where=gtf).items()}
    kept = []
    for gene in genes:
        if gene.chrom not in ours:
            skipped["other_contig"] += gene.lines
            continue
        gene.chrom = ours[gene.chrom]
        if gene.end > contigs[gene.chrom]:
            raise InputError(
                f"gene {gene.gene_id} ends at {gene.end:,}, past the end of {gene.chrom}"
                f" ({contigs[gene.chrom]:,} bases)",
                where=f"{gtf}:{gene.number}",
                mend="Give the annotation of the genome's own build.",
            )
        kept.append(gene)
    return kept


def _genes(genes: list[_Gene]) -> pd.DataFrame:
    """Return one row a gene."""
    return pd.DataFrame(
        [
            (
                *(gene.gene_id, gene.name or gene.gene_id, gene.chrom, gene.start, gene.end, gene.strand),
                gene.start if gene.strand == "+" else gene.end - 1,
            )
            for gene in genes
        ],
        columns=GENE_COLUMNS,
    )


def _exons(genes: list[_Gene]) -> pd.DataFrame:
    """Return the union of the exons of every gene."""
    rows = []
    for gene in genes:
        union: list[list[int]] = []
        for start, end in sorted(gene.exons):
            if union and start <= union[-1][1]:
                union[-1][1] = max(union[-1][1], end)
            else:
                union.append([start, end])
        rows += [(gene.gene_id, gene.chrom, start, end, gene.strand) for start, end in union]
    return pd.DataFrame(rows, columns=EXON_COLUMNS)

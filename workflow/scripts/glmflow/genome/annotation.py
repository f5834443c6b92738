"""Genes and their exons from an annotation, GTF or GFF3."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.gene_lines import GeneLine, GeneLines

log = logging.getLogger(__name__)

GENE_COLUMNS = ["gene_id", "gene_name", "chrom", "start", "end", "strand", "tss"]
EXON_COLUMNS = ["gene_id", "chrom", "start", "end", "strand"]
OVER_ORIGIN = 2
"""Genes at most that lie over the origin of a circular contig: one a strand."""
CIRCULAR = re.compile(r"(chr)?(M|MT|Mt|Mito|Pt|PT|Pltd|Chloroplast)|[A-Z]{1,4}_?[A-Z]{0,4}\d{5,}(\.\d+)?")
"""Names of contigs that may be circular: organelles, and accession numbers (bacteria, plasmids)."""


class Annotation(NamedTuple):
    """Genes, the exons of each, and the lines of the file that say neither."""

    genes: pd.DataFrame
    exons: pd.DataFrame
    skipped: dict[str, int]


@dataclass(slots=True)
class _Span:
    """A stretch of a contig, and the line that ends it."""

    start: int
    end: int
    number: int
    exon_numbers: set[str] | None = None

    def extend(self, line: GeneLine) -> None:
        self.start = min(self.start, line.start)
        if line.end > self.end:
            self.end, self.number = line.end, line.number


@dataclass(slots=True)
class _Gene:
    """What the lines of one gene on one strand of a contig say, as it grows."""

    gene_id: str
    chrom: str
    strand: str
    name: str | None = None
    lines: int = 0
    own: list[_Span] = field(default_factory=list)  # by its own lines
    transcripts: list[_Span] = field(default_factory=list)  # where it has none
    runs: dict[str | None, list[_Span]] = field(
        default_factory=dict
    )  # of exons, by transcript, where there are neither
    exons: set[tuple[int, int]] = field(default_factory=set)

    def add(self, line: GeneLine) -> None:
        """Take in one line."""
        self.lines += 1
        self.name = self.name or line.name
        if line.feature == "exon":
            self.exons.add((line.start, line.end))
        if line.feature == "gene":
            self.own.append(_Span(line.start, line.end, line.number))
        elif line.feature == "transcript" and not self.own:
            self.transcripts.append(_Span(line.start, line.end, line.number))
        elif line.feature == "exon" and not self.own and not self.transcripts:
            self._extend_run(line)

    def _extend_run(self, line: GeneLine) -> None:
        """Let a transcript reach over an exon; a number that it has already begins a further copy of it."""
        transcript, number = line.part()
        runs = self.runs.setdefault(transcript, [])
        if not runs or (number and number in (runs[-1].exon_numbers or ())):
            runs.append(_Span(line.start, line.end, line.number, set()))
        else:
            runs[-1].extend(line)
        if number:
            runs[-1].exon_numbers.add(number)  # type: ignore[union-attr]

    def places(self) -> list[_Span]:
        """Return the stretches that its lines cover, those that overlap as one; more than one are copies of it."""
        spans = self.own or self.transcripts or [span for runs in self.runs.values() for span in runs]
        merged: list[_Span] = []
        for span in sorted(spans, key=lambda span: (span.start, span.end)):
            if merged and span.start < merged[-1].end:
                if span.end > merged[-1].end:
                    merged[-1].end, merged[-1].number = span.end, span.number
            else:
                merged.append(_Span(span.start, span.end, span.number))
        return merged


class _Placed(NamedTuple):
    """A gene that lies in one place."""

    gene: _Gene
    chrom: str  # by the genome's name
    start: int
    end: int
    number: int


def read_genes(gtf: str | os.PathLike[str] | None, contigs: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the genes of an annotation: `read_annotation` without its exons."""
    return read_annotation(gtf, contigs).genes


def read_exons(gtf: str | os.PathLike[str] | None, contigs: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return the exons of every gene of an annotation: `read_annotation` without its genes."""
    return read_annotation(gtf, contigs).exons


def read_annotation(gtf: str | os.PathLike[str] | None, contigs: Mapping[str, int] | None = None) -> Annotation:
    """Return genes and exons of an annotation.

    A gene reaches as far as its `gene` line says or, where it has none (UCSC), its transcripts, else its exons. One id in
    several places (the copies of a gene that UCSC gives one id, pseudoautosomal genes) names no gene: all are left out.

    Parameters
    ----------
    gtf
        GTF or GFF3, plain or gzip; None where there is no annotation, which is an empty one.
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
        Lines left out, by reason: `other_feature`, `no_gene_id`, `no_strand`, `other_contig`, `several_places` (a gene
        id on more than one contig or strand, or in stretches that do not overlap) and `over_origin` (a gene that a
        circular contig has across its ends).

    Raises
    ------
    InputError
        The file is missing or neither GTF nor GFF3, has no gene, no contig of the genome, or genes past the end of one.
    """
    if gtf is None:
        return Annotation(pd.DataFrame(columns=GENE_COLUMNS), pd.DataFrame(columns=EXON_COLUMNS), {})
    path = Path(gtf)
    reasons = ("other_feature", "no_gene_id", "no_strand", "other_contig", "several_places", "over_origin")
    skipped = Counter(dict.fromkeys(reasons, 0))
    lines = GeneLines(path, skipped)
    genes = _collect(lines)
    found = _in_one_place(_on_contigs(genes, contigs, path, skipped), skipped)
    if contigs is not None:
        found = _within(found, contigs, lines.circular, path, skipped)
    left_out = ", ".join(
        f"{count} {reason}" for reason, count in skipped.items() if count and reason != "other_feature"
    )
    if not found:
        what = "no gene, transcript or exon line that can be used"
        raise InputError(
            f"{what}; left out: {left_out}" if left_out else what, where=path, fix="Give a GTF or GFF3 of genes."
        )
    order = {chrom: number for number, chrom in enumerate(contigs or dict.fromkeys(gene.chrom for gene in found))}
    found.sort(key=lambda gene: (order[gene.chrom], gene.start, gene.end, gene.gene.gene_id))
    if left_out:
        log.warning("%s: lines left out: %s", path, left_out)
    return Annotation(_genes(found), _exons(found), dict(skipped))


def _collect(lines: Iterable[GeneLine]) -> list[_Gene]:
    """Gather lines by gene, contig and strand."""
    genes: dict[tuple[str, str, str], _Gene] = {}
    for line in lines:
        key = line.gene_id, line.chrom, line.strand
        gene = genes.get(key)
        if gene is None:
            gene = genes[key] = _Gene(*key)
        gene.add(line)
    return list(genes.values())


def _on_contigs(
    genes: list[_Gene], contigs: Mapping[str, int] | None, path: Path, skipped: Counter
) -> list[tuple[_Gene, str]]:
    """Return the genes on contigs of the genome, each with the genome's name of its contig."""
    if contigs is None or not genes:
        return [(gene, gene.chrom) for gene in genes]
    matched = match_contigs(contigs, (gene.chrom for gene in genes), where=path)
    ours = {name: chrom for chrom, name in matched.items()}
    skipped["other_contig"] += sum(gene.lines for gene in genes if gene.chrom not in ours)
    return [(gene, ours[gene.chrom]) for gene in genes if gene.chrom in ours]


def _in_one_place(genes: list[tuple[_Gene, str]], skipped: Counter) -> list[_Placed]:
    """Return the genes whose lines lie in one stretch of one strand of one contig."""
    times = Counter(gene.gene_id for gene, _ in genes)
    found = []
    for gene, chrom in genes:
        places = gene.places()
        if times[gene.gene_id] == 1 == len(places):
            found.append(_Placed(gene, chrom, places[0].start, places[0].end, places[0].number))
        else:
            skipped["several_places"] += gene.lines
    return found


def _within(
    genes: list[_Placed], contigs: Mapping[str, int], circular: set[str], path: Path, skipped: Counter
) -> list[_Placed]:
    """Return the genes that end within their contig; leave out those over the origin of circular ones.

    GTF does not say which contigs are circular: there, a gene that begins on a contig with the name of an organelle or an
    accession number and ends behind it is taken for one over its origin, if there are no more than `OVER_ORIGIN` on it.
    """
    beyond = [gene for gene in genes if gene.end > contigs[gene.chrom]]
    often = Counter(gene.chrom for gene in beyond)
    for gene in beyond:
        length, name = contigs[gene.chrom], gene.gene.chrom
        likely = name in circular or (often[gene.chrom] <= OVER_ORIGIN and CIRCULAR.fullmatch(name))
        if not likely or gene.start >= length or gene.end - length > gene.start:
            raise InputError(
                f"gene {gene.gene.gene_id} ends at {gene.end:,}, past the end of {gene.chrom} ({length:,} bases)",
                where=f"{path}:{gene.number}",
                fix="Give the annotation of the genome's own build.",
            )
    if beyond:
        names = some(gene.gene.gene_id for gene in beyond)
        log.warning("%s: over the origin of a circular contig, left out: %s", path, names)
        skipped["over_origin"] += sum(gene.gene.lines for gene in beyond)
    return [gene for gene in genes if gene.end <= contigs[gene.chrom]]


def _genes(genes: Sequence[_Placed]) -> pd.DataFrame:
    """Return one row a gene."""
    return pd.DataFrame(
        [
            (
                *(at.gene.gene_id, at.gene.name or at.gene.gene_id, at.chrom, at.start, at.end, at.gene.strand),
                at.start if at.gene.strand == "+" else at.end - 1,
            )
            for at in genes
        ],
        columns=GENE_COLUMNS,
    )


def _exons(genes: Sequence[_Placed]) -> pd.DataFrame:
    """Return the union of the exons of every gene."""
    rows = []
    for at in genes:
        union: list[list[int]] = []
        for start, end in sorted(at.gene.exons):
            if union and start <= union[-1][1]:
                union[-1][1] = max(union[-1][1], end)
            else:
                union.append([start, end])
        rows += [(at.gene.gene_id, at.chrom, start, end, at.gene.strand) for start, end in union]
    return pd.DataFrame(rows, columns=EXON_COLUMNS)

"""Genes along a contig: where they lie, their promoters, and how they are written down."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glmflow.config.simulation_settings import GeneSettings

GENE_COLUMNS = ["gene_id", "gene_name", "gene_type", "chrom", "start", "end", "strand", "tss"]
EXON_COLUMNS = ["gene_id", "chrom", "start", "end", "strand"]
PSEUDO_GENE_BP = (600, 900)


def place_genes(
    chrom: str, length: int, settings: GeneSettings, upstream_bp: int, prefix: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Place one gene in every stretch of `spacing_bp`, on a random strand, with room for its promoter.

    Parameters
    ----------
    chrom, length
        The contig and its length in bp.
    upstream_bp
        Room kept free upstream of each gene.
    prefix
        Start of the gene ids.

    Returns
    -------
    genes, exons
        One row a gene and one row an exon (0-based half-open), in genome order.
    """
    genes, exons = [], []
    for number, slot in enumerate(range(0, length - settings.spacing_bp + 1, settings.spacing_bp), 1):
        span = int(rng.integers(settings.span_bp[0], settings.span_bp[1] + 1))
        strand = "+-"[rng.integers(2)]
        room = settings.spacing_bp - span - upstream_bp
        start = slot + int(rng.integers(room + 1)) + (upstream_bp if strand == "+" else 0)
        name = f"{prefix}{number:04d}"
        tss = start if strand == "+" else start + span - 1
        genes.append((name, name, "protein_coding", chrom, start, start + span, strand, tss))
        for left, right in _draw_exons(span, settings, rng):
            if strand == "-":
                left, right = span - right, span - left
            exons.append((name, chrom, start + left, start + right, strand))
    exon_table = pd.DataFrame(exons, columns=EXON_COLUMNS).sort_values("start", ignore_index=True)
    return pd.DataFrame(genes, columns=GENE_COLUMNS), exon_table


def _draw_exons(span: int, settings: GeneSettings, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Cut a transcript of `span` bp into exons, in its own direction; the last one takes what is left."""
    exons, position = [], 0
    while True:
        end = position + int(rng.integers(settings.exon_bp[0], settings.exon_bp[1] + 1))
        longest_intron = min(settings.intron_bp[1], span - end - settings.exon_bp[0])
        if longest_intron < settings.intron_bp[0]:
            return [*exons, (position, span)]
        exons.append((position, end))
        position = end + int(rng.integers(settings.intron_bp[0], longest_intron + 1))


def place_pseudo_genes(
    chrom: str, occupied: np.ndarray, spacing_bp: int, upstream_bp: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Place a gene of one exon in every stretch of `spacing_bp` that has room for it and its promoter.

    Parameters
    ----------
    chrom
        The contig.
    occupied
        bool[length]: bases that neither gene nor promoter may take.
    upstream_bp
        Length of the promoter.

    Returns
    -------
    genes, exons
        One row a gene and one row an exon (0-based half-open), in genome order.
    """
    genes, exons = [], []
    shortest, longest = PSEUDO_GENE_BP
    longest = min(longest, spacing_bp - upstream_bp)
    for number, slot in enumerate(range(0, len(occupied) - spacing_bp + 1, spacing_bp), 1):
        span = int(rng.integers(shortest, longest + 1))
        strand = "+-"[rng.integers(2)]
        first = slot + int(rng.integers(spacing_bp - span - upstream_bp + 1))
        if occupied[first : first + span + upstream_bp].any():
            continue
        start = first + (upstream_bp if strand == "+" else 0)
        name = f"pseudo_{chrom}_{number:05d}"
        tss = start if strand == "+" else start + span - 1
        genes.append((name, name, "simulated", chrom, start, start + span, strand, tss))
        exons.append((name, chrom, start, start + span, strand))
    return pd.DataFrame(genes, columns=GENE_COLUMNS), pd.DataFrame(exons, columns=EXON_COLUMNS)


def exon_spans(exons: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the exons of each gene, in genome order: gene id -> int64[exons, 2]."""
    order = np.lexsort([exons["start"].to_numpy()])
    ids, spans = exons["gene_id"].to_numpy()[order], exons[["start", "end"]].to_numpy()[order]
    found: dict[str, list[np.ndarray]] = {}
    for gene, span in zip(ids, spans, strict=True):
        found.setdefault(gene, []).append(span)
    return {gene: np.stack(rows) for gene, rows in found.items()}


def gtf_lines(genes: pd.DataFrame, exons: pd.DataFrame, source: str) -> list[str]:
    """Return gene, transcript and exon lines (1-based closed) of genes with one transcript each."""
    lines = []
    spans_of = exon_spans(exons)
    for gene in genes.itertuples():

        def line(feature: str, start: int, end: int, attributes: str, gene=gene) -> str:
            names = f'gene_id "{gene.gene_id}"; gene_name "{gene.gene_name}"; gene_type "{gene.gene_type}";'
            place = f"{gene.chrom}\t{source}\t{feature}\t{start + 1}\t{end}\t.\t{gene.strand}\t."
            return f"{place}\t{names}{attributes}"

        transcript = f' transcript_id "{gene.gene_id}.t1";'
        lines.append(line("gene", gene.start, gene.end, ""))
        lines.append(line("transcript", gene.start, gene.end, transcript))
        spans = spans_of[gene.gene_id]
        for number, (start, end) in enumerate(spans if gene.strand == "+" else spans[::-1], 1):
            lines.append(line("exon", start, end, f"{transcript} exon_number {number};"))
    return lines

"""Which genes the genome browser shows, with the sequence and the annotation around them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from pyfaidx import Fasta

from glmflow.report.data_uris import data_uri
from glmflow.report.run_folder import RunFolder

from .signal_slices import Region, RunName

SEQUENCE_BUDGET = 600_000
"""Characters of a page that the sequence may take."""
NEIGHBOUR = 100_000
"""Bases of the largest gap between slices of a contig that is filled with N."""


def choose_genes(genes: pd.DataFrame, first: tuple[str, ...], number: int) -> pd.DataFrame:
    """Return the genes to show, not only the ones that look good.

    Parameters
    ----------
    genes
        gene_id gene_name chrom start end strand observed error; one row a gene.
    first
        Ids or names that are shown whatever their error.
    number
        How many genes.

    Returns
    -------
    DataFrame
        `first`, then genes spaced evenly from the smallest to the largest error among those with at least the median
        signal (of genes with any).
    """
    asked = genes[genes["gene_id"].isin(first) | genes["gene_name"].isin(first)].head(number)
    rest = genes.drop(asked.index)
    signal = rest["observed"]
    rest = rest[signal >= signal[signal > 0].median()] if (signal > 0).any() else rest
    rest = rest.sort_values(["error", "gene_id"])
    wanted = min(number - len(asked), len(rest))
    places = np.unique(np.linspace(0, len(rest) - 1, wanted).round().astype(int)) if wanted > 0 else []
    return pd.concat([asked, rest.iloc[places]])


def not_among(genes: pd.DataFrame, asked: tuple[str, ...]) -> list[str]:
    """Return the ids or names that none of the genes has."""
    known = {*genes["gene_id"], *genes["gene_name"]}
    return [name for name in asked if name not in known]


def regions_around(genes: pd.DataFrame, contigs: Mapping[str, int], flank: float = 0.25) -> list[Region]:
    """Return the genes with a flank of a quarter of their length (at least 1 kb) each side, merged and sorted."""
    regions: list[Region] = []
    for gene in genes.sort_values(["chrom", "start"]).itertuples():
        width = max(1_000, int(flank * (gene.end - gene.start)))
        start, end = max(0, gene.start - width), min(contigs[gene.chrom], gene.end + width)
        if regions and regions[-1][0] == gene.chrom and start <= regions[-1][2]:
            regions[-1] = (gene.chrom, regions[-1][1], max(end, regions[-1][2]))
        else:
            regions.append((gene.chrom, start, end))
    return regions


def slice_sequence(
    genome: Path | None, regions: list[Region], contigs: Mapping[str, int], budget: int = SEQUENCE_BUDGET
) -> str:
    """Return the sequence of the regions as a gzipped FASTA in a data URI, with headers as igv.js wants them.

    The header `>chr1:101-200 @len=5000` (1-based, inclusive) says which part of a contig of which length follows.
    Without a genome, or over the budget of characters, the bases are written as N.
    """
    if genome is not None:
        with Fasta(str(genome), as_raw=True, sequence_always_upper=True) as fasta:
            uri = _fasta_uri(regions, [fasta[chrom][start:end] for chrom, start, end in regions], contigs)
        if len(uri) <= budget:
            return uri
    return _fasta_uri(regions, ["N" * (end - start) for _, start, end in regions], contigs)


def gene_features(genes: pd.DataFrame, exons: pd.DataFrame, regions: list[Region]) -> list[dict]:
    """Return the genes that touch the regions as igv.js features, with their exons where known."""
    blocks = dict(list(exons.groupby("gene_id"))) if len(exons) else {}
    features = []
    for gene in genes.itertuples():
        if not any(gene.chrom == chrom and gene.start < end and gene.end > start for chrom, start, end in regions):
            continue
        feature = {
            "chr": gene.chrom, "start": int(gene.start), "end": int(gene.end), "strand": gene.strand,
            "name": gene.gene_name, "id": gene.gene_id,
        }  # fmt: skip
        if gene.gene_id in blocks:
            ordered = blocks[gene.gene_id].sort_values("start")
            feature["exons"] = [{"start": int(s), "end": int(e)} for s, e in zip(ordered["start"], ordered["end"])]
        features.append(feature)
    return features


def predicted_tracks(run: RunFolder) -> dict[str, Path]:
    """Return the predicted bigWigs of a run by track."""
    return {path.stem: path for path in sorted((run.folder / "predicted").glob("*.bw"))}


def shown_runs(runs: tuple[RunFolder, ...]) -> list[RunFolder]:
    """Return the runs of a task that predicted tracks: of each model x adaptation the one of the lowest seed."""
    chosen: dict[RunName, RunFolder] = {}
    for run in runs:
        known = chosen.get(run.name)
        if predicted_tracks(run) and (known is None or run.seed < known.seed):
            chosen[run.name] = run
    return list(chosen.values())


def _fasta_uri(regions: list[Region], sequences: list[str], contigs: Mapping[str, int]) -> str:
    """Return a gzipped FASTA as a data URI.

    Gaps of less than `NEIGHBOUR` are filled with N: igv.js asks for more than it shows, and takes the first slice that
    touches what it asked for, which must not be a neighbour's.
    """
    records: list[tuple[str, int, str]] = []
    for (chrom, start, _), sequence in zip(regions, sequences, strict=True):
        if records and records[-1][0] == chrom:
            _, first, before = records[-1]
            gap = start - first - len(before)
            if gap < NEIGHBOUR:
                records[-1] = (chrom, first, before + "N" * gap + sequence)
                continue
        records.append((chrom, start, sequence))
    text = "".join(
        f">{chrom}:{start + 1}-{start + len(sequence)} @len={contigs[chrom]}\n{sequence}\n"
        for chrom, start, sequence in records
    )
    return data_uri(gzip.compress(text.encode(), 9, mtime=0), "application/gzip")

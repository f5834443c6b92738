"""Baselines of the track task: each returns a function that predicts coverage over any region."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.genome.reference import Reference
from glmflow.tracks.reading import TrackReader

from .kmers import kmer_counts
from .ridge import Ridge

Predict = Callable[[str, int, int], NDArray[np.float32]]
"""`(chrom, start, end) -> [T, end - start]` coverage in the unit of the tracks."""


def mean_track(regions: pd.DataFrame, tracks: TrackReader) -> Predict:
    """Predict the mean of each track over the training regions at every base."""
    total, bases = 0.0, 0
    for region in regions.itertuples(index=False):
        total = total + tracks.read(region.chrom, region.start, region.end).sum(axis=1, dtype=np.float64)
        bases += region.end - region.start
    mean = (np.asarray(total) / bases).astype(np.float32)[:, None]
    return lambda chrom, start, end: np.repeat(mean, end - start, axis=1)


def kmer_ridge_bins(
    regions: pd.DataFrame, reference: Reference, tracks: TrackReader, k: int, size: int, alpha: float
) -> Predict:
    """Predict a bin's mean coverage from the k-mers of the bin and of its neighbours, by ridge on log(1 + coverage).

    Bins sit on a grid of the genome, so that overlapping windows see the same ones.
    """

    def features(chrom: str, first: int, last: int) -> NDArray[np.float32]:
        counts = kmer_counts(reference.fetch(chrom, (first - 1) * size, (last + 1) * size), k, size)
        return np.hstack([counts[:-2], counts[1:-1], counts[2:]])

    ridge: Ridge | None = None
    for region in regions.itertuples(index=False):
        for first in range(-(-region.start // size), region.end // size, CHUNK):
            last = min(first + CHUNK, region.end // size)
            coverage = tracks.read(region.chrom, first * size, last * size)
            targets = np.log1p(np.clip(coverage, 0, None).reshape(len(coverage), -1, size).mean(axis=2).T)
            ridge = ridge or Ridge(3 * 4**k, len(coverage), alpha)
            ridge.add(features(region.chrom, first, last), targets)
    if ridge is None:
        raise ValueError(f"no training region holds a whole bin of {size} bp")
    weights, intercept = ridge.solve()

    def predict(chrom: str, start: int, end: int) -> NDArray[np.float32]:
        first, last = start // size, -(-end // size)
        level = np.expm1(np.clip(features(chrom, first, last) @ weights + intercept, 0, None)).T
        return np.repeat(level, size, axis=1)[:, start - first * size : end - first * size].astype(np.float32)

    return predict


CHUNK = 4096


def kmer_ridge_promoter(
    genes: pd.DataFrame,
    exons: pd.DataFrame,
    is_training: Sequence[bool],
    reference: Reference,
    tracks: TrackReader,
    settings: Mapping[str, Mapping[str, str]],
    k: int,
    length: int,
    alpha: float,
) -> Predict:
    """Predict every gene's exon mean from the k-mers upstream of its annotated TSS, laid over its annotated exons.

    It is given where promoters and exons are and on which strand, which a sequence model has to find out: at gene level
    it is hard to beat, and per base its exon edges are the true ones.
    """
    sequences = [promoter(gene, reference, length) for gene in genes.itertuples(index=False)]
    features = np.vstack([kmer_counts(sequence, k, length) for sequence in sequences])
    exons_of = dict(tuple(exons.groupby("gene_id")))
    parts = [exon_spans(gene, exons_of.get(gene.gene_id)) for gene in genes.itertuples(index=False)]
    strands = [track["strand"] for track in settings.values()]
    observed = np.array(
        [
            _exon_means(gene.chrom, spans, tracks) if train else np.zeros(len(strands))
            for gene, spans, train in zip(genes.itertuples(index=False), parts, is_training)
        ]
    )
    training = np.asarray(is_training, dtype=bool)
    level = np.zeros((len(genes), len(strands)), dtype=np.float32)
    gene_strand = genes["strand"].to_numpy()
    for index, strand in enumerate(strands):
        own = np.ones(len(genes), dtype=bool) if strand == "." else gene_strand == strand
        if (own & training).sum() < 2:
            continue
        ridge = Ridge(features.shape[1], 1, alpha)
        ridge.add(features[own & training], np.log1p(observed[own & training, index : index + 1]))
        weights, intercept = ridge.solve()
        level[own, index] = np.expm1(np.clip(features[own] @ weights + intercept, 0, None))[:, 0]
    spans = [(row, gene.chrom, *span) for row, gene in enumerate(genes.itertuples(index=False)) for span in parts[row]]
    painted = pd.DataFrame(spans, columns=["gene", "chrom", "start", "end"])

    def predict(chrom: str, start: int, end: int) -> NDArray[np.float32]:
        coverage = np.zeros((len(strands), end - start), dtype=np.float32)
        inside = painted[(painted["chrom"] == chrom) & (painted["start"] < end) & (painted["end"] > start)]
        for exon in inside.itertuples(index=False):
            coverage[:, max(0, exon.start - start) : exon.end - start] += level[exon.gene][:, None]
        return coverage

    return predict


def promoter(gene: Any, reference: Reference, length: int) -> NDArray[np.uint8]:
    """Return the `length` bases upstream of a gene's TSS, read along the gene."""
    if gene.strand == "-":
        sequence = reference.fetch(gene.chrom, gene.tss + 1, gene.tss + 1 + length)
        return reverse_complement(sequence)
    return reference.fetch(gene.chrom, gene.tss - length, gene.tss)


def exon_spans(gene: Any, exons: pd.DataFrame | None) -> list[tuple[int, int]]:
    """Return the exons of a gene, or its whole interval where none is annotated."""
    return [(gene.start, gene.end)] if exons is None else list(zip(exons["start"], exons["end"]))


def _exon_means(chrom: str, spans: Sequence[tuple[int, int]], tracks: TrackReader) -> NDArray[np.float64]:
    """Return the mean coverage over spans, `[T]`."""
    parts = [tracks.read(chrom, start, end) for start, end in spans]
    return np.concatenate(parts, axis=1).mean(axis=1, dtype=np.float64)

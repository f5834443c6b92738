"""RNA-seq coverage of genes by strand: its mean, replicates drawn from it, and bigWig files of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.bigwig import runs_of, write_bigwig
from glmflow.config.simulation_settings import TrackSettings
from glmflow.simulate.genes import exon_spans
from glmflow.simulate.motifs import DECIMALS

STRANDS = {"plus": "+", "minus": "-"}


@dataclass(frozen=True)
class Transcript:
    """The bases of a gene: its span and its exons' positions within the span, in genome order."""

    start: int
    end: int
    exonic: np.ndarray


def transcripts(genes: pd.DataFrame, exons: pd.DataFrame) -> list[Transcript]:
    """Return the transcript of each gene, which joins all of its exons."""
    spans_of = exon_spans(exons)
    return [
        Transcript(
            gene.start,
            gene.end,
            np.concatenate([np.arange(start, end) for start, end in spans_of[gene.gene_id] - gene.start]),
        )
        for gene in genes.itertuples()
    ]


def mean_coverage(transcript: Transcript, level: float, settings: TrackSettings) -> np.ndarray:
    """Return the expected coverage of a gene's span (float64[span]): reads start evenly along the transcript.

    `level` is the coverage away from the transcript's ends; unspliced transcripts add their share over the span.
    """
    return _cover(transcript, level, settings, lambda count, rate: np.full(count, rate)).round(DECIMALS)


def replicate_coverage(
    transcript: Transcript, level: float, settings: TrackSettings, rng: np.random.Generator
) -> np.ndarray:
    """Draw the coverage of one replicate: a log-normal level of mean `level`, and Poisson numbers of reads."""
    sd = settings.replicate_log_sd
    drawn = level * np.exp(rng.normal(0, sd) - sd**2 / 2)
    return _cover(transcript, drawn, settings, lambda count, rate: rng.poisson(rate, count))


def _cover(transcript: Transcript, level: float, settings: TrackSettings, starts) -> np.ndarray:
    span = transcript.end - transcript.start
    coverage = _pile(span, settings.unspliced_share * level, settings.read_bp, starts)
    coverage[transcript.exonic] += _pile(len(transcript.exonic), level, settings.read_bp, starts)
    return coverage


def _pile(length: int, level: float, read_bp: int, starts) -> np.ndarray:
    """Pile reads of `read_bp` up on `length` bases; `starts(count, rate)` gives the reads at each first base."""
    read_bp = min(read_bp, length)
    begun = np.zeros(length + read_bp)
    begun[: length - read_bp + 1] = starts(length - read_bp + 1, level / read_bp)
    running = np.cumsum(begun)
    running[read_bp:] -= running[:-read_bp].copy()
    return running[:length]


def merge(
    pieces: list[tuple[int, np.ndarray]],
) -> Iterator[tuple[int, np.ndarray]]:
    """Add up coverage of spans that overlap: yields (start, float64 values) of disjoint stretches, in order."""
    block: list[tuple[int, np.ndarray]] = []
    end = 0
    for start, values in sorted(pieces, key=lambda piece: piece[0]):
        if block and start > end:
            yield _added(block)
            block = []
        block.append((start, values))
        end = max(end, start + len(values))
    if block:
        yield _added(block)


def _added(block: list[tuple[int, np.ndarray]]) -> tuple[int, np.ndarray]:
    first = block[0][0]
    total = np.zeros(max(start + len(values) for start, values in block) - first)
    for start, values in block:
        total[start - first : start - first + len(values)] += values
    return first, total


def write_track(path: Path, contigs: dict[str, int], pieces: dict[str, list[tuple[int, np.ndarray]]]) -> None:
    """Write coverage of spans as a bigWig.

    Parameters
    ----------
    path
        The file.
    contigs
        Length of every contig, in bp.
    pieces
        By contig: (start, values) of spans; overlapping ones are added up.
    """
    spans = ((chrom, *span) for chrom in contigs for span in merge(pieces.get(chrom, [])))
    write_bigwig(
        path,
        contigs,
        (
            (chrom, *runs_of(np.arange(start, start + len(values)), values.astype(np.float32)))
            for chrom, start, values in spans
        ),
    )

"""A tuned track model on sequences it has not seen: a genome, parts of it, a sample's haplotypes, or variants."""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.intervals import Interval, read_intervals
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.genome.windows import tile
from glmflow.tracks.predictions import write_windows

from .applied_model import annotates, read_arguments, strictness
from .coverage_variants import annotate_variants
from .track_model import TrackModel, load_track_model

log = logging.getLogger(__name__)

N = ord("N")

Predict = Callable[[str, int, int], NDArray[np.float32]]
"""Coverage `[T, end - start]` of a stretch of the reference, in reference coordinates."""


def on_reference(tuned: TrackModel, genome: Reference) -> Predict:
    """Predict the reference itself."""
    return lambda chrom, start, end: tuned.coverage([genome.fetch(chrom, start, end)])[0]


def on_haplotypes(tuned: TrackModel, reader: HaplotypeReader, sample: str, haplotypes: Sequence[int]) -> Predict:
    """Predict a sample's haplotypes in reference coordinates, their mean where there are several.

    Inserted bases have no place in the reference and are left out; deleted bases have no coverage. A contig without
    variants is the reference.
    """
    genome = reader.reference

    def predict(chrom: str, start: int, end: int) -> NDArray[np.float32]:
        if chrom not in reader.store.contigs:
            return tuned.coverage([genome.fetch(chrom, start, end)])[0]
        left, right = max(start, 0), min(end, genome.contigs[chrom])
        total = np.zeros((len(tuned.tracks), end - start), np.float32)
        for haplotype in haplotypes:
            window = reader.region(sample, haplotype, chrom, left, right)
            before, after = np.full(left - start, N, np.uint8), np.full(end - right, N, np.uint8)
            predicted = tuned.coverage([np.concatenate([before, window.sequence, after])])[0]
            predicted = predicted[:, len(before) : len(before) + len(window.sequence)]
            placed = window.position >= 0
            total[:, window.position[placed] - start] += predicted[:, placed]
        return total / len(haplotypes)

    return predict


def windows_over(intervals: Sequence[Interval], tuned: TrackModel) -> list[tuple[str, int, int]]:
    """Return windows of the model's length whose bases that count cover all intervals, in the order of the intervals.

    They reach past the ends of a contig (into N) by what is not used at their ends, so that every base is covered.
    """
    found: dict[tuple[str, int, int], None] = {}
    for chrom, start, end, _ in intervals:
        first, last = start - tuned.trim, end + tuned.trim
        short = max(0, tuned.size - (last - first))
        first -= short // 2
        for offset in tile(max(last - first, tuned.size), tuned.size, tuned.overlap):
            found[chrom, first + int(offset), first + int(offset) + tuned.size] = None
    return list(found)


def write_tracks(
    tuned: TrackModel, predict: Predict, intervals: Sequence[Interval], contigs: Mapping[str, int], folder: Path
) -> None:
    """Write one bigWig a track into a folder; where windows overlap, their mean."""
    order = {chrom: place for place, chrom in enumerate(contigs)}
    windows = sorted(windows_over(intervals, tuned), key=lambda window: (order[window[0]], window[1]))

    def predictions() -> Iterator[tuple[str, int, int, NDArray[np.float32]]]:
        for done, (chrom, start, end) in enumerate(windows, start=1):
            yield chrom, start, end, predict(chrom, start, end)
            log.info("predicted %d of %d windows", done, len(windows))

    with atomic_path(folder) as temporary:
        temporary.mkdir()
        write_windows(predictions(), [temporary / f"{name}.bw" for name in tuned.tracks], contigs, trim=tuned.trim)


def interval_means(tuned: TrackModel, predict: Predict, intervals: Sequence[Interval]) -> pd.DataFrame:
    """Return the mean predicted coverage of each interval, `prediction_{track}`, one row an interval."""
    rows = []
    for done, (chrom, start, end, name) in enumerate(intervals, start=1):
        total, count = np.zeros((len(tuned.tracks), end - start)), np.zeros(end - start)
        for _, first, last in windows_over([(chrom, start, end, name)], tuned):
            used = slice(max(first + tuned.trim, start), min(last - tuned.trim, end))
            if used.start < used.stop:
                predicted = predict(chrom, first, last)[:, used.start - first : used.stop - first]
                total[:, used.start - start : used.stop - start] += predicted
                count[used.start - start : used.stop - start] += 1
        means = (total / count).mean(1)
        rows.append([chrom, start, end, name, *means])
        log.info("predicted %d of %d intervals", done, len(intervals))
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "name", *(f"prediction_{n}" for n in tuned.tracks)])


def apply_tracks(model: Path, arguments: argparse.Namespace, scratch: Path) -> Counter[Reason]:
    """Apply a track model; return how many alleles were scored, where variants are."""
    check_track_arguments(arguments)
    genome, output = Reference(arguments.fasta), arguments.output
    tuned = load_track_model(model)
    if annotates(arguments):
        how = strictness(arguments)
        return annotate_variants(tuned, genome, arguments.vcf, output, model, arguments.span, arguments.share, how)
    intervals = read_intervals(arguments.bed, genome.contigs)
    predict = on_reference(tuned, genome)
    if arguments.vcf:
        contigs = list(dict.fromkeys(interval[0] for interval in intervals)) if arguments.bed else None
        store = build_store(arguments.vcf, genome, scratch / "store", contigs=contigs, **read_arguments(arguments))
        print(f"{arguments.vcf}: {store.summary('all')}", file=sys.stderr)
        haplotypes = (arguments.haplotype,) if arguments.haplotype else (1, 2)
        predict = on_haplotypes(tuned, HaplotypeReader(store, genome), arguments.sample[0], haplotypes)
    if output.suffix == ".parquet":
        write_table(interval_means(tuned, predict, intervals), output)
    else:
        write_tracks(tuned, predict, intervals, genome.contigs, output)
    return Counter()


def check_track_arguments(arguments: argparse.Namespace) -> None:
    """Refuse arguments that a track model has no use for, or too few."""
    if arguments.genes or arguments.records_along or arguments.fasta.is_dir():
        fix = "Give a genome as --fasta, and neither --genes nor --records-along."
        raise InputError("a track model predicts a genome, not genes", where="--fasta", fix=fix)
    if not annotates(arguments) and arguments.vcf and not arguments.sample:
        fix = "Name a sample of the VCF, or write NAME.vcf.gz to score its variants."
        raise InputError("whose haplotypes?", where="--sample", fix=fix)
    if arguments.sample and len(arguments.sample) > 1:
        raise InputError("tracks are predicted of one sample", where="--sample", fix="Name one.")
    if arguments.sample and not arguments.vcf:
        raise InputError("a sample without genotypes", where="--sample", fix="Give the sample's phased --vcf.")
    if arguments.haplotype and not arguments.sample:
        raise InputError("--haplotype without a sample", where="--haplotype", fix="Give --vcf and --sample.")


APPLIES = {"track_windows": apply_tracks}

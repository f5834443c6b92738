"""What the genome browser page shows: which genes, and small slices of sequence and signal around them."""

from __future__ import annotations

import base64
import gzip
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
from pyfaidx import Fasta

from .inputs import ReportInputs, RunFolder

Region = tuple[str, int, int]
RunName = tuple[str, str, str]
SIGNAL_BUDGET = 14_000_000  # characters of base64: leaves room for igv.js and the sequence in a page of 20 MB
SEQUENCE_BUDGET = 3_000_000
COARSEST_BIN = 65_536
CHARACTERS_A_VALUE = 3  # of a dense signal (measured); sparse ones are refined from there
NEIGHBOUR = 100_000


@dataclass(frozen=True)
class Slices:
    """Signals around the shown genes, at one resolution.

    Attributes
    ----------
    bin
        Bases a value.
    true
        data URI of a bigWig by track.
    predicted
        The same by (task, model, adaptation), then by track.
    """

    bin: int
    true: dict[str, str]
    predicted: dict[RunName, dict[str, str]]


def choose_genes(genes: pd.DataFrame, first: tuple[str, ...], number: int) -> pd.DataFrame:
    """Choose the genes to show, not only the ones that look good.

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


def binned_signal(bigwig, region: Region, bin: int) -> np.ndarray:
    """Return the mean signal of consecutive bins of a region (missing counts as 0); the last bin may be shorter."""
    chrom, start, end = region
    values = np.zeros(end - start)
    length = bigwig.chroms(chrom) or 0
    if start < length:
        read = bigwig.values(chrom, start, min(end, length), numpy=True)
        values[: len(read)] = np.nan_to_num(read, posinf=0, neginf=0)
    starts = np.arange(0, len(values), bin)
    return np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values)))


def slice_bigwig(path: Path, regions: list[Region], contigs: Mapping[str, int], bin: int) -> str:
    """Return a bigWig that holds only some regions, averaged over bins, as a data URI.

    Values keep three significant digits, and there are no zoom levels: both together halve the size.
    """
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "slice.bw"
        source, target = pyBigWig.open(str(path)), pyBigWig.open(str(small), "w")
        chroms = dict.fromkeys(chrom for chrom, _, _ in regions)
        target.addHeader([(chrom, contigs[chrom]) for chrom in chroms], maxZooms=0)
        for region in regions:
            chrom, start, end = region
            values = round_to_digits(binned_signal(source, region, bin), 3)
            whole = (end - start) // bin
            if whole:
                target.addEntries(chrom, start, values=values[:whole], span=bin, step=bin)
            if len(values) > whole:
                target.addEntries([chrom], [start + whole * bin], ends=[end], values=values[whole:].tolist())
        target.close()
        source.close()
        return _data_uri(small.read_bytes(), "application/octet-stream")


def round_to_digits(values: np.ndarray, digits: int) -> np.ndarray:
    """Round numbers to significant digits."""
    size = np.floor(np.log10(np.abs(values), out=np.zeros_like(values), where=values != 0))
    unit = 10.0 ** (size - digits + 1)
    return np.round(values / unit) * unit


def slice_signals(
    true: Mapping[str, Path],
    predicted: Mapping[RunName, Mapping[str, Path]],
    regions: list[Region],
    contigs: Mapping[str, int],
    budget: int = SIGNAL_BUDGET,
) -> Slices:
    """Slice all signals at the finest resolution (1, 2, 4 … bases a value) at which they fit the budget of characters."""
    files = len(true) + sum(len(tracks) for tracks in predicted.values())
    values = files * sum(end - start for _, start, end in regions)
    bin = 1
    while values / bin * CHARACTERS_A_VALUE > budget and bin < COARSEST_BIN:
        bin *= 2
    while (slices := _slice_all(true, predicted, regions, contigs, bin, budget)) is None:
        bin *= 2
    while bin > 1 and (finer := _slice_all(true, predicted, regions, contigs, bin // 2, budget)) is not None:
        bin, slices = bin // 2, finer
    return slices


def _slice_all(
    true: Mapping[str, Path],
    predicted: Mapping[RunName, Mapping[str, Path]],
    regions: list[Region],
    contigs: Mapping[str, int],
    bin: int,
    budget: int,
) -> Slices | None:
    """Slice all signals at one resolution; None as soon as they are over the budget (but for the coarsest)."""
    slices = Slices(bin, {}, {run: {} for run in predicted})
    jobs = [(slices.true, true), *((slices.predicted[run], tracks) for run, tracks in predicted.items())]
    for made, paths in jobs:
        for track, path in paths.items():
            made[track] = slice_bigwig(path, regions, contigs, bin)
            if signal_size(slices) > budget and bin < COARSEST_BIN:
                return None
    return slices


def signal_size(slices: Slices) -> int:
    """Count the characters of all data URIs."""
    runs = [slices.true, *slices.predicted.values()]
    return sum(len(uri) for tracks in runs for uri in tracks.values())


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


def contig_lengths(inputs: ReportInputs) -> dict[str, int]:
    """Return the contigs of the true tracks and their lengths."""
    with pyBigWig.open(str(next(iter(inputs.tracks.values())))) as bigwig:
        return dict(bigwig.chroms())


def shown_runs(runs: tuple[RunFolder, ...], task: str) -> list[RunFolder]:
    """Return the runs of a task that predicted tracks: of each model x adaptation the one of the lowest seed."""
    chosen: dict[RunName, RunFolder] = {}
    for run in runs:
        known = chosen.get(run.name)
        if run.task == task and run.predicted and (known is None or run.seed < known.seed):
            chosen[run.name] = run
    return list(chosen.values())


def _fasta_uri(regions: list[Region], sequences: list[str], contigs: Mapping[str, int]) -> str:
    """Write a gzipped FASTA as a data URI.

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
    return _data_uri(gzip.compress(text.encode(), 9, mtime=0), "application/gzip")


def _data_uri(content: bytes, kind: str) -> str:
    """Wrap bytes for use in place of a URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

"""Small slices of bigWigs around the shown genes, at the finest resolution that a page can hold.

Every bigWig of the report is read here: `contig_lengths`, `binned_signals` and `slice_bigwig`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glmflow.bigwig import BigWig, write_bigwig
from glmflow.report.data_uris import data_uri

Region = tuple[str, int, int]
RunName = tuple[str, str, str]
COARSEST_BIN = 65_536
"""Bases a value at the coarsest resolution, which is taken even if it is over the budget."""
CHARACTERS_A_VALUE = 3
"""Characters that a value of a dense signal takes (measured); the search for a resolution starts from it."""


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


def contig_lengths(path: Path) -> dict[str, int]:
    """Return the contigs of a bigWig and their lengths."""
    with BigWig(path) as bigwig:
        return bigwig.contigs


def binned_signals(path: Path, regions: Sequence[Region], bin: int) -> Iterator[np.ndarray]:
    """Yield the mean signal of consecutive bins of each region (missing counts as 0); the last bin may be shorter."""
    with BigWig(path) as bigwig:
        for chrom, start, end in regions:
            values = np.zeros(end - start)
            length = bigwig.contigs.get(chrom, 0)
            if start < length:
                read = bigwig.values(chrom, start, min(end, length))
                values[: len(read)] = np.nan_to_num(read, posinf=0, neginf=0)
            starts = np.arange(0, len(values), bin)
            yield np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values)))


def slice_bigwig(path: Path, regions: list[Region], contigs: Mapping[str, int], bin: int) -> str:
    """Return a bigWig that holds only some regions, averaged over bins, as a data URI.

    Values keep three significant digits, and there are no zoom levels: both together halve the size.
    """
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "slice.bw"
        chroms = {chrom: contigs[chrom] for chrom in dict.fromkeys(chrom for chrom, _, _ in regions)}
        write_bigwig(small, chroms, _binned(path, regions, bin), levels=0)
        return data_uri(small.read_bytes(), "application/octet-stream")


def _binned(
    path: Path, regions: Sequence[Region], bin: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the bins of each region as intervals of rounded means."""
    for (chrom, start, end), signal in zip(regions, binned_signals(path, regions, bin)):
        starts = np.arange(start, end, bin)
        yield chrom, starts, np.minimum(starts + bin, end), round_to_digits(signal, 3)


def round_to_digits(values: np.ndarray, digits: int) -> np.ndarray:
    """Return numbers rounded to significant digits."""
    size = np.floor(np.log10(np.abs(values), out=np.zeros_like(values), where=values != 0))
    unit = 10.0 ** (size - digits + 1)
    return np.round(values / unit) * unit


def slice_signals(
    true: Mapping[str, Path],
    predicted: Mapping[RunName, Mapping[str, Path]],
    regions: list[Region],
    contigs: Mapping[str, int],
    budget: int,
) -> Slices:
    """Return slices of all signals at the finest resolution (1, 2, 4 … bases a value) that fits the budget of characters."""
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
    """Return slices of all signals at one resolution; None as soon as they are over the budget (but for the coarsest)."""
    slices = Slices(bin, {}, {run: {} for run in predicted})
    jobs = [(slices.true, true), *((slices.predicted[run], tracks) for run, tracks in predicted.items())]
    for made, paths in jobs:
        for track, path in paths.items():
            made[track] = slice_bigwig(path, regions, contigs, bin)
            if signal_size(slices) > budget and bin < COARSEST_BIN:
                return None
    return slices


def signal_size(slices: Slices) -> int:
    """Return the number of characters of all data URIs."""
    runs = [slices.true, *slices.predicted.values()]
    return sum(len(uri) for tracks in runs for uri in tracks.values())

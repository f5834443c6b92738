"""Windows along the genome: tiled, then filtered with a count of what was left out and why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pybedtools

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, pseudoautosomal_regions
from glmflow.genome.fasta import N
from glmflow.genome.intervals import bed_lines
from glmflow.genome.reference import Reference


def tile(length: int, size: int, overlap: int) -> np.ndarray:
    """Return where windows start that cover a contig from end to end.

    Windows are `size - overlap` apart; where they do not end with the contig, one more is added that does.

    Parameters
    ----------
    length
        Bases of the contig.
    size
        Bases of a window.
    overlap
        Bases that neighbouring windows share.

    Returns
    -------
    int64[windows]
        Starts, increasing. A contig shorter than a window has a single start, 0: its window is shorter.

    Raises
    ------
    InputError
        The size is not positive, or the overlap negative or not smaller than the size.
    """
    if size < 1:
        raise InputError(f"a window of {size} bases", where="windows.size", fix="Give a positive size.")
    if not 0 <= overlap < size:
        raise InputError(
            f"an overlap of {overlap} with windows of {size}",
            where="windows.overlap",
            fix=f"Give 0 to {size - 1}.",
        )
    last = max(length - size, 0)
    starts = np.arange(0, last + 1, size - overlap, dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, last)


def make_windows(contigs: Mapping[str, int], size: int, overlap: int) -> pd.DataFrame:
    """Tile every contig.

    Parameters
    ----------
    contigs
        Length in bases of every contig.
    size, overlap
        Bases of a window, and bases that neighbours share.

    Returns
    -------
    DataFrame
        `chrom`, `start`, `end` (0-based half-open), in the order of the contigs.

    Raises
    ------
    InputError
        As `tile`.
    """
    starts = {chrom: tile(length, size, overlap) for chrom, length in contigs.items()}
    counts = [len(these) for these in starts.values()]
    start = np.concatenate([*starts.values(), np.empty(0, np.int64)])
    length = np.repeat(np.fromiter(contigs.values(), np.int64, len(contigs)), counts)
    return pd.DataFrame(
        {
            "chrom": np.repeat(np.array(list(starts), dtype=object), counts),
            "start": start,
            "end": np.minimum(start + size, length),
        }
    )


def filter_windows(
    windows: pd.DataFrame,
    reference: Reference,
    max_n_fraction: float,
    blacklist: str | os.PathLike[str] | None = None,
    alternates: str = "leave_out",
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out windows that are mostly unknown or overlap a blacklisted region.

    Parameters
    ----------
    windows
        `chrom`, `start`, `end`.
    reference
        The genome the windows lie on.
    max_n_fraction
        The largest share of N bases that a window may have.
    blacklist
        BED file, plain or gzip; a window that shares a base with it is left out.
    alternates
        `leave_out`: a window that shares a base with the pseudoautosomal regions of Y is left out; `keep`.

    Returns
    -------
    kept : DataFrame
        The windows that remain, in their order.
    counts : dict[str, int]
        `n_rich`, `blacklisted` and `pseudoautosomal`: windows left out; one that is several counts as the first.

    Raises
    ------
    InputError
        The blacklist is missing, not BED or of another genome, or bedtools is not installed.
    """
    rows = zip(windows["chrom"], windows["start"], windows["end"])
    n_rich = np.fromiter((np.mean(reference.fetch(*row) == N) > max_n_fraction for row in rows), bool, len(windows))
    listed = np.zeros(len(windows), bool)
    if blacklist is not None:
        listed = _overlaps(windows, Path(blacklist), reference.contigs)
    copied = np.zeros(len(windows), bool)
    for chrom, start, end in pseudoautosomal_regions(reference.contigs) if alternates == "leave_out" else ():
        copied |= ((windows["chrom"] == chrom) & (windows["start"] < end) & (windows["end"] > start)).to_numpy()
    copied &= ~(n_rich | listed)
    counts = {
        "n_rich": int(n_rich.sum()),
        "blacklisted": int((listed & ~n_rich).sum()),
        "pseudoautosomal": int(copied.sum()),
    }
    return windows[~(n_rich | listed | copied)].reset_index(drop=True), counts


def _overlaps(windows: pd.DataFrame, bed: Path, contigs: Mapping[str, int]) -> np.ndarray:
    """Return which windows share a base with a BED file."""
    if shutil.which("bedtools") is None:
        raise InputError("bedtools is not installed", fix="Install it (Debian: bedtools; conda: bioconda).")
    regions = list(bed_lines(bed))
    overlapping = np.zeros(len(windows), bool)
    if regions:
        theirs = match_contigs(contigs, (region.chrom for region in regions), where=bed)
        ours = {name: chrom for chrom, name in theirs.items()}
        mapped = pybedtools.BedTool(
            (chrom, region.start, min(region.end, contigs[chrom]))
            for region in regions
            if (chrom := ours.get(region.chrom)) and region.start < contigs[chrom]
        )
        numbered = windows[["chrom", "start", "end"]].assign(name=np.arange(len(windows)))
        hits = pybedtools.BedTool.from_dataframe(numbered).intersect(mapped, u=True)
        overlapping[[int(hit.name) for hit in hits]] = True
        pybedtools.cleanup()
    return overlapping

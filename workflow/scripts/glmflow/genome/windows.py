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
from glmflow.genome.contigs import match_contigs
from glmflow.genome.fasta import N
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
        raise InputError(f"a window of {size} bases", where="windows.size", mend="Give a positive size.")
    if not 0 <= overlap < size:
        raise InputError(
            f"an overlap of {overlap} with windows of {size}",
            where="windows.overlap",
            mend=f"Give 0 to {size - 1}.",
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
        BED file; a window that shares a base with it is left out.

    Returns
    -------
    kept : DataFrame
        The windows that remain, in their order.
    counts : dict[str, int]
        `n_rich` and `blacklisted`: windows left out; one that is both counts as `n_rich`.

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
    counts = {"n_rich": int(n_rich.sum()), "blacklisted": int((listed & ~n_rich).sum())}
    return windows[~(n_rich | listed)].reset_index(drop=True), counts


def _overlaps(windows: pd.DataFrame, bed: Path, contigs: Mapping[str, int]) -> np.ndarray:
    """Return which windows share a base with a BED file."""
    if shutil.which("bedtools") is None:
        raise InputError("bedtools is not installed", mend="Install it (Debian: bedtools; conda: bioconda).")
    if not bed.exists():
        raise InputError("no such BED file", where=bed, mend="Check the path, or leave the blacklist out.")
    try:
        regions = [(region.chrom, region.start, region.stop) for region in pybedtools.BedTool(str(bed))]
    except (pybedtools.MalformedBedLineError, ValueError, OverflowError) as error:
        raise InputError(f"not BED ({error})", where=bed, mend="Give tab-separated chrom, start, end.") from error
    overlapping = np.zeros(len(windows), bool)
    if regions:
        theirs = match_contigs(contigs, (chrom for chrom, _, _ in regions), where=bed)
        ours = {name: chrom for chrom, name in theirs.items()}
        mapped = pybedtools.BedTool((ours[chrom], *ends) for chrom, *ends in regions if chrom in ours)
        numbered = windows[["chrom", "start", "end"]].assign(name=np.arange(len(windows)))
        hits = pybedtools.BedTool.from_dataframe(numbered).intersect(mapped, u=True)
        overlapping[[int(hit.name) for hit in hits]] = True
        pybedtools.cleanup()
    return overlapping

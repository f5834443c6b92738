"""Intervals made into windows of one length, and compared with the genome."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.packed import fetch
from glmflow.genome.reference import Reference

UNLIKE = 0.05
"""Share of bases beyond which a sequence is not that of its interval."""
COMPARED = 2_000_000_000
"""Bases of intervals whose sequences are compared; beyond them only coordinates are."""


def place_on_genome(rows: pd.DataFrame, contigs: Mapping[str, int], where: str) -> pd.DataFrame:
    """Return the rows with the genome's names of contigs (chr1 or 1).

    Raises
    ------
    InputError
        A row lies on a contig that the genome lacks, or ends beyond its contig.
    """
    theirs = match_contigs(contigs, dict.fromkeys(rows["chrom"]), where)
    ours = {name: chrom for chrom, name in theirs.items()}
    unknown = [name for name in dict.fromkeys(rows["chrom"]) if name not in ours]
    if unknown:
        count = int(rows["chrom"].isin(unknown).sum())
        what = f"{count:,} rows lie on contigs that the genome lacks: {some(unknown)}"
        raise InputError(what, where=where, fix="Leave them out, or give the genome of these coordinates.")
    chrom = rows["chrom"].map(ours)
    beyond = (rows["end"] > chrom.map(contigs)).to_numpy()
    if beyond.any():
        row = rows.iloc[int(beyond.argmax())]
        what = f"{int(beyond.sum()):,} intervals end beyond their contig: {row.chrom}:{row.start}-{row.end}"
        raise InputError(what, where=where, fix="Give the genome of these coordinates (hg19 or hg38?).")
    return rows.assign(chrom=chrom)


def windows_around(
    rows: pd.DataFrame, length: int, contigs: Mapping[str, int], anchor: str = "middle"
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return windows of one length around the middle (or the start) of intervals; those that leave a contig are dropped.

    The first base of a window is `anchor - length // 2`, as the Genomics Long-Range Benchmark has it: a variant stands
    at index `length // 2`.

    Returns
    -------
    windows : DataFrame
        The rows that remain, with `start` and `end` of the window.
    counts : dict
        `beyond_contig`: windows left out. The set shrinks with the length: compare lengths on the rows of the longest.
    """
    start, end = rows["start"].to_numpy(np.int64), rows["end"].to_numpy(np.int64)
    first = ((start + end) // 2 if anchor == "middle" else start) - length // 2
    last = first + length
    inside = (first >= 0) & (last <= rows["chrom"].map(contigs).to_numpy(np.float64))
    windows = rows.assign(start=first, end=last)[inside].reset_index(drop=True)
    return windows, {"beyond_contig": int((~inside).sum())}


def require_same_genome(rows: pd.DataFrame, reference: Reference, where: str) -> None:
    """Stop if a sequence is not that of the middle of its interval: coordinates of another assembly are silent otherwise.

    Parameters
    ----------
    rows
        `sequence` and its interval; a few, as all of each are read.

    Raises
    ------
    InputError
        More than a twentieth of the bases of one differ, those that are N on either side not counted.
    """
    rows = place_on_genome(rows, reference.contigs, where)
    for row in rows.itertuples():
        own = np.frombuffer(row.sequence.encode(), np.uint8)
        there = fetch(reference, pd.DataFrame([row])[["chrom", "start", "end", "strand"]], len(own)).codes
        known = (own != ord("N")) & (there != ord("N"))
        unlike = float((own != there)[known].mean()) if known.any() else 0.0
        if unlike > UNLIKE:
            what = f"{unlike:.0%} of the bases of its first record differ from {row.chrom}:{row.start}-{row.end} of the genome"
            raise InputError(what, where=where, fix="Give the genome of these coordinates (hg19 or hg38?).")

"""Where a run's pictures are drawn: intervals around the alleles that matter most by their label or effect."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from glmflow.genome.reference import Reference

Interval = tuple[str, int, int]


def intervals_around(examples: pd.DataFrame, lengths: dict[str, int], most: int, bp: int) -> list[Interval]:
    """Return intervals of `bp` bases around the alleles of the largest target, one for alleles that lie together.

    Parameters
    ----------
    examples
        `chrom`, `start`, `target` (a label, 1 or 0, or a measured effect), `reason` where an allele cannot be scored.
    lengths
        Of each contig; intervals shift at their ends, and contigs that are shorter are left out.
    """
    fits = examples["chrom"].map(lengths).fillna(0) >= bp
    if "reason" in examples:
        fits &= examples["reason"].fillna("") == ""
    own = examples[fits]
    order = own["target"].astype(float).abs().sort_values(ascending=False, kind="stable").index
    found: list[Interval] = []
    for row in own.loc[order].itertuples():
        start = min(max(0, row.start - bp // 2), lengths[row.chrom] - bp)
        if any(chrom == row.chrom and abs(start - other) < bp for chrom, other, _ in found):
            continue
        found.append((row.chrom, int(start), int(start + bp)))
        if len(found) == most:
            break
    return found


def write_intervals(intervals: list[Interval], genome: Reference, folder: Path) -> tuple[Path, Path]:
    """Write the intervals as BED and their sequences as FASTA; return both paths."""
    bed, fasta = folder / "intervals.bed", folder / "sequences.fa"
    bed.write_text("".join(f"{chrom}\t{start}\t{end}\n" for chrom, start, end in intervals))
    fasta.write_text(
        "".join(
            f">{chrom}_{start + 1}_{end}\n{genome.fetch(chrom, start, end).tobytes().decode()}\n"
            for chrom, start, end in intervals
        )
    )
    return bed, fasta

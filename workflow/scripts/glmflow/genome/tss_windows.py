"""Windows around the transcription starts of genes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .counts import Counts
from .reference import Reference
from .windows import filter_windows


def place_windows(
    genes: pd.DataFrame,
    reference: Reference,
    contigs: Mapping[str, int],
    settings: Mapping[str, Any],
    counts: Counts,
    alternates: str = "leave_out",
) -> pd.DataFrame:
    """Give genes the windows around their transcription start; leave out those whose window cannot be used.

    Parameters
    ----------
    genes
        `gene_id`, `chrom`, `tss` (0-based), `strand`.
    contigs
        Lengths of the contigs with genotypes.
    settings
        `size` and `max_n_fraction` of the task's `windows`.
    counts
        Gets what was left out, and why.
    alternates
        Whether genes in the pseudoautosomal regions of Y, copies of those of X, are left out: `leave_out` or `keep`.
    """
    elsewhere = genes[~genes["chrom"].isin(contigs)]
    counts.add("genes on contigs without genotypes", len(elsewhere), elsewhere["gene_id"].tolist())
    placed = tss_windows(genes[genes["chrom"].isin(contigs)], settings["size"])
    lengths = placed["chrom"].map(contigs)
    outside = placed[(placed["start"] < 0) | (placed["end"] > lengths)]
    counts.add("genes whose window passes the end of the contig", len(outside), outside["gene_id"].tolist())
    inside = placed.drop(outside.index).reset_index(drop=True)
    kept, dropped = filter_windows(inside, reference, settings["max_n_fraction"], alternates=alternates)
    counts.add("genes with too many N in their window", dropped["n_rich"])
    counts.add("genes in the pseudoautosomal regions of Y (copies of X)", dropped["pseudoautosomal"])
    return kept.reset_index(drop=True)


def tss_windows(genes: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return genes with `start` and `end` of a window (0-based half-open) that has the TSS in its middle.

    Read along the gene, the TSS is base `size // 2`, on either strand.
    """
    left = np.where(genes["strand"] == "+", size // 2, size - size // 2 - 1)
    start = genes["tss"].to_numpy() - left
    return genes.assign(start=start, end=start + size)

"""Expression at the promoters that regions hold, and the regions that a cell has."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.overlaps import overlaps

LEFT_OUT = frozenset({"chrM", "chrMT", "M", "MT", "chrY", "Y"})
"""Contigs without regions."""


def resized(regions: pd.DataFrame, width: int, contigs: dict[str, int]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return regions of one width around their middles, in the order of the genome, and how many are left out.

    Longer regions have more hits for their length alone. Left out are those of the Y chromosome and mitochondria, those that
    would reach over the end of their contig, and those of the same place as another.

    Parameters
    ----------
    regions
        `chrom`, `start`, `end` in any order.
    """
    place = {name: number for number, name in enumerate(contigs)}
    counts = {}
    kept = ~regions["chrom"].isin(LEFT_OUT)
    counts["regions on Y or mitochondria"] = int((~kept).sum())
    own = regions[kept]
    start = (own["start"] + own["end"]) // 2 - width // 2
    inside = (start >= 0) & (start + width <= own["chrom"].map(contigs))
    counts["regions over the end of a contig"] = int((~inside).sum())
    found = pd.DataFrame({"chrom": own["chrom"], "start": start, "end": start + width})[inside]
    once = found.drop_duplicates()
    counts["regions of the same place as another"] = len(found) - len(once)
    order = np.lexsort((once["start"], once["chrom"].map(place)))
    return once.iloc[order].reset_index(drop=True), counts


def promoter_rows(
    regions: pd.DataFrame, genes: pd.DataFrame, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of region and gene that share a base within `reach` bases of the gene's start, as row numbers.

    Parameters
    ----------
    regions
        `chrom`, `start`, `end`; of one width.
    genes
        `chrom`, `tss` (0-based).
    """
    rows, owners = [], []
    for chrom, own in genes.reset_index(drop=True).groupby("chrom", sort=False):
        here = np.flatnonzero((regions["chrom"] == chrom).to_numpy())
        here = here[np.argsort(regions["start"].to_numpy()[here], kind="stable")]
        starts, ends = (regions[name].to_numpy(np.int64)[here] for name in ("start", "end"))
        tss = own["tss"].to_numpy(np.int64)
        gene, place = overlaps(starts, ends, tss - reach, tss + reach)
        rows.append(here[place])
        owners.append(own.index.to_numpy()[gene])
    if not rows:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(rows), np.concatenate(owners)


def promoter_means(
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    strands: NDArray[np.object_],
    values: NDArray[np.float64],
    count: int,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the mean over the genes that start in each region on each strand, and where there is one.

    All of them count: the mean, not the last one of a list.

    Parameters
    ----------
    pairs
        `promoter_rows`.
    strands
        `+` or `-` of each gene.
    values
        log10(TPM + 1), `[genes, cells]`.
    count
        Regions.

    Returns
    -------
    `[regions, cells, 2]` (0 where no gene starts), `[regions, 2]`.
    """
    rows, genes = pairs
    side = (strands[genes] == "-").astype(np.int64)
    total = np.zeros((count, 2, values.shape[1]))
    number = np.zeros((count, 2))
    np.add.at(total, (rows, side), values[genes])
    np.add.at(number, (rows, side), 1)
    means = total / np.maximum(number, 1)[..., None]
    return means.transpose(0, 2, 1).astype(np.float32), number > 0

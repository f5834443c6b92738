"""Genes that are one locus, and blocks of a contig: the units of chance along a genome."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

BLOCK = 100_000
"""Shortest block in bases: coverage, conservation and mappability are alike over tens of kilobases."""
WIDE = 1_000_000
"""Longest block that regions are drawn by, in bases."""
READTHROUGH = re.compile(r"^([A-Za-z][\w.]*)-([A-Za-z][\w.]*)$")
VERSION = re.compile(r"(\.\d+)?(_PAR_Y)?$")


def locus_groups(genes: pd.DataFrame, near: int = 1000) -> NDArray[np.int64]:
    """Return the locus of each gene: genes whose windows overlap or whose starts are near are one.

    So are a readthrough gene and those it reads through (`JMJD7-PLA2G4B`), and ids of one gene (versions, `_PAR_Y`).

    Parameters
    ----------
    genes
        `chrom`, `start`, `end` of each gene's window (or of the gene); where known `tss`, `gene_id`, `gene_name`.
    near
        Bases between two starts up to which they are one locus, whatever their windows.
    """
    table = genes.reset_index(drop=True)
    pairs = overlapping(table)
    if "tss" in table:
        pairs += overlapping(table.assign(start=table["tss"], end=table["tss"] + near + 1))
    if "gene_id" in table:
        pairs += _same(table["gene_id"].astype(str).str.replace(VERSION, "", regex=True))
    if "gene_name" in table:
        pairs += _readthrough(table["gene_name"].astype(str), table["chrom"].astype(str))
    return groups_of(len(table), pairs)


def groups_of(count: int, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the group of each of `count` things of which pairs belong together."""
    edges = np.array(list(pairs), np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges), bool), edges.T), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def blocks(windows: pd.DataFrame, size: int = BLOCK, genes: pd.DataFrame | None = None) -> NDArray[np.int64]:
    """Return the block of each tile or window: a stretch of a contig of at least `size` bases and of a gene's length.

    A contig is cut into equal blocks, none shorter than that; a shorter contig is one block. A window belongs to the block
    that its middle lies in.

    Parameters
    ----------
    windows
        `chrom`, `start`, `end`.
    size
        Bases of a block, at least.
    genes
        `start`, `end` of genes: a block is at least as long as 95 % of them.
    """
    if genes is not None and len(genes):
        size = max(size, int(np.quantile(genes["end"] - genes["start"], 0.95)))
    label = np.full(len(windows), -1, np.int64)
    start, end = windows["start"].to_numpy(np.int64), windows["end"].to_numpy(np.int64)
    contig = pd.factorize(windows["chrom"])[0]
    count = 0
    for number in range(contig.max(initial=-1) + 1):
        here = contig == number
        first, length = start[here].min(), end[here].max() - start[here].min()
        parts = max(1, int(length // size))
        middle = (start[here] + end[here]) // 2 - first
        own = np.minimum(middle * parts // max(1, length), parts - 1)
        label[here] = count + np.unique(own, return_inverse=True)[1]
        count = int(label[here].max()) + 1
    return label


def blocks_of_chance(regions: pd.DataFrame, splits: Mapping[str, Any]) -> pd.Series:
    """Return the block of each region that is drawn as one for intervals, such as ``chr20:3``: `WIDE` bases, or a split's block.

    Parameters
    ----------
    regions
        `chrom`, `start`.
    splits
        The `splits` block of the settings: regions that blocks are held out by, if these are shorter than `WIDE`.
    """
    size = min(WIDE, splits["block"]) if splits.get("by") == "block" else WIDE
    return regions["chrom"] + ":" + (regions["start"] // size).astype(str)


def one_block(groups: pd.Series) -> list[tuple[str, int, str]]:
    """Return what a table of counts says if all held-out regions lie in one block of chance; empty if not."""
    if groups.nunique() != 1:
        return []
    what = "All regions of the test split lie in one block of the genome: no score has an interval, and no run is compared."
    return [(what, 1, "")]


def independence(windows: pd.DataFrame, label: NDArray[np.int64]) -> str:
    """Return what has to be said of blocks as units of chance; empty where nothing has."""
    contigs, count = windows["chrom"].nunique(), len(np.unique(label))
    if count == 1:
        return "one block: nothing is known of chance"
    if contigs == 1:
        return f"one contig, cut into {count} blocks: what all of it shares is in no interval"
    return ""


def overlapping(windows: pd.DataFrame) -> list[tuple[int, int]]:
    """Return pairs of rows (`chrom`, `start`, `end`) that overlap, enough of them to connect all that do."""
    pairs = []
    for _, rows in windows[["chrom", "start", "end"]].groupby("chrom", sort=False):
        rows = rows.sort_values("start", kind="stable")
        reach, furthest = -np.inf, -1
        for row, first, last in zip(rows.index, rows["start"], rows["end"]):
            if first < reach:
                pairs.append((furthest, row))
            if last > reach:
                reach, furthest = last, row
    return pairs


def _same(names: pd.Series) -> list[tuple[int, int]]:
    """Return pairs that connect rows of one name; empty names are none."""
    pairs = []
    for name, rows in names.groupby(names, sort=False).groups.items():
        if name and name.lower() not in ("nan", "none", "."):
            pairs += [(rows[0], row) for row in rows[1:]]
    return pairs


def _readthrough(names: pd.Series, chrom: pd.Series) -> list[tuple[int, int]]:
    """Return pairs of a readthrough gene and each gene of its name on the same contig."""
    row_of: Mapping[tuple[str, str], int] = {
        (contig, name): row for row, (name, contig) in enumerate(zip(names, chrom))
    }
    pairs = []
    for row, (name, contig) in enumerate(zip(names, chrom)):
        parts = READTHROUGH.match(name)
        known = [row_of.get((contig, part)) for part in parts.groups()] if parts else []
        # HLA-A and MT-ND1 are no readthrough genes: there is no gene HLA or MT.
        if len(known) == 2 and all(place is not None for place in known):
            pairs += [(row, place) for place in known]
    return pairs

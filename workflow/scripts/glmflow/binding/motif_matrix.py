"""Regions x motif clusters with accessibility: what models of regions and motifs (GET) read in place of a sequence.

Three faults of the original pipeline are left out: a motif without a hit is 0 and not NaN, a column is divided by its largest
value over the regions that are given (those of training, where a `scale` is kept), and regions keep their order.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.overlaps import overlaps
from glmflow.genome.packed import Packed, fetch
from glmflow.genome.reference import Reference

from .motif_files import Motif
from .motif_scan import all_hits, threshold_of

log = logging.getLogger(__name__)

BACKGROUND = (0.2977, 0.2023, 0.2023, 0.2977)
PSEUDOCOUNT = 0.01
P = 1e-4
AT_ONCE = 1000
"""Regions that are scanned between two lines of progress."""
LINES_AT_ONCE = 1 << 20
PER = 1e5
"""Counts of all regions together that accessibility is given of."""


class MotifMatrix(NamedTuple):
    """Scaled motif sums with accessibility.

    Attributes
    ----------
    values
        `[kept regions, clusters + 1]`, the last column accessibility, 0 to 1.
    kept
        Rows of the regions that are accessible at all.
    scale
        What each cluster's sums were divided by, `[clusters]`: to be used again for other cells and regions.
    """

    values: NDArray[np.float64]
    kept: NDArray[np.int64]
    scale: NDArray[np.float64]


def cluster_sums(regions: pd.DataFrame, hits: pd.DataFrame, clusters: Sequence[str]) -> NDArray[np.float64]:
    """Return the sum of the scores of each cluster's hits that share a base with each region, `[regions, clusters]`.

    Parameters
    ----------
    regions
        `chrom`, `start`, `end` in any order; some may lie in others.
    hits
        `chrom`, `start`, `end`, `cluster`, `score`, on both strands; those of other clusters are left out.
    """
    number = {name: place for place, name in enumerate(clusters)}
    found = np.zeros((len(regions), len(clusters)))
    hits = hits[hits["cluster"].isin(number)]
    for chrom, own in hits.groupby("chrom", sort=False):
        here = np.flatnonzero((regions["chrom"] == chrom).to_numpy())
        here = here[np.argsort(regions["start"].to_numpy()[here], kind="stable")]
        starts, ends = (regions[name].to_numpy(np.int64)[here] for name in ("start", "end"))
        row, place = overlaps(starts, ends, own["start"].to_numpy(np.int64), own["end"].to_numpy(np.int64))
        column = own["cluster"].map(number).to_numpy()[row]
        np.add.at(found, (here[place], column), own["score"].to_numpy(np.float64)[row])
    return found


def accessibility_of_counts(counts: Sequence[float]) -> NDArray[np.float64]:
    """Return log10(count / sum x 100,000 + 1) of each region, divided by its largest value; zeros where nothing is counted."""
    values = np.asarray(counts, np.float64)
    total = values.sum()
    if not total:
        return np.zeros(len(values))
    found = np.log10(values / total * PER + 1)
    return found / found.max()


def motif_matrix(
    sums: NDArray[np.float64],
    counts: Sequence[float] | None,
    binary: bool = False,
    scale: NDArray[np.float64] | None = None,
) -> MotifMatrix:
    """Return the matrix that a model reads of a cell.

    Parameters
    ----------
    sums
        `cluster_sums`.
    counts
        Reads or signal of each region; None: every region is kept and counts as accessible.
    binary
        Accessibility is 1 wherever it is above 0.
    scale
        Largest sums of an earlier matrix (of the regions a model was trained on); those of the kept regions where None.
        Values above 1 are cut.
    """
    open_ = np.ones(len(sums)) if counts is None else accessibility_of_counts(counts)
    kept = np.flatnonzero(open_ > 0)
    largest = sums[kept].max(axis=0, initial=0) if scale is None else np.asarray(scale, np.float64)
    scaled = np.clip(sums[kept] / np.where(largest > 0, largest, 1), 0, 1)
    last = np.ones(len(kept)) if binary else open_[kept]
    return MotifMatrix(np.concatenate([scaled, last[:, None]], axis=1), kept, largest)


def cluster_hits(
    genome: Reference, regions: pd.DataFrame, motifs: Sequence[Motif], clusters: Mapping[str, str], p: float = P
) -> pd.DataFrame:
    """Return the hits of motifs that share a base with a region of a genome (see `region_hits`)."""

    def read(rows: slice, reach: int) -> Packed:
        own = regions.iloc[rows]
        return fetch(genome, own[["chrom"]].assign(start=own["start"] - reach, end=own["end"] + reach))

    return region_hits(regions, read, motifs, clusters, p)


def region_hits(
    regions: pd.DataFrame,
    read: Callable[[slice, int], Packed],
    motifs: Sequence[Motif],
    clusters: Mapping[str, str],
    p: float = P,
    reach: int | None = None,
) -> pd.DataFrame:
    """Return the hits of motifs that share a base with a region: `chrom`, `start`, `end`, `cluster`, `score` (nats), `strand`.

    Of hits of one cluster on overlapping bases the best is kept, as archetypes are.

    Parameters
    ----------
    read
        `(rows, reach) -> sequences` of some regions with `reach` bases on either side.
    motifs
        Matrices; those without a cluster are left out.
    clusters
        Cluster of each motif, by its name.
    reach
        Bases that are read on either side; as far as a motif can reach where None.
    """
    used = [motif for motif in motifs if motif.name in clusters]
    matrices = [motif.log_odds(BACKGROUND, PSEUDOCOUNT) * np.log(2) for motif in used]
    least = [threshold_of(matrix, p, BACKGROUND) for matrix in matrices]
    width = np.array([motif.width for motif in used])
    reach = int(width.max()) - 1 if reach is None else reach
    names = np.array([clusters[motif.name] for motif in used], object)
    parts = []
    for first in range(0, len(regions), AT_ONCE):
        rows = slice(first, min(first + AT_ONCE, len(regions)))
        found = all_hits(read(rows, reach), matrices, least)
        own = regions.iloc[rows]
        start = own["start"].to_numpy(np.int64)[found.sequence] - reach + found.position
        parts.append(pd.DataFrame({
            "chrom": own["chrom"].to_numpy()[found.sequence],
            "start": start,
            "end": start + width[found.motif],
            "cluster": names[found.motif],
            "score": found.score,
            "strand": np.where(found.reverse, "-", "+"),
        }))  # fmt: skip
        log.info("scanned %d of %d regions", rows.stop, len(regions))
    table = pd.concat(parts, ignore_index=True)
    return best_of_overlapping(table.drop_duplicates(["chrom", "start", "end", "cluster", "strand"]))


def best_of_overlapping(hits: pd.DataFrame) -> pd.DataFrame:
    """Return hits without those that share a base with a better one of their cluster, in the order of the genome."""
    kept = []
    ordered = hits.sort_values(["score", "chrom", "start"], ascending=[False, True, True], kind="stable")
    for _, own in ordered.groupby(["chrom", "cluster"], sort=False):
        starts: list[int] = []
        ends: list[int] = []  # of what is kept, which is disjoint: both ascend
        for row, start, end in zip(own.index, own["start"].tolist(), own["end"].tolist()):
            place = bisect_right(ends, start)
            if place == len(starts) or starts[place] >= end:
                starts.insert(place, start)
                ends.insert(place, end)
                kept.append(row)
    return hits.loc[kept].sort_values(["chrom", "start", "cluster"], kind="stable").reset_index(drop=True)


def known_hits(path: str | Path, regions: pd.DataFrame) -> pd.DataFrame:
    """Return the hits of a BED file that share a base with a region: `chrom`, `start`, `end`, `cluster`, `score`.

    The file may be that of a whole genome: it is read in parts.

    Raises
    ------
    InputError
        It has fewer than five columns, or none of its hits is in a region.
    """
    reach = {chrom: merged(own) for chrom, own in regions.groupby("chrom", sort=False)}
    names = ["chrom", "start", "end", "cluster", "score"]
    kinds = {"chrom": str, "start": np.int64, "end": np.int64, "cluster": str, "score": np.float64}
    parts = []
    try:
        for part in pd.read_csv(
            path, sep="\t", header=None, usecols=range(5), names=names, dtype=kinds, comment="#",
            chunksize=LINES_AT_ONCE, keep_default_na=False,
        ):  # fmt: skip
            for chrom, own in part[part["chrom"].isin(reach)].groupby("chrom", sort=False):
                starts, ends = reach[chrom]
                place = np.searchsorted(ends, own["start"].to_numpy(), "right")
                inside = place < len(starts)
                inside[inside] = starts[place[inside]] < own["end"].to_numpy()[inside]
                parts.append(own[inside])
    except (ValueError, pd.errors.ParserError, OSError) as error:
        what = str(error).splitlines()[0]
        raise InputError(f"not hits ({what})", where=path, fix="Give chrom, start, end, cluster, score.") from None
    if not sum(map(len, parts)):
        raise InputError(
            "no hit lies in a region", where=path, fix="Give hits of this genome, and contigs by its names."
        )
    return pd.concat(parts, ignore_index=True)


def merged(regions: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and ends of what regions of a contig cover together, ascending."""
    order = np.argsort(regions["start"].to_numpy(), kind="stable")
    starts, ends = (regions[name].to_numpy(np.int64)[order] for name in ("start", "end"))
    reached = np.maximum.accumulate(ends)
    new = np.append(True, starts[1:] > reached[:-1])
    return starts[new], reached[np.append(np.flatnonzero(new)[1:] - 1, len(starts) - 1)]

"""The regions of a study, from peaks, and which of them each sample binds.

Three ways: windows of one width around summits (default), unions of overlapping peaks (a reconstruction of the hackathon's:
their widths tell how many samples bind them), and bins along the genome (ENCODE-DREAM's).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.overlaps import overlaps

from .peak_files import Peaks

REGION = ["chrom", "start", "end"]


class Universe(NamedTuple):
    """Regions, and labels of the samples.

    Attributes
    ----------
    regions
        `chrom`, `start`, `end`, in order.
    labels
        Whether a sample binds a region, bool `[samples, regions]`.
    ambiguous
        Labels that are not to be scored, of the same shape; None where there are none.
    """

    regions: pd.DataFrame
    labels: NDArray[np.bool_]
    ambiguous: NDArray[np.bool_] | None = None


def merged_intervals(start: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the union of intervals of one contig; those that touch become one (`bedtools merge -d 0`)."""
    order = np.argsort(start, kind="stable")
    start, reach = start[order], np.maximum.accumulate(end[order])
    first = np.flatnonzero(np.append(True, start[1:] > reach[:-1]))
    return start[first], reach[np.append(first[1:] - 1, len(reach) - 1)]


def merged_regions(peaks: pd.DataFrame) -> pd.DataFrame:
    """Return the unions of overlapping or touching peaks of `chrom`, `start`, `end`, in order."""
    parts = []
    for chrom, own in peaks.groupby("chrom", sort=False):
        start, end = merged_intervals(own["start"].to_numpy(np.int64), own["end"].to_numpy(np.int64))
        parts.append(pd.DataFrame({"chrom": chrom, "start": start, "end": end}))
    return in_order(pd.concat(parts) if parts else pd.DataFrame(columns=REGION))


def in_order(regions: pd.DataFrame) -> pd.DataFrame:
    """Return regions sorted as `sort -k1,1 -k2,2n` does."""
    return regions.sort_values(["chrom", "start"], kind="stable").reset_index(drop=True)


def labels_by_overlap(regions: pd.DataFrame, peaks: Peaks, share: float = 0.0) -> NDArray[np.bool_]:
    """Return which regions share a base with a peak of each sample, bool `[samples, regions]`.

    Parameters
    ----------
    regions
        In order of their starts in each contig; some may lie in others.
    share
        Least share of a region that one peak has to cover; 0: one base.
    """
    found = np.zeros((len(peaks.samples), len(regions)), bool)
    for chrom, own in peaks.table.groupby("chrom", sort=False):
        here = np.flatnonzero(regions["chrom"] == chrom)
        if not len(here):
            continue
        starts, ends = (regions[name].to_numpy(np.int64)[here] for name in ("start", "end"))
        start, end = own["start"].to_numpy(np.int64), own["end"].to_numpy(np.int64)
        row, place = overlaps(starts, ends, start, end)
        shared = np.minimum(end[row], ends[place]) - np.maximum(start[row], starts[place])
        enough = shared >= np.maximum(1, share * (ends[place] - starts[place]))
        found[own["sample"].to_numpy()[row[enough]], here[place[enough]]] = True
    return found


def lost_peaks(regions: pd.DataFrame, peaks: Peaks) -> NDArray[np.int64]:
    """Return how many peaks of each sample share no base with any region, `[samples]`."""
    union, lost = merged_regions(regions), np.ones(len(peaks.table), bool)
    chrom = peaks.table["chrom"].to_numpy()
    for name, own in union.groupby("chrom", sort=False):
        here = np.flatnonzero(chrom == name)
        start, end = (peaks.table[side].to_numpy(np.int64)[here] for side in ("start", "end"))
        last = np.searchsorted(own["start"].to_numpy(), end, "left") - 1
        lost[here] = (last < 0) | (own["end"].to_numpy()[np.maximum(last, 0)] <= start)
    return np.bincount(peaks.table["sample"].to_numpy(np.int64)[lost], minlength=len(peaks.samples))


def merged_universe(peaks: Peaks, min_regions: int = 500) -> Universe:
    """Return unions of all peaks, without samples of `min_regions` regions or less (their labels are empty), as the
    hackathon has them: a region keeps the width that the dropped samples gave it, and leaves if nothing else binds it.
    """
    regions = merged_regions(peaks.table)
    labels = labels_by_overlap(regions, peaks)
    labels[labels.sum(axis=1) <= min_regions] = False
    bound = labels.any(axis=0)
    return Universe(regions[bound].reset_index(drop=True), labels[:, bound])


def summit_regions(
    peaks: Peaks, contigs: Mapping[str, int] | None = None, width: int = 1000, within: int = 150
) -> pd.DataFrame:
    """Return windows of one width around the middle of summits that lie within some bases of each other.

    A region begins with the first summit that is more than `within` bases behind the first summit of the one before.
    Windows that leave their contig are dropped.
    """
    parts = []
    for chrom, own in sorted(peaks.table.groupby("chrom", sort=False)):
        summit = np.sort(own["summit"].to_numpy(np.int64))
        cluster = clusters_within(summit, within)
        firsts = np.flatnonzero(np.append(True, cluster[1:] != cluster[:-1]))
        lasts = np.append(firsts[1:], len(summit)) - 1
        middle = (summit[firsts + (lasts - firsts) // 2] + summit[firsts + (lasts - firsts + 1) // 2]) // 2
        parts.append(pd.DataFrame({"chrom": chrom, "start": middle - width // 2, "end": middle - width // 2 + width}))
    regions = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=REGION)
    longest = regions["chrom"].map(contigs).to_numpy() if contigs else np.inf
    inside = (regions["start"].to_numpy() >= 0) & (regions["end"].to_numpy() <= longest)
    return regions[inside].reset_index(drop=True)


def labels_by_summit(regions: pd.DataFrame, peaks: Peaks, within: int = 150) -> NDArray[np.bool_]:
    """Return which regions have a summit of each sample within some bases of their middle, bool `[samples, regions]`."""
    middle = (regions["start"] + regions["end"]) // 2
    around = regions[["chrom"]].assign(start=middle - within, end=middle + within + 1)
    points = peaks.table.assign(start=peaks.table["summit"], end=peaks.table["summit"] + 1)
    return labels_by_overlap(around, peaks._replace(table=points))


def clusters_within(positions: NDArray[np.int64], within: int) -> NDArray[np.int64]:
    """Return the cluster of each of ascending positions: one ends where the next is farther than `within` from its first."""
    cluster = np.zeros(len(positions), np.int64)
    ends = np.searchsorted(positions, positions + within, "right").tolist()
    at = number = 0
    while at < len(positions):
        cluster[at : ends[at]] = number
        at, number = ends[at], number + 1
    return cluster


def given_universe(regions: pd.DataFrame, peaks: Peaks) -> Universe:
    """Return regions that are given, bound where a peak shares a base with them."""
    regions = in_order(regions[REGION])
    return Universe(regions, labels_by_overlap(regions, peaks))


def binned_universe(
    peaks: Peaks, contigs: Mapping[str, int], relaxed: Peaks | None = None, size: int = 200, step: int = 50
) -> Universe:
    """Return bins along the genome, bound where a peak covers half of one at least (ENCODE-DREAM's rule, from memory).

    A bin that shares a base with a peak, or with a peak of the `relaxed` set (same samples), without being bound is
    ambiguous and is not scored.
    """
    parts = []
    for chrom in sorted(contigs):
        start = np.arange(0, contigs[chrom] - size + 1, step, dtype=np.int64)
        parts.append(pd.DataFrame({"chrom": chrom, "start": start, "end": start + size}))
    regions = pd.concat(parts, ignore_index=True)
    labels = labels_by_overlap(regions, peaks, 0.5)
    touched = labels_by_overlap(regions, relaxed or peaks) | labels_by_overlap(regions, peaks)
    return Universe(regions, labels, touched & ~labels)


def subset(
    universe: Universe, samples: pd.DataFrame, chroms: Collection[str] | None = None, tfs: Collection[str] | None = None
) -> tuple[Universe, NDArray[np.bool_]]:
    """Return the universe of some contigs and TFs without regions that nothing binds then, and the samples that are left.

    Samples without a bound region leave too (the order of the hackathon: regions first, then samples).
    """
    kept = np.ones(len(samples), bool) if tfs is None else samples["tf"].isin(set(tfs)).to_numpy()
    here = np.ones(len(universe.regions), bool)
    if chroms is not None:
        here = universe.regions["chrom"].isin(set(chroms)).to_numpy()
    here = here & universe.labels[kept].any(axis=0)
    kept = kept & universe.labels[:, here].any(axis=1)
    ambiguous = None if universe.ambiguous is None else universe.ambiguous[np.ix_(kept, here)]
    found = Universe(universe.regions[here].reset_index(drop=True), universe.labels[np.ix_(kept, here)], ambiguous)
    return found, kept


def by_key(values: NDArray[np.bool_], keys: Collection[str]) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the keys in alphabetical order and what any of their replicates says: bound where one binds."""
    names, row = np.unique(np.asarray(keys, object).astype(str), return_inverse=True)
    found = np.zeros((len(names), values.shape[1]), bool)
    for place, own in zip(row, values):
        found[place] |= own
    return names.tolist(), found


def replicate_agreement(labels: NDArray[np.bool_], keys: Collection[str]) -> dict[str, float]:
    """Return the least Jaccard index between two replicates of each key that has several."""
    keys = np.asarray(keys, object)
    found = {}
    for key in dict.fromkeys(keys.tolist()):
        own = labels[keys == key].astype(np.float64)
        if len(own) < 2:
            continue
        shared, count = own @ own.T, own.sum(axis=1)
        jaccard = shared / np.maximum(count[:, None] + count - shared, 1)
        found[key] = float(jaccard[~np.eye(len(own), dtype=bool)].min())
    return found

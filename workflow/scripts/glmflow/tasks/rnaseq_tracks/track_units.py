"""What runs on coverage are compared by: blocks of the genome are the units, and loci where genes are compared."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from glmflow.genome.loci import locus_groups
from glmflow.statistics import moments
from glmflow.statistics.influence import Score
from glmflow.statistics.resampling import CORRELATION
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.comparable import cell

from .base_scores import mean_over_tracks
from .track_genes import log2_ratio

COMPARED = {"base_log1p_pearson": True, "base_pearson": True, "base_mse": False}
"""Scores of bases that runs are compared by, in the order of preference, and whether higher is better."""
FEWEST = 3


def comparable_bases(
    scores: Mapping[str, Score], units: str, split: str, subset: str, context_bp: int
) -> dict[str, Stored]:
    """Return the scores over all tracks by cell; the units are identified by what `units` is a hash of."""
    return {
        cell(metric, split, subset, "mean", context_bp): Stored(
            scores[metric], units, higher, 0.0 if higher else None, CORRELATION if higher else None
        )
        for metric, higher in COMPARED.items()
    }


def comparable_genes(
    genes: pd.DataFrame, tracks: Mapping[str, Mapping[str, str]], split: str, subset: str, context_bp: int
) -> dict[str, Stored]:
    """Return the scores over genes by cell: coverage across genes, and fold changes between biosamples.

    Each is a mean over tracks (pairs of biosamples), as the report shows it.

    Parameters
    ----------
    genes
        As `track_genes.gene_table` gives them.
    """
    table = genes.drop_duplicates("gene_id")[["gene_id", "gene_name", "chrom", "start", "end"]].reset_index(drop=True)
    if len(table) < FEWEST:
        return {}
    table["tss"] = table["start"]
    locus = pd.Series(locus_groups(table), index=table["gene_id"])
    found = {"gene_log1p_pearson": _across_genes(genes, locus), "fold_change_pearson": _changes(genes, locus, tracks)}
    return {cell(metric, split, subset, "mean", context_bp): one for metric, one in found.items() if one is not None}


def _across_genes(genes: pd.DataFrame, locus: pd.Series) -> Stored | None:
    """Return the correlation of log1p coverage across genes, averaged over tracks."""
    tracks = [track for track, group in genes.groupby("track", sort=False) if len(group) >= FEWEST]
    columns = {}
    for track in tracks:
        own = genes[genes["track"] == track].set_index("gene_id")
        columns[track] = tuple(np.log1p(own[side].clip(lower=0)) for side in ("observed", "predicted"))
    return _stored(columns, locus)


def _changes(genes: pd.DataFrame, locus: pd.Series, tracks: Mapping[str, Mapping[str, str]]) -> Stored | None:
    """Return the correlation of log2 fold changes across genes, averaged over pairs of biosamples."""
    biosample = genes["track"].map({name: track["biosample"] for name, track in tracks.items()})
    names = list(dict.fromkeys(track["biosample"] for track in tracks.values()))
    sides = ["observed_exons", "predicted_exons"]
    wide = genes.assign(biosample=biosample).pivot_table(index="gene_id", columns="biosample", values=sides, sort=False)
    columns = {}
    for first, second in combinations(names, 2):
        change = [
            pd.Series(log2_ratio(wide[side, first], wide[side, second]), index=wide.index)
            for side in sides
            if (side, first) in wide and (side, second) in wide
        ]
        if len(change) == 2:
            both = pd.concat(change, axis=1).dropna()
            if len(both) >= FEWEST:
                columns[f"{first}/{second}"] = (both[0], both[1])
    return _stored(columns, locus)


def _stored(columns: Mapping[str, tuple[pd.Series, pd.Series]], locus: pd.Series) -> Stored | None:
    """Return the mean over tracks of Pearson's r across genes, by leaving out a locus at a time; None without a track."""
    if not columns:
        return None
    genes = [name for name in locus.index if any(name in x.index for x, _ in columns.values())]
    sums = np.zeros((len(genes), len(columns), 6))
    place = {name: row for row, name in enumerate(genes)}
    for number, columns_of_track in enumerate(columns.values()):
        x, y = (side.to_numpy(float) for side in columns_of_track)
        rows = [place[name] for name in columns_of_track[0].index]
        sums[rows, number] = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)  # of `moments`
    units = locus[genes].to_numpy()
    seen = [f"{value:.5g}" for x, _ in columns.values() for value in x]
    score = mean_over_tracks(sums, moments.pearson, units)
    plays = any(float(np.ptp(y.to_numpy())) > 1e-12 for _, y in columns.values())
    return Stored(score._replace(plays=plays), digest(genes, units, columns, seen), bounds=CORRELATION)

"""Scores of coverage over genes (`gene_*`) and of fold changes between biosamples (`fold_change_*`); intervals resample genes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.statistics import correlation
from glmflow.statistics.bootstrap import interval_of_rows
from glmflow.tasks.tables import metric_row
from glmflow.tracks.reading import TrackReader

from .base_scores import merged

PSEUDO_COUNT = 1e-6


def gene_table(
    genes: pd.DataFrame,
    exons: pd.DataFrame,
    tiles: pd.DataFrame,
    observed: TrackReader,
    predicted: TrackReader,
    tracks: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """Return the mean coverage of every gene that lies whole in the scored bases, a row a gene and track.

    A gene is read on the tracks of its own strand and on unstranded ones. `observed` and `predicted` are means over the
    gene's interval, `observed_exons` and `predicted_exons` over the union of its exons.
    """
    names = list(tracks)
    exons_of = dict(tuple(exons.groupby("gene_id")))
    regions = {
        chrom: list(merged(sorted(zip(group["start"], group["end"])))) for chrom, group in tiles.groupby("chrom")
    }
    rows = []
    for gene in genes.itertuples(index=False):
        if not any(start <= gene.start and gene.end <= end for start, end in regions.get(gene.chrom, [])):
            continue
        true, guess = (reader.read(gene.chrom, gene.start, gene.end) for reader in (observed, predicted))
        inside = _exon_mask(gene, exons_of.get(gene.gene_id))
        for index, name in enumerate(names):
            if tracks[name]["strand"] not in (gene.strand, "."):
                continue
            rows.append(
                {
                    **{key: getattr(gene, key) for key in ("gene_id", "gene_name", "chrom", "start", "end", "strand")},
                    "track": name,
                    "observed": float(true[index].mean(dtype=np.float64)),
                    "predicted": float(guess[index].mean(dtype=np.float64)),
                    "observed_exons": float(true[index][inside].mean(dtype=np.float64)),
                    "predicted_exons": float(guess[index][inside].mean(dtype=np.float64)),
                }
            )
    return pd.DataFrame(rows, columns=GENE_COLUMNS)


GENE_COLUMNS = [
    *("gene_id", "gene_name", "chrom", "start", "end", "strand", "track"),
    *("observed", "predicted", "observed_exons", "predicted_exons"),
]


def _exon_mask(gene: Any, exons: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Return which bases of a gene lie in its exons (all where it has none)."""
    inside = np.zeros(gene.end - gene.start, dtype=bool)
    for exon in () if exons is None else exons.itertuples(index=False):
        inside[max(0, exon.start - gene.start) : exon.end - gene.start] = True
    return inside if inside.any() else ~inside


def score_genes(genes: pd.DataFrame, draws: int, seed: int = 0) -> list[dict[str, Any]]:
    """Score mean coverage across genes, track by track, over gene intervals (`gene_*`) and exons (`gene_exon_*`)."""
    rows = []
    for prefix, suffix in (("gene", ""), ("gene_exon", "_exons")):
        for track, group in genes.groupby("track", sort=False):
            if len(group) < 3:
                continue
            values = group[[f"observed{suffix}", f"predicted{suffix}"]].to_numpy(float)
            for name, statistic in CORRELATIONS.items():
                interval = interval_of_rows(values, lambda table, f=statistic: f(table[:, 0], table[:, 1]), draws, seed)
                rows.append(metric_row(f"{prefix}_{name}", interval, track=track))
    return rows


CORRELATIONS = {
    "pearson": correlation.pearson,
    "log1p_pearson": correlation.log1p_pearson,
    "spearman": correlation.spearman,
}


def score_fold_changes(
    genes: pd.DataFrame, tracks: Mapping[str, Mapping[str, str]], draws: int, seed: int = 0
) -> list[dict[str, Any]]:
    """Score log2 fold changes between biosamples across genes (exon means, both strands together).

    For every pair of biosamples: does the model know in which of the two a gene is higher? A model that predicts the
    same for all biosamples scores 0 here whatever its coverage scores.
    """
    biosample = genes["track"].map({name: track["biosample"] for name, track in tracks.items()})
    wide = genes.assign(biosample=biosample).pivot_table(
        index=["gene_id", "strand"],
        columns="biosample",
        values=["observed_exons", "predicted_exons"],
        sort=False,
    )
    names = list(dict.fromkeys(track["biosample"] for track in tracks.values()))
    rows = []
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            if not {first, second} <= set(wide.columns.get_level_values(-1)):
                continue  # no gene of this strand, or none at all
            change = np.column_stack(
                [log2_ratio(wide[side, first], wide[side, second]) for side in ("observed_exons", "predicted_exons")]
            )
            change = change[np.isfinite(change).all(axis=1)]
            if len(change) < 3:
                continue
            for name in ("pearson", "spearman"):
                interval = interval_of_rows(
                    change, lambda table, f=CORRELATIONS[name]: f(table[:, 0], table[:, 1]), draws, seed
                )
                rows.append(metric_row(f"fold_change_{name}", interval, track=f"{first}/{second}"))
    return rows


def log2_ratio(x: pd.Series, y: pd.Series) -> NDArray[np.float64]:
    """Return log2 (x + e) / (y + e) with e a hundredth of the mean, so that silent genes do not dominate."""
    epsilon = 0.01 * (x.mean() + y.mean()) / 2 + PSEUDO_COUNT
    return np.log2((x.to_numpy() + epsilon) / (y.to_numpy() + epsilon))


def score_deviations(genes: pd.DataFrame) -> list[dict[str, Any]]:
    """Count genes whose prediction is off by more than fourfold, as published for the track study, filter by filter.

    Means are z-scored a track, shifted to be positive, and log2(predicted / observed) is called large beyond 2 where the
    mean of both also exceeds 1. There are no replicates and there is no test in it: it is a check, not differential
    expression; the number of genes that pass each filter is given beside it.
    """
    rows = []
    for track, group in genes.groupby("track", sort=False):
        values = group[["observed", "predicted"]].to_numpy(float) + PSEUDO_COUNT
        spread = values.std(axis=0)
        if len(values) < 3 or not (spread > 0).all():
            continue
        scores = (values - values.mean(axis=0)) / spread
        scores += abs(scores.min()) + PSEUDO_COUNT
        large = np.abs(np.log2(scores[:, 1] / scores[:, 0])) > 2
        expressed = scores.mean(axis=1) > 1
        n = len(values)
        rows += [
            metric_row("gene_deviation_tested", n, n, track=track),
            metric_row("gene_deviation_expressed", expressed.sum(), n, track=track),
            metric_row("gene_deviation_fourfold", large.sum(), n, track=track),
            metric_row("gene_deviation_significant", (large & expressed).sum(), n, track=track),
        ]
    return rows

"""Per-base RNA-seq coverage from windows of sequence: the examples, and how predictions are scored.

Scores are pooled over all bases of a split (`base_*`), averaged over tiles of a window's length (`window_*`), or taken
over genes (`gene_*`, `fold_change_*`); the prefix always says which. Their intervals resample tiles or genes, never
single bases, which are anything but independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from glmflow.genome.reference import Reference
from glmflow.genome.splits import assign_splits, require_disjoint, used_contigs
from glmflow.genome.windows import filter_windows, make_windows
from glmflow.statistics import correlation, moments
from glmflow.statistics.bootstrap import Interval, interval_of_mean, interval_of_rows, interval_of_sums
from glmflow.tracks.reading import TrackReader

from .tables import examples_table, metric_row, metrics_table, run_keys

PSEUDO_COUNT = 1e-6


class Examples(NamedTuple):
    """The examples of a track task, and what became of the windows that are not among them."""

    table: pd.DataFrame
    counts: pd.DataFrame
    shared: pd.DataFrame


def examples(
    reference: Reference,
    contigs: Sequence[str] | None,
    windows: Mapping[str, Any],
    splits: Mapping[str, Any],
    size: int,
    blacklist: str | None = None,
) -> Examples:
    """Tile the genome, leave out what cannot be used, and give every window its split.

    Parameters
    ----------
    reference, contigs
        The genome, and the contigs to use (all where None).
    windows
        `size`, `overlap` and `max_n_fraction` of the task.
    splits, size
        The `splits` block of the study, and the longest window of any of its tasks (see `split_regions`).
    blacklist
        BED of regions to leave out.

    Returns
    -------
    made : Examples
        `table`: the examples table; `counts`: `reason`, `count`, first of which `kept`; `shared`: bases of the genome
        that two splits have in common, 0 in every row.

    Raises
    ------
    InputError
        A contig is not in the genome, a split has no window, or two splits share a base.
    """
    lengths = used_contigs(reference.contigs, contigs)
    tiled = make_windows(lengths, windows["size"], windows["overlap"])
    usable, left_out = filter_windows(tiled, reference, windows["max_n_fraction"], blacklist)
    assigned, outside = assign_splits(usable, splits, lengths, size)
    counts = {"kept": len(assigned), **left_out, **outside}
    return Examples(
        examples_of(assigned),
        pd.DataFrame(counts.items(), columns=["reason", "count"]),
        require_disjoint(assigned),
    )


def examples_of(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the examples table of windows (`chrom`, `start`, `end`, `split`)."""
    names = windows["chrom"].astype(str) + ":" + windows["start"].astype(str) + "-" + windows["end"].astype(str)
    return examples_table(windows.assign(example=names, group=windows["chrom"]))


class Coverage(NamedTuple):
    """True and predicted coverage over the tiles of a split."""

    tiles: pd.DataFrame
    observed: list[NDArray[np.float32]]
    predicted: list[NDArray[np.float32]]


def scored_tiles(windows: pd.DataFrame, size: int, trim: int) -> pd.DataFrame:
    """Cut the bases that are scored into tiles that do not overlap.

    A base is scored where some window holds it at least `trim` bases from its ends; the union of these is cut into
    stretches of at most `size` bp, so that no base counts twice however much the windows overlap.

    Returns
    -------
    DataFrame
        `chrom`, `start`, `end`, sorted.
    """
    rows = []
    for chrom, group in windows.groupby("chrom", sort=True):
        inner = sorted(
            (start + trim, end - trim) for start, end in zip(group["start"], group["end"]) if end - start > 2 * trim
        )
        for start, end in _merge(inner):
            rows += [(chrom, left, min(left + size, end)) for left in range(start, end, size)]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


def _merge(intervals: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Merge sorted intervals that touch or overlap."""
    current: tuple[int, int] | None = None
    for start, end in intervals:
        if current is None or start > current[1]:
            if current is not None:
                yield current
            current = (start, end)
        else:
            current = (current[0], max(current[1], end))
    if current is not None:
        yield current


def read_coverage(tiles: pd.DataFrame, observed: TrackReader, predicted: TrackReader) -> Coverage:
    """Read true and predicted coverage, a `[T, L]` array a tile."""
    places = list(zip(tiles["chrom"], tiles["start"], tiles["end"]))
    return Coverage(tiles, [observed.read(*place) for place in places], [predicted.read(*place) for place in places])


def score_bases(coverage: Coverage, tracks: Sequence[str], draws: int, seed: int = 0) -> list[dict[str, Any]]:
    """Score coverage per base and per tile.

    Parameters
    ----------
    coverage
        True and predicted coverage over the tiles of one split.
    tracks
        Names of the tracks, `[T]`; a further row `mean` averages over them.
    draws
        Bootstrap draws over tiles.

    Returns
    -------
    list of dict
        Rows of a metrics table: `metric`, `track`, `value`, `ci_low`, `ci_high`, `n` (tiles).
    """
    plain = _tile_sums(coverage, lambda x: x)
    logged = _tile_sums(coverage, lambda x: np.log1p(np.clip(x, 0, None)))
    ranked = _rank_sums(coverage)
    absolute = np.array([np.abs(p - o).sum(axis=1) for o, p in zip(coverage.observed, coverage.predicted)])
    sizes = plain[:, :, moments.N]
    statistics = {
        "base_pearson": (plain, moments.pearson),
        "base_log1p_pearson": (logged, moments.pearson),
        "base_spearman": (ranked, moments.pearson),
        "base_mse": (plain, moments.mse),
        "base_rmse": (plain, lambda total: np.sqrt(moments.mse(total))),
        "base_r2": (plain, moments.r2),
        "base_mae": (np.stack([sizes, absolute], axis=-1), lambda total: total[..., 1] / total[..., 0]),
    }
    rows = []
    for metric, (table, statistic) in statistics.items():
        for index, track in enumerate(tracks):
            rows.append(metric_row(metric, interval_of_sums(table[:, index], statistic, draws, seed), track=track))
        rows.append(metric_row(metric, _mean_over_tracks(table, statistic, draws, seed), track="mean"))
    per_tile = {
        "window_pearson": moments.pearson(plain),
        "window_log1p_pearson": moments.pearson(logged),
        "window_mse": moments.mse(plain),
        "window_mae": absolute / sizes,
    }
    for metric, values in per_tile.items():
        for index, track in enumerate(tracks):
            rows.append(metric_row(metric, interval_of_mean(values[:, index], draws, seed), track=track))
        rows.append(metric_row(metric, interval_of_mean(values.mean(axis=1), draws, seed), track="mean"))
    for index, track in enumerate(tracks):
        rows += [metric_row(name, value, n, track=track) for name, value, n in _zero_scores(coverage, index)]
        expressed = _expressed(coverage, index)
        for metric, (table, statistic) in _expressed_sums(expressed).items():
            rows.append(metric_row(metric, interval_of_sums(table, statistic, draws, seed), track=track))
    return rows


def _mean_over_tracks(table: NDArray, statistic: Any, draws: int, seed: int) -> Interval:
    """Bootstrap the mean over tracks of a statistic; every track sees the same draw of tiles."""
    units, tracks, width = table.shape
    return interval_of_sums(
        table.reshape(units, tracks * width),
        lambda total: statistic(total.reshape(*total.shape[:-1], tracks, width)).mean(axis=-1),
        draws,
        seed,
    )


def _tile_sums(coverage: Coverage, transform: Any) -> NDArray[np.float64]:
    """Return the sums of each tile and track, `[tiles, T, 6]`."""
    return np.array(
        [
            [moments.sums(transform(x), transform(y)) for x, y in zip(observed, predicted)]
            for observed, predicted in zip(coverage.observed, coverage.predicted)
        ]
    )


def _rank_sums(coverage: Coverage) -> NDArray[np.float64]:
    """Return the sums of ranks, `[tiles, T, 6]`; the ranks are those of all bases and stay fixed in the bootstrap."""
    edges = np.cumsum([0, *(tile.shape[1] for tile in coverage.observed)])
    result = np.empty((len(coverage.observed), coverage.observed[0].shape[0], 6))
    for track in range(result.shape[1]):
        # Centred ranks keep the sums small and the correlation exact.
        x, y = (
            rankdata(np.concatenate([tile[track] for tile in side])) - (edges[-1] + 1) / 2
            for side in (coverage.observed, coverage.predicted)
        )
        for tile in range(len(edges) - 1):
            span = slice(edges[tile], edges[tile + 1])
            result[tile, track] = moments.sums(x[span], y[span])
    return result


def _zero_scores(coverage: Coverage, track: int) -> Iterator[tuple[str, float, int]]:
    """Yield scores of telling silent bases from expressed ones, with the number of bases."""
    observed = np.concatenate([tile[track] for tile in coverage.observed])
    predicted = np.concatenate([tile[track] for tile in coverage.predicted])
    silent = observed == 0
    n = observed.size
    yield "base_zero_ratio", silent.mean(), n
    if 0 < silent.sum() < n:
        yield "base_zero_auroc", roc_auc_score(silent, -predicted), n
        yield "base_zero_auprc", average_precision_score(silent, -predicted), n
        yield "base_nonzero_auprc", average_precision_score(~silent, predicted), n


def _expressed(coverage: Coverage, track: int) -> Coverage:
    """Return a track at its expressed bases alone, `[1, bases]` a tile; tiles without any are left out."""
    kept = [
        (observed[[track]][:, observed[track] != 0], predicted[[track]][:, observed[track] != 0])
        for observed, predicted in zip(coverage.observed, coverage.predicted)
        if observed[track].any()
    ]
    return Coverage(coverage.tiles, [observed for observed, _ in kept], [predicted for _, predicted in kept])


def _expressed_sums(expressed: Coverage) -> dict[str, tuple[NDArray[np.float64], Any]]:
    """Return scores on expressed bases: the sums of each tile, `[tiles, k]`, and the statistic of pooled sums."""
    if not expressed.observed:
        return {}
    plain = _tile_sums(expressed, lambda x: x)[:, 0]
    absolute = np.array([np.abs(p - o).sum(dtype=np.float64) for o, p in zip(expressed.observed, expressed.predicted)])
    return {
        "base_nonzero_mse": (plain, moments.mse),
        "base_nonzero_mae": (
            np.stack([plain[:, moments.N], absolute], axis=-1),
            lambda total: total[..., 1] / total[..., 0],
        ),
        "base_nonzero_pearson": (plain, moments.pearson),
        "base_nonzero_log1p_pearson": (
            _tile_sums(expressed, lambda x: np.log1p(np.clip(x, 0, None)))[:, 0],
            moments.pearson,
        ),
        "base_nonzero_spearman": (_rank_sums(expressed)[:, 0], moments.pearson),
    }


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
        chrom: list(_merge(sorted(zip(group["start"], group["end"])))) for chrom, group in tiles.groupby("chrom")
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
            change = np.column_stack(
                [_log2_ratio(wide[side, first], wide[side, second]) for side in ("observed_exons", "predicted_exons")]
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


def _log2_ratio(x: pd.Series, y: pd.Series) -> NDArray[np.float64]:
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


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    observed: Sequence[str],
    predicted: Sequence[str],
    genes: pd.DataFrame,
    exons: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the predicted tracks of a run on every held-out split.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    examples
        Examples table; splits other than `train` are scored.
    observed, predicted
        Averaged and predicted bigWigs in the order of the run's tracks.
    genes, exons
        Tables of the annotation (may be empty: then there are no gene-level scores).

    Returns
    -------
    metrics, genes
        The metrics table, and a row a gene and track with its observed and predicted mean coverage.
    """
    task, tracks = settings["task"], settings["tracks"]
    truth, guess = TrackReader(list(observed)), TrackReader(list(predicted))
    rows, tables = [], []
    for split in ("validation", "test"):
        windows = examples[examples["split"] == split]
        if windows.empty:
            continue
        tiles = scored_tiles(windows, task["windows"]["size"], task["trim"])
        found = score_bases(read_coverage(tiles, truth, guess), list(tracks), task["bootstrap"])
        table = gene_table(genes, exons, tiles, truth, guess, tracks)
        found += score_genes(table, task["bootstrap"])
        found += score_fold_changes(table, tracks, task["bootstrap"])
        found += score_deviations(table)
        rows += [{**row, "split": split} for row in found]
        tables.append(table.assign(split=split))
    return metrics_table(rows, **run_keys(settings)), pd.concat(tables, ignore_index=True)

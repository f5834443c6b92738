"""Scores of coverage per base, pooled over a split (`base_*`), and averaged over tiles of a window's length (`window_*`).

Intervals rest on blocks of the genome, never on single bases or tiles, which are anything but independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from glmflow.statistics import moments
from glmflow.statistics.bootstrap import Interval, interval_of_sums
from glmflow.statistics.influence import Score, mean_value, of_sums
from glmflow.statistics.resampling import CORRELATION, interval
from glmflow.tasks.tables import metric_row
from glmflow.tracks.reading import TrackReader

CORRELATIONS = ("base_pearson", "base_log1p_pearson", "base_spearman")


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
        for start, end in merged(inner):
            rows += [(chrom, left, min(left + size, end)) for left in range(start, end, size)]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


def merged(intervals: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
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


def score_bases(
    coverage: Coverage, tracks: Sequence[str], draws: int, blocks: NDArray[np.int64] | None = None, seed: int = 0
) -> tuple[list[dict[str, Any]], dict[str, Score]]:
    """Score coverage per base and per tile.

    Parameters
    ----------
    coverage
        True and predicted coverage over the tiles of one split.
    tracks
        Names of the tracks, `[T]`; a further row `mean` averages over them.
    draws
        Bootstrap draws over tiles, of the scores of expressed bases alone.
    blocks
        Block of each tile (`genome.loci.blocks`): what lies in one is one unit. Each tile its own where None.

    Returns
    -------
    rows, scores
        Rows of a metrics table: `metric`, `track`, `value`, `ci_low`, `ci_high`, `n` (tiles); and the scores over all
        tracks by metric, with what each block adds.
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
    rows, scores = [], {}
    tiles = len(coverage.observed)
    moving = varies(coverage.predicted)
    for metric, (table, statistic) in statistics.items():
        bounds = CORRELATION if metric in CORRELATIONS else None
        for index, track in enumerate(tracks):
            own = of_sums(table[:, index], statistic, blocks)
            rows.append(metric_row(metric, limits(own, tiles, bounds), track=track))
        scores[metric] = mean_over_tracks(table, statistic, blocks)._replace(plays=moving)
        rows.append(metric_row(metric, limits(scores[metric], tiles, bounds), track="mean"))
    per_tile = {
        "window_pearson": moments.pearson(plain),
        "window_log1p_pearson": moments.pearson(logged),
        "window_mse": moments.mse(plain),
        "window_mae": absolute / sizes,
    }
    for metric, values in per_tile.items():
        bounds = CORRELATION if metric.endswith("pearson") else None
        for index, track in enumerate(tracks):
            rows.append(metric_row(metric, limits(mean_value(values[:, index], blocks), tiles, bounds), track=track))
        rows.append(metric_row(metric, limits(mean_value(values.mean(axis=1), blocks), tiles, bounds), track="mean"))
    for index, track in enumerate(tracks):
        rows += [metric_row(name, value, n, track=track) for name, value, n in _zero_scores(coverage, index)]
        expressed = _expressed(coverage, index)
        for metric, (table, statistic) in _expressed_sums(expressed).items():
            rows.append(metric_row(metric, interval_of_sums(table, statistic, draws, seed), track=track))
    return rows, scores


def varies(tiles: Sequence[NDArray[np.float32]]) -> bool:
    """Return whether more than one value is predicted for any track."""
    lowest, highest = (np.stack([limit(tile, axis=1) for tile in tiles]) for limit in (np.min, np.max))
    return bool((highest.max(axis=0) > lowest.min(axis=0)).any())


def mean_over_tracks(table: NDArray[np.float64], statistic: Any, loci: NDArray[np.int64] | None) -> Score:
    """Return the mean over tracks of a statistic of pooled sums, by leaving out a block at a time in all of them.

    Parameters
    ----------
    table
        Additive sums of each row (tile, gene) and track, `[rows, T, k]`.
    statistic
        Function of pooled sums, `[..., k] -> [...]`.
    loci
        Block of each row.
    """
    rows, tracks, width = table.shape
    return of_sums(
        table.reshape(rows, tracks * width),
        lambda total: statistic(total.reshape(*total.shape[:-1], tracks, width)).mean(axis=-1),
        loci,
    )


def limits(score: Score, n: int, bounds: tuple[float, float] | None = None) -> Interval:
    """Return a score with its 95 % interval over blocks, `n` rows behind it; none where there is one block."""
    found = interval([score], bounds)
    return Interval(found.value, found.low, found.high, n)


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

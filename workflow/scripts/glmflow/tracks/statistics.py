"""What a track is like: its level, and how well its replicates agree."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import combinations
from statistics import median

import numpy as np
import pandas as pd

from glmflow.bigwig import BigWig
from glmflow.errors import InputError
from glmflow.genome.contigs import ContigNames
from glmflow.statistics.correlation import pearson
from glmflow.tracks.averaging import union_of_contigs
from glmflow.tracks.reading import TrackReader

_BIN = 1_000
_CHUNK = 1_000 * _BIN


def nonzero_mean(path: str | os.PathLike[str], regions: pd.DataFrame) -> float:
    """Return the mean of a track over the bases of some regions where it is not 0.

    It scales targets (see `glmflow.tracks.scaling`), so it is to know the training regions only: a mean that knows the
    held-out ones tells the model about them.

    Parameters
    ----------
    path
        bigWig file.
    regions
        `chrom`, `start`, `end`; disjoint.

    Returns
    -------
    float
        Sum of value times span over sum of span, of all finite values other than 0.

    Raises
    ------
    InputError
        The track is 0 throughout the regions; or as `BigWig`.
    """
    total, bases = 0.0, 0
    with BigWig(path) as file:
        names = ContigNames(file.contigs)
        for chrom, start, end in zip(regions["chrom"], regions["start"], regions["end"]):
            if (name := names.find(chrom)) is None:
                continue
            for starts, ends, values in file.runs(name, start, min(end, file.contigs[name])):
                spans = np.where(np.isfinite(values) & (values != 0), ends - starts, 0)
                total += float(np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0) @ spans)
                bases += int(spans.sum())
    if not bases:
        raise InputError(
            "the track is 0 throughout the training regions",
            where=path,
            fix="Train on contigs that have signal, or leave the track out.",
        )
    return total / bases


def replicate_correlation(paths: Sequence[str | os.PathLike[str]]) -> pd.DataFrame:
    """Correlate every two replicates of a track.

    Parameters
    ----------
    paths
        bigWig files.

    Returns
    -------
    DataFrame
        `replicate_a`, `replicate_b` (as given) and `r`: the Pearson correlation of log(1 + mean) over all bins of
        1,000 bases of the genome; the sign of negative values is kept aside from the logarithm. A replicate without
        signal correlates with none: 0.

    Raises
    ------
    InputError
        As `union_of_contigs`.
    """
    reader = TrackReader(paths)
    levels = [
        _bin_means(reader.read(chrom, start, min(start + _CHUNK, length)))
        for chrom, length in union_of_contigs(paths).items()
        for start in range(0, length, _CHUNK)
    ]
    level = np.concatenate(levels, axis=1)
    level = np.sign(level) * np.log1p(np.abs(level))
    names = [str(path) for path in paths]
    rows = [(names[a], names[b], float(pearson(level[a], level[b]))) for a, b in combinations(range(len(names)), 2)]
    return pd.DataFrame(rows, columns=["replicate_a", "replicate_b", "r"])


def _bin_means(coverage: np.ndarray) -> np.ndarray:
    """Return the means over bins, float64[tracks, bins]; the last bin may be shorter."""
    first = np.arange(0, coverage.shape[1], _BIN)
    spans = np.diff(np.append(first, coverage.shape[1]))
    return np.add.reduceat(coverage, first, axis=1, dtype=np.float64) / spans


def outlying_replicates(correlations: pd.DataFrame) -> list[str]:
    """Point out replicates that look unlike their group.

    A replicate is one where the median of its correlations with the others lies below the group's median of those
    medians by more than three times their scaled median absolute deviation (Leys et al. 2013,
    doi:10.1016/j.jesp.2013.03.013), and by more than 0.1. Of two replicates neither can be told to be the odd one. Three
    leave no deviation to measure by: the third is odd where the best pair is closer than either of its members is to the
    third by more than 0.1, and by more than these two correlations differ from each other.

    Parameters
    ----------
    correlations
        As `replicate_correlation` returns them.

    Returns
    -------
    list[str]
        Their names, in the order of the table.
    """
    r: dict[str, list[float]] = {}
    for a, b, value in correlations[["replicate_a", "replicate_b", "r"]].itertuples(index=False):
        r.setdefault(a, []).append(value)
        r.setdefault(b, []).append(value)
    if len(r) < 3:
        return []
    if len(r) == 3:
        return _odd_of_three(correlations)
    typical = {name: median(values) for name, values in r.items()}
    middle = median(typical.values())
    deviation = 1.4826 * median(abs(value - middle) for value in typical.values())
    return [name for name, value in typical.items() if value < middle - max(3 * deviation, 0.1)]


def _odd_of_three(correlations: pd.DataFrame) -> list[str]:
    """Return the replicate that is not in the best of three pairs, where it stands apart."""
    (a, b, best), *others = sorted(
        correlations[["replicate_a", "replicate_b", "r"]].itertuples(index=False, name=None), key=lambda pair: -pair[2]
    )
    nearer, farther = (pair[2] for pair in others)
    third = next(name for pair in others for name in pair[:2] if name not in (a, b))
    return [third] if best - nearer > max(0.1, nearer - farther) else []

"""Predictors that are given something a model has to find out, or must not know: what remembering and looking reach."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.packed import EachRow, OnGenome
from glmflow.genome.similarity import HOMOLOGOUS, K
from glmflow.labelled.framing import COMPARED
from glmflow.labelled.near_pairs import near_pairs
from glmflow.labelled.overlap import best_overlaps, overlapping_pairs
from glmflow.labelled.simple_predictors import by_quantile, logistic, shares

from .nearest_training import nearest_training
from .sequence_predictors import Array, Fit, Predicted, SequenceData

MEMORY = "the labels of the most similar training and validation sequences, nothing else"
NEIGHBOURS = "the labels of the neighbouring windows, which a model of sequences does not have"
ALLELES = "which variants a haplotype carries"


def fit_nearest_training(data: SequenceData, share: float | None = None, k: int = K, cores: int = 1) -> Predicted:
    """Take the label of the most similar training or validation sequence: what memorising scores.

    By shared k-mers on either strand (at least `share` of the smaller set), or where sequences are not at hand, or are more
    than is compared (`COMPARED`), by the largest overlap of intervals. Rows with nothing like them get the shares of the
    known rows that have nothing like them either: in the official split of non-TATA promoters these are the positives.
    """
    share = HOMOLOGOUS if share is None else share
    known, asked = data.of("train", "validation"), data.of("test")
    by_place = data.packed is None or (isinstance(data.packed, OnGenome) and data.packed.lengths.sum() > COMPARED)
    if by_place:
        best = best_overlaps(data.rows.iloc[asked], data.rows.iloc[known])
        first, second, _ = overlapping_pairs(data.rows.iloc[known])
        alike, strength = np.union1d(first, second), np.ones(len(asked))
    else:
        found = nearest_training(EachRow(data.sequences), known, asked, k, cores)
        strength = found["share"].to_numpy()
        best = np.where(strength >= share, found["target"].to_numpy(), -1)
        near = near_pairs(data.sequences.take(known), k, share, cores=cores)
        alike = np.union1d(near.table["first"], near.table["second"])
    lone = np.setdiff1d(np.arange(len(known)), alike)
    fallback = shares(data.target[known[lone]] if len(lone) else data.target[known], data.classes)
    values = np.tile(fallback, (len(data.target), *([1] * fallback.ndim))).astype(np.float64)
    hit = best >= 0
    label = data.target[known[best[hit]]]
    if data.classes is None:
        values[asked[hit]] = label
    else:
        doubt = 0.5 * (1 - strength[hit])[:, None]
        values[asked[hit]] = (
            doubt * shares(data.target[known], data.classes) + (1 - doubt) * np.eye(data.classes)[label]
        )
    chosen = {"found": int(hit.sum()), "of": len(asked), "by": "intervals" if by_place else f"{k}-mers"}
    return Predicted(values, chosen, MEMORY)


def fit_neighbour_count(data: SequenceData, count: NDArray, bins: int = 20) -> Predicted:
    """Fit the shares of classes by the mean count of the two windows next to each.

    Parameters
    ----------
    count
        Mean count of both neighbours of each row (see `hotspots.neighbour_counts`); NaN where it has none.
    """
    train = data.of("train")
    values = np.where(np.isfinite(count), count, np.nanmedian(count[train]))
    return Predicted(by_quantile(values[train], data.target[train], data.classes, bins)(values), {}, NEIGHBOURS)


def fit_alleles(data: SequenceData, alleles: NDArray, c: float = 1.0, seed: int = 0) -> Predicted:
    """Fit a logistic regression to the alleles that each haplotype carries, `[n, variants]` of 0 and 1."""
    train = data.of("train")
    predict = logistic(
        np.asarray(alleles, np.float32)[train], data.target[train], int(data.classes or 0), c, False, seed
    )
    return Predicted(predict(np.asarray(alleles, np.float32)), {"c": c}, ALLELES)


def fit_nearest_haplotype(data: SequenceData, alleles: NDArray) -> Predicted:
    """Take the classes of the training haplotypes that differ at the fewest variants, ties counted alike."""
    train = data.of("train")
    x = np.asarray(alleles, np.float32)
    ones = x.sum(axis=1)
    values = np.empty((len(x), int(data.classes or 0)))
    known = np.eye(values.shape[1])[data.target[train]]
    for start in range(0, len(x), 1024):
        own = x[start : start + 1024]
        distance = ones[start : start + 1024, None] + ones[train] - 2 * own @ x[train].T
        closest = (distance == distance.min(axis=1, keepdims=True)).astype(np.float64)
        values[start : start + 1024] = closest @ known / closest.sum(axis=1, keepdims=True)
    return Predicted(values, {}, ALLELES)


def fit_alt_count(data: SequenceData, alleles: NDArray, bins: int = 20) -> Predicted:
    """Fit the shares of classes by the number of alternative alleles alone."""
    train, count = data.of("train"), np.asarray(alleles, np.float64).sum(axis=1)
    return Predicted(by_quantile(count[train], data.target[train], data.classes, bins)(count), {}, ALLELES)


def distance_only(data: SequenceData, distance: pd.Series, bins: int = 20) -> Predicted:
    """Fit the shares of classes by a distance that a table gives (to the nearest TSS, for eQTL)."""
    train, values = data.of("train"), np.abs(distance.to_numpy(np.float64))
    return Predicted(by_quantile(values[train], data.target[train], data.classes, bins)(values), {}, str(distance.name))


def probabilities(values: Array) -> Array:
    """Return probabilities whose rows add up to one."""
    return values / values.sum(axis=1, keepdims=True)


LOOKUPS: Mapping[str, Fit] = {
    "nearest_training": fit_nearest_training,
    "neighbour_count": fit_neighbour_count,
    "allele_logistic": fit_alleles,
    "nearest_haplotype_class": fit_nearest_haplotype,
    "alt_count": fit_alt_count,
}
"""Predictors that are given something, by the name that a study gives them."""

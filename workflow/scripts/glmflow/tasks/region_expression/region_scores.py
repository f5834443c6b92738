"""Scores of predicted expression at promoters: within cells, and what sets a cell apart from training cells."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.binding.region_table import RegionTable, values_of
from glmflow.errors import InputError
from glmflow.metrics import bounds
from glmflow.statistics.influence import Score, mean_of_scores, numbered, several_of_weights
from glmflow.statistics.regression import value_scores
from glmflow.statistics.resampling import CORRELATION
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.comparable import cell as cell_of
from glmflow.tasks.tables import CLEAN, Scored, metric_row, metrics_table, run_keys

FEWEST = 3
"""Promoters of a cell below which it is not scored."""
COMPARED = ("pearson", "deviation_pearson", "spearman")


class CellScores(NamedTuple):
    """Scores of the promoters of a cell by name, each with its influences; blocks of these; observed and predicted values."""

    scores: dict[str, Score]
    blocks: NDArray[np.int64]
    truth: NDArray[np.float32]
    said: NDArray[np.float32]


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score promoters of test cells in test regions, and of new cells and new regions alone.

    `all` is the hardest part that there is: new cells in new regions, else new regions, else new cells. Scores are of each cell,
    over its promoters (region and strand), averaged over cells; `no_near_copy` is its regions
    that hold no copy of training; `deviation_pearson` is of what is left without the mean of
    training cells at the promoter. Intervals are over blocks of the genome and cells.

    Raises
    ------
    InputError
        A promoter has no finite prediction.
    """
    table = RegionTable(examples, files["tables"], files["matrix"])
    values = values_of(table, predictions)
    parts = {"validation": table.validation, **dict(table.test_parts())}
    scored = {name: found for name, pairs in parts.items() if (found := of_cells(table, values, pairs))}
    hardest = next((name for name in scored if name != "validation"), None)
    if hardest is None:
        raise InputError("no cell has promoters to be scored", where="splits", fix="Hold out more regions or cells.")
    if CLEAN in examples and (clean := of_cells(table, values, parts[hardest] & table.clean[:, None])):
        scored[CLEAN] = clean
    rows, of_each, units = [], [], {}
    for name, found in scored.items():
        split, subsets = ("validation", ["all"]) if name == "validation" else ("test", ["all", name][name != hardest :])
        of_each += [row_of(name, cell, one) for cell, one in found.items()]
        for metric, one in mean_scores(found).items():
            for subset in subsets:
                rows.append(metric_row(metric, one.score.value, len(found), split=split, subset=subset))
                if metric in COMPARED and len(one.score.influence) > 1:  # one block tells nothing of its spread
                    units[cell_of(metric, split, subset)] = one
    written = {"cells.tsv": pd.DataFrame(of_each), "promoters.tsv": promoters_of(table, values, hardest)}
    return Scored(metrics_table(rows, **run_keys(settings)), written, units)


def of_cells(table: RegionTable, values: NDArray, pairs: NDArray[np.bool_]) -> dict[str, CellScores]:
    """Return the scores of each cell that has promoters among `pairs`, `[regions, cells]`."""
    found = {}
    block_of = numbered(table.regions["group"].to_numpy().astype(str))
    for place, name in enumerate(table.cell_names):
        rows, side = np.nonzero(pairs[:, place, None] & table.promoters)
        if len(rows) < FEWEST:
            continue
        truth, said = table.expression[rows, place, side], values[rows, place, side]
        wrong = ~np.isfinite(said)
        if wrong.any():
            region = table.regions["example"].iloc[rows[wrong][0]]
            what = f"{int(wrong.sum()):,} promoters of {name} have no finite prediction, first {region}"
            raise InputError(what, where="predictions", fix="Predict every accessible region of every held-out cell.")
        blocks, inverse = np.unique(block_of[rows], return_inverse=True)
        statistics = partial(promoter_scores, truth, said, table.mean_of_training[rows, side])
        scores = several_of_weights(statistics, len(rows), inverse)
        found[name] = CellScores(scores, blocks, truth, said)
    return found


def promoter_scores(truth: NDArray, said: NDArray, mean: NDArray, weights: NDArray[np.float64]) -> dict[str, NDArray]:
    """Return the scores of weighted promoters, `[draws]` each."""
    apart = value_scores(truth - mean, said - mean, weights)["pearson"]
    return value_scores(truth, said, weights) | {"deviation_pearson": apart}


def mean_scores(found: Mapping[str, CellScores]) -> dict[str, Stored]:
    """Return the mean of each score over cells, with what blocks and cells add to it."""
    cells = list(found)
    units = digest(cells, np.concatenate([one.truth for one in found.values()]).round(5))
    plays = any(np.ptp(one.said) > 1e-9 for one in found.values())
    blocks = [one.blocks for one in found.values()]
    means = {}
    for metric in next(iter(found.values())).scores:
        own = mean_of_scores([one.scores[metric] for one in found.values()], blocks, cells, plays)
        error = metric in ("mse", "mae")
        limits = CORRELATION if metric == "deviation_pearson" else bounds(metric)
        means[metric] = Stored(own, units, higher=not error, chance=None if error else 0.0, bounds=limits)
    return means


def row_of(part: str, cell: str, one: CellScores) -> dict[str, Any]:
    """Return the scores of a cell as a row."""
    return {"part": part, "cell": cell, "n": len(one.truth)} | {name: own.value for name, own in one.scores.items()}


def promoters_of(table: RegionTable, values: NDArray, part: str) -> pd.DataFrame:
    """Return expression and prediction at every promoter of a part, a row a promoter and cell."""
    pairs = dict(table.test_parts())[part]
    rows, cells, side = np.nonzero(pairs[:, :, None] & table.promoters[:, None, :])
    return pd.DataFrame({
        "example": table.regions["example"].to_numpy()[rows],
        "cell": np.array(table.cell_names, object)[cells],
        "strand": np.array(["+", "-"])[side],
        "observed": table.expression[rows, cells, side],
        "predicted": values[rows, cells, side],
        "mean_of_training_cells": table.mean_of_training[rows, side],
    })  # fmt: skip

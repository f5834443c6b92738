"""Baselines of kind `region_expression`: from the mean to what a simulation knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glmflow.binding.region_table import RegionTable, predictions_of
from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.genome.window_sequences import WindowSequences
from glmflow.tasks.region_expression.simulated_regions import simulate_expression

from .fitting_data import Apply, Fit, FittingData
from .nearest_training import donors

Array = NDArray[np.float32]
Columns = Callable[[RegionTable, NDArray[np.int64], int], Array]
"""`(table, regions, cell) -> [regions, n]`: what is read of regions in a cell."""


def of_table(values: Callable[[FittingData, RegionTable], Array]) -> Fit:
    """Return the fit of a baseline from what gives `values[regions, cells, 2]`."""

    def fitted(data: FittingData) -> Apply:
        table = RegionTable(data.examples, data.files["tables"], data.files["matrix"])
        found = predictions_of(table, values(data, table))

        def apply(folder: Path) -> pd.DataFrame:
            return found

        return apply

    return fitted


def training_rows(
    table: RegionTable, columns: Columns, most: int | None = None, seed: int = 0
) -> tuple[Array, NDArray[np.float32]]:
    """Return inputs and targets of training promoters in training cells, a row a region, cell and strand."""
    inputs, targets = [], []
    own = np.argwhere(table.training[:, :, None] & table.promoters[:, None, :])
    if most is not None and len(own) > most:
        own = own[np.sort(np.random.default_rng(seed).choice(len(own), most, replace=False))]
    for cell in np.unique(own[:, 1]):
        rows, side = own[own[:, 1] == cell][:, [0, 2]].T
        regions, inverse = np.unique(rows, return_inverse=True)
        inputs.append(columns(table, regions, int(cell))[inverse])
        targets.append(table.expression[rows, cell, side])
    return np.concatenate(inputs), np.concatenate(targets)


def by_regression(make: Callable[[FittingData], object], columns_of: Callable[[FittingData], Columns]) -> Fit:
    """Return the fit of a regression of promoters on what is read of their region; both strands get one value."""

    def values(data: FittingData, table: RegionTable) -> Array:
        columns = columns_of(data)
        most = getattr(data.baseline, "rows", None)
        model = make(data).fit(*training_rows(table, columns, most, data.settings["seed"]))
        found = np.zeros(table.expression.shape, np.float32)
        for cell in range(len(table.cell_names)):
            rows = np.flatnonzero(table.predicted[:, cell])
            if len(rows):
                found[rows, cell] = np.clip(model.predict(columns(table, rows, cell)), 0, None)[:, None]
        return found

    return of_table(values)


def _mean(data: FittingData, table: RegionTable) -> Array:
    own = table.expression[table.training[:, :, None] & table.promoters[:, None, :]]
    return np.full(table.expression.shape, own.mean(), np.float32)


def _training_cells(data: FittingData, table: RegionTable) -> Array:
    return np.repeat(table.mean_of_training[:, None], len(table.cell_names), axis=1)


def _lookup(data: FittingData, table: RegionTable) -> Array:
    """Predict a promoter by the training region that it is most like: its mean over training cells, by strand.

    Training regions in new cells are like themselves; what is like none has the mean of training promoters. A region has
    no strand: a copy of the other strand is one as well.
    """
    task = task_block(data.settings["task"])
    if task.simulated:
        packed = simulate_expression(**task.simulated.model_dump()).sequences
        sequences = [packed.one(row) for row in table.regions["row"]]
    else:
        sequences = WindowSequences(Reference(data.files["genome"]).fetch, table.regions)
    promoters = table.promoters
    known = (table.training.any(axis=1)[:, None] & promoters).any(axis=1)
    source = donors(sequences, known, data.baseline.share, data.cores)
    either = np.where(promoters, table.mean_of_training, 0).sum(axis=1) / np.maximum(promoters.sum(axis=1), 1)
    measured = np.where(promoters, table.mean_of_training, either[:, None])
    found = np.where(source[:, None] >= 0, measured[source], _mean(data, table)[:, 0])
    return np.repeat(found[:, None].astype(np.float32), len(table.cell_names), axis=1)


def _accessibility(data: FittingData) -> Columns:
    return lambda table, regions, cell: table.accessibility[regions, cell][:, None]


def _columns(data: FittingData) -> Columns:
    reach, binary = getattr(data.baseline, "neighbours", 0), data.settings["task"]["binary"]

    def columns(table: RegionTable, regions: NDArray[np.int64], cell: int) -> Array:
        own = table.inputs(regions, cell, binary)
        return np.concatenate([own, around(table, regions, cell, reach, binary)], axis=1) if reach else own

    return columns


def around(table: RegionTable, regions: NDArray[np.int64], cell: int, reach: int, binary: bool) -> Array:
    """Return the sum of columns times accessibility over `reach` accessible regions on either side, of one contig."""
    open_ = np.flatnonzero(table.accessibility[:, cell] > 0)
    chrom = pd.factorize(table.regions["chrom"])[0]
    values = table.inputs(open_, cell, binary) * table.accessibility[open_, cell][:, None]
    place = np.searchsorted(open_, regions)
    found = np.zeros((len(regions), values.shape[1]), np.float32)
    for apart in (*range(-reach, 0), *range(1, reach + 1)):
        other = np.clip(place + apart, 0, len(open_) - 1)
        there = (place + apart == other) & (chrom[open_[other]] == chrom[regions])
        found += np.where(there[:, None], values[other], 0)
    return found


def _truth(data: FittingData, table: RegionTable) -> Array:
    if table.truth is None:
        where = f"models.{data.settings['model_label']}"
        raise InputError("the truth is known of simulated data alone", where=where, fix="Leave it out.")
    return table.truth


def _perceptron(data: FittingData) -> object:
    network = MLPRegressor(
        hidden_layer_sizes=(data.baseline.hidden,),
        early_stopping=True,
        max_iter=200,
        random_state=data.settings["seed"],
    )
    return make_pipeline(StandardScaler(), network)


FITS = {
    "nearest_training": of_table(_lookup),
    "promoter_mean": of_table(_mean),
    "training_cell_mean": of_table(_training_cells),
    "promoter_accessibility": by_regression(lambda data: LinearRegression(), _accessibility),
    "region_ridge": by_regression(lambda data: make_pipeline(StandardScaler(), Ridge(data.baseline.alpha)), _columns),
    "region_perceptron": by_regression(_perceptron, _columns),
    "expression_truth": of_table(_truth),
}

"""Regions of several cells as arrays, for whatever learns, predicts or scores expression from them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.files import read_table

STRANDS = ("plus", "minus")
BOTH, NEW_REGIONS, NEW_CELLS = "new_cells_new_regions", "new_regions", "new_cells"


class RegionTable:
    """Motif clusters and accessibility of regions in cells, and the expression at their promoters.

    Parameters
    ----------
    examples
        Examples table, a region a row; `row` is its row of the motif matrix.
    folder
        `cells.tsv`, `columns.tsv`, `accessibility.parquet`, `expression_{strand}.parquet`.
    matrix
        Folder of the motif matrix (`sums.parquet`).
    """

    def __init__(self, examples: pd.DataFrame, folder: str | Path, matrix: str | Path):
        self.folder, self.matrix = Path(folder), Path(matrix)
        self.regions = examples.reset_index(drop=True)
        self.cells = read_table(self.folder / "cells.tsv")
        self.columns = read_table(self.folder / "columns.tsv")

    @cached_property
    def cell_names(self) -> list[str]:
        """Cells, in the order of all that is by cell."""
        return self.cells["cell"].tolist()

    @cached_property
    def split_of_cells(self) -> NDArray[np.object_]:
        """Split of each cell."""
        return self.cells["split"].to_numpy(object)

    @cached_property
    def split_of_regions(self) -> NDArray[np.object_]:
        """Split of each region."""
        return self.regions["split"].to_numpy(object)

    @cached_property
    def clean(self) -> NDArray[np.bool_]:
        """Which regions are held out and hold no copy of training; all where none does."""
        return self.regions.get("no_near_copy", pd.Series(True, self.regions.index)).to_numpy(bool)

    @cached_property
    def promoters(self) -> NDArray[np.bool_]:
        """Whether a gene starts in a region on a strand, `[regions, 2]`."""
        return self.regions[[f"promoter_{strand}" for strand in STRANDS]].to_numpy(bool)

    @cached_property
    def scaled(self) -> NDArray[np.float32]:
        """Sums of motif clusters over their largest value in training, 0 to 1, `[regions, clusters]`."""
        table = pd.read_parquet(self.matrix / "sums.parquet", columns=self.columns["cluster"].astype(str).tolist())
        sums = table.to_numpy(np.float32)[self.regions["row"].to_numpy()]
        scale = self.columns["scale"].to_numpy(np.float32)
        return np.clip(sums / np.where(scale > 0, scale, 1), 0, 1)

    def _by_cell(self, name: str) -> NDArray[np.float32]:
        return pd.read_parquet(self.folder / f"{name}.parquet")[self.cell_names].to_numpy(np.float32)

    @cached_property
    def accessibility(self) -> NDArray[np.float32]:
        """Accessibility, `[regions, cells]`, 0 to 1; 0 where a region is none of the cell's."""
        return self._by_cell("accessibility")

    @cached_property
    def expression(self) -> NDArray[np.float32]:
        """Mean log10(TPM + 1) of the genes that start in a region, `[regions, cells, 2]`; 0 where none does."""
        return np.stack([self._by_cell(f"expression_{strand}") for strand in STRANDS], axis=2)

    @cached_property
    def truth(self) -> NDArray[np.float32] | None:
        """The same without noise, where a simulation knows it."""
        if not (self.folder / "truth_plus.parquet").exists():
            return None
        return np.stack([self._by_cell(f"truth_{strand}") for strand in STRANDS], axis=2)

    @cached_property
    def mean_of_training(self) -> NDArray[np.float32]:
        """Mean expression of a region over the training cells that it is accessible in, `[regions, 2]`; 0 in none."""
        own = ((self.split_of_cells == "train")[None] & (self.accessibility > 0))[..., None]
        return (np.where(own, self.expression, 0).sum(axis=1) / np.maximum(own.sum(axis=1), 1)).astype(np.float32)

    def inputs(self, regions: NDArray[np.int64], cell: int, binary: bool) -> NDArray[np.float32]:
        """Return what is read of regions in a cell, `[regions, clusters + 1]`; `binary`: the last column is 1."""
        last = np.ones(len(regions), np.float32) if binary else self.accessibility[regions, cell]
        return np.concatenate([self.scaled[regions], last[:, None]], axis=1)

    @cached_property
    def training(self) -> NDArray[np.bool_]:
        """Which regions of which cells are learned from, `[regions, cells]`."""
        return self._pairs("train", "train")

    @cached_property
    def validation(self) -> NDArray[np.bool_]:
        """Which choose among models: validation regions, of validation cells (of training cells where there are none)."""
        held = "validation" if (self.split_of_cells == "validation").any() else "train"
        return self._pairs("validation", held)

    @cached_property
    def predicted(self) -> NDArray[np.bool_]:
        """Which are predicted: all that are accessible and not learned from."""
        return (self.accessibility > 0) & ~self.training

    def test_parts(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield what is scored, by name: new cells in new regions, and one of them alone."""
        yield BOTH, self._pairs("test", "test")
        yield NEW_REGIONS, self._pairs("test", "train")
        yield NEW_CELLS, self._pairs("train", "test")

    def _pairs(self, regions: str, cells: str) -> NDArray[np.bool_]:
        own = (self.split_of_regions == regions)[:, None] & (self.split_of_cells == cells)[None]
        return own & (self.accessibility > 0)


def predictions_of(table: RegionTable, values: NDArray) -> pd.DataFrame:
    """Return a predictions table from `values[regions, cells, 2]`: `example`, `prediction_{cell}_{strand}`.

    What is learned from and what is not accessible is NaN.
    """
    known = np.where(table.predicted[..., None], values, np.nan).astype(np.float32)
    found = {
        f"prediction_{cell}_{strand}": known[:, place, side]
        for place, cell in enumerate(table.cell_names)
        for side, strand in enumerate(STRANDS)
    }
    return pd.DataFrame({"example": table.regions["example"].to_numpy(), **found})


def values_of(table: RegionTable, predictions: pd.DataFrame) -> NDArray[np.float32]:
    """Return `values[regions, cells, 2]` of a predictions table; NaN where it has none."""
    rows = predictions.set_index("example").reindex(table.regions["example"].to_numpy())
    names = [[f"prediction_{cell}_{strand}" for strand in STRANDS] for cell in table.cell_names]
    return np.stack([rows.reindex(columns=own).to_numpy(np.float32) for own in names], axis=1)

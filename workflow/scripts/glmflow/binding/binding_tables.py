"""Tables of a binding task beside its examples: written with them, and read by whatever learns, predicts or scores."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from glmflow.files import read_table

from .motif_files import Motif

GENERIC = ("gc", "cpg_oe", "log_length", "n_share")
"""Numbers of a region that need no motif."""


DRAWS = 10
"""Draws of a control that are kept in the table of keys: as many as a control has where a study names no seeds."""
DRAW = "control_draw"
"""Column of the examples of a control: which of the draws their run is of, the same in every row; 1 where it is missing."""


class Tables(NamedTuple):
    """Tables by their file names (`Made.facts`)."""

    keys: pd.DataFrame
    labels: pd.DataFrame
    tfs: pd.DataFrame
    motifs: pd.DataFrame
    similarity: pd.DataFrame
    scores: pd.DataFrame
    margins: pd.DataFrame
    cells: pd.DataFrame
    tf_expression: pd.DataFrame
    accessibility: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    ambiguous: pd.DataFrame | None = None
    proteins: pd.DataFrame | None = None
    samples: pd.DataFrame | None = None

    def files(self) -> dict[str, pd.DataFrame]:
        """Return the tables that there are, by file name."""
        text = ("keys", "tfs", "samples")
        return {
            f"{name}.{'tsv' if name in text else 'parquet'}": table
            for name, table in self._asdict().items()
            if table is not None
        }


class Binding:
    """A binding task as arrays.

    Attributes
    ----------
    regions
        The examples table.
    keys
        `key`, `cell`, `tf`, `family`, `cluster`, `split`, `kind`, `relation`, `cell_features_of`, `tf_features_of`: whose features
        describe a key (another one's in the controls).
    labels
        bool `[keys, regions]`.
    known
        Whether a label is known, bool `[keys, regions]`: those that are not are ambiguous, and neither learned nor scored.
    """

    def __init__(self, examples: pd.DataFrame, folder: str | Path):
        self.folder = Path(folder)
        self.regions = examples.reset_index(drop=True)
        self.keys = read_table(self.folder / "keys.tsv").fillna({"kind": "", "relation": ""})
        self.keys = self.keys.fillna({"family": self.keys["tf"]})
        if DRAW in self.regions:
            self.keys = of_draw(self.keys, int(self.regions[DRAW].iloc[0]))
        self.labels = self._matrix("labels")
        self.known = ~self._matrix("ambiguous")
        self.labels &= self.known
        self.tfs = read_table(self.folder / "tfs.tsv")

    def _frame(self, name: str) -> pd.DataFrame | None:
        path = self.folder / f"{name}.parquet"
        return pd.read_parquet(path) if path.exists() else None

    def _matrix(self, name: str) -> NDArray[np.bool_]:
        """Return where a table of `key` and `region` has a row, bool `[keys, regions]`."""
        found = np.zeros((len(self.keys), len(self.regions)), bool)
        table = self._frame(name)
        if table is not None:
            found[table["key"].to_numpy(), table["region"].to_numpy()] = True
        return found

    @cached_property
    def split_of_regions(self) -> NDArray[np.object_]:
        """Split of each region."""
        return self.regions["split"].to_numpy(object)

    @cached_property
    def split_of_keys(self) -> NDArray[np.object_]:
        """Split of each key."""
        return self.keys["split"].to_numpy(object)

    @cached_property
    def tf_names(self) -> list[str]:
        """TFs, in the order of all that is by TF."""
        return self.tfs["tf"].tolist()

    @cached_property
    def cell_names(self) -> list[str]:
        """Cells, in the order of all that is by cell."""
        return self.cells.index.tolist()

    @cached_property
    def tf_of_keys(self) -> NDArray[np.int64]:
        """Row of the TF that describes each key."""
        return _places(self.keys["tf_features_of"], self.tf_names)

    @cached_property
    def cell_of_keys(self) -> NDArray[np.int64]:
        """Row of the cell that describes each key."""
        return _places(self.keys["cell_features_of"], self.cell_names)

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """Best log-odds of each TF's motifs, `[regions, tfs]`."""
        return self._frame("scores")[self.tf_names].to_numpy(np.float32)

    @cached_property
    def margins(self) -> NDArray[np.float32]:
        """The same less the score that one word of 10,000 reaches, `[regions, tfs]`."""
        return self._frame("margins")[self.tf_names].to_numpy(np.float32)

    @cached_property
    def occupancy(self) -> NDArray[np.float32]:
        """Occupancy of the best site, `[regions, tfs]`: 1 / (1 + exp(-margin))."""
        return expit(self.margins)

    @cached_property
    def similarity(self) -> NDArray[np.float64]:
        """Similarity of motifs, `[tfs, tfs]`."""
        return self._frame("similarity")[self.tf_names].to_numpy(np.float64)

    @cached_property
    def proteins(self) -> NDArray[np.float64] | None:
        """Similarity of proteins, `[tfs, tfs]`; None where they are not given."""
        table = self._frame("proteins")
        return None if table is None else table[self.tf_names].to_numpy(np.float64)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Features of cells, cells (index) x features."""
        return self._frame("cells").set_index("cell")

    @cached_property
    def tf_expression(self) -> NDArray[np.float64]:
        """Expression of the TFs' genes, `[cells, tfs]`; the mean over cells where it is not known, 0 where it never is."""
        table = self._frame("tf_expression").set_index("cell").loc[self.cell_names]
        values = table.reindex(columns=self.tf_names).to_numpy(np.float64)
        known = np.isfinite(values)
        count = known.sum(axis=0)
        means = np.where(known, values, 0).sum(axis=0) / np.maximum(count, 1)
        return np.where(known, values, means)

    @cached_property
    def expressed(self) -> NDArray[np.float64]:
        """How far a TF's gene is on, `[cells, tfs]`: 1 / (1 + exp(1 - 2 x)) of log1p TPM x; 1 where nothing is known."""
        known = np.abs(self.tf_expression).sum(axis=0) > 0
        return np.where(known, 1 / (1 + np.exp(1 - 2 * self.tf_expression)), 1.0)

    @cached_property
    def accessibility(self) -> NDArray[np.float32] | None:
        """log1p of accessibility, `[cells, regions]`, each cell scaled by its 95 % quantile in training regions.

        A cell without its own has the mean of the others.
        """
        table = self._frame("accessibility")
        if table is None:
            return None
        values = table[self.cell_names].to_numpy(np.float32).T
        top = np.nanquantile(values[:, self.split_of_regions == "train"], 0.95, axis=1, keepdims=True)
        scaled = values / np.where(np.isfinite(top) & (top > 0), top, 1)
        unknown = np.isnan(scaled).all(axis=1)
        if unknown.any() and not unknown.all():
            scaled[unknown] = np.nanmean(scaled[~unknown], axis=0)
        return np.nan_to_num(scaled)

    @cached_property
    def generic(self) -> NDArray[np.float64]:
        """`GENERIC` of each region."""
        return self.regions[list(GENERIC)].to_numpy(np.float64)

    @cached_property
    def truth(self) -> NDArray[np.float32] | None:
        """Probability of binding of simulated data, `[keys, regions]`."""
        table = self._frame("truth")
        return None if table is None else table[self.keys["key"].tolist()].to_numpy(np.float32).T

    def motifs(self) -> dict[str, list[Motif]]:
        """Return the motifs of each TF."""
        found: dict[str, list[Motif]] = {name: [] for name in self.tf_names}
        for (tf, name), rows in self._frame("motifs").groupby(["tf", "motif"], sort=False):
            found[str(tf)].append(Motif(str(name), str(tf), rows[list("ACGT")].to_numpy(np.float64)))
        return found

    def rows(self, split: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the keys and regions of a split: those that it learns from, or is scored on."""
        return np.flatnonzero(self.split_of_keys == split), np.flatnonzero(self.split_of_regions == split)


def of_draw(keys: pd.DataFrame, draw: int) -> pd.DataFrame:
    """Return keys with the features of a draw of the control (`cell_features_of_2`, ...); of what was not drawn the only ones."""
    names = [name for name in ("cell_features_of", "tf_features_of") if f"{name}_{draw}" in keys]
    return keys.assign(**{name: keys[f"{name}_{draw}"] for name in names})


def _places(names: pd.Series, order: list[str]) -> NDArray[np.int64]:
    place = {name: number for number, name in enumerate(order)}
    return names.map(place).to_numpy(np.int64)


def predictions_table(
    binding: Binding, values: NDArray, keys: NDArray[np.int64], regions: NDArray[np.int64]
) -> pd.DataFrame:
    """Return a predictions table from `values[keys, regions]`: `example`, and `prediction_{key}` of each key."""
    names = binding.keys["key"].to_numpy()[keys]
    columns = {f"prediction_{name}": row.astype(np.float32) for name, row in zip(names, values)}
    return pd.DataFrame({"example": binding.regions["example"].to_numpy()[regions], **columns})


def held_out(binding: Binding) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys and the regions that are predicted: all that are not of training."""
    return np.flatnonzero(binding.split_of_keys != "train"), np.flatnonzero(binding.split_of_regions != "train")

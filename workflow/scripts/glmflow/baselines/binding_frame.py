"""What baselines of binding are fitted on: training keys in training regions, and all numbers that describe both."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from glmflow.binding.binding_tables import Binding, held_out

Array = NDArray[np.float64]


class Frame:
    """A binding task with its training part and what is predicted of it.

    Attributes
    ----------
    keys, regions
        Rows that are predicted.
    learned_keys, learned_regions
        Rows of the training split.
    """

    def __init__(self, binding: Binding):
        self.binding = binding
        self.keys, self.regions = held_out(binding)
        self.learned_keys, self.learned_regions = binding.rows("train")

    @cached_property
    def labels(self) -> NDArray[np.bool_]:
        """Labels that are learned from, `[training keys, training regions]`."""
        return self.binding.labels[np.ix_(self.learned_keys, self.learned_regions)]

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Whether these labels are known; ambiguous ones are not learned from, `[training keys, training regions]`."""
        return self.binding.known[np.ix_(self.learned_keys, self.learned_regions)]

    def share(self, keys: NDArray | slice = slice(None), regions: NDArray[np.int64] | None = None) -> Array:
        """Return the share of some training keys that bind each of some regions, those of training where None.

        Of the keys whose label is known there; where it is of none, the share over all the regions.
        """
        own = np.ix_(self.learned_keys[keys], self.learned_regions if regions is None else regions)
        bound, known = (matrix[own].sum(axis=0) for matrix in (self.binding.labels, self.binding.known))
        return np.where(known > 0, bound / np.maximum(known, 1), bound.sum() / max(1, known.sum()))

    @cached_property
    def prevalence(self) -> float:
        """Share of labels that are bound in training."""
        return float(self.labels.sum() / self.known.sum())

    def scaled(self, values: NDArray) -> Array:
        """Return columns `[all regions, n]` less their mean over training regions, by their standard deviation there."""
        own = values[self.learned_regions]
        spread = own.std(axis=0)
        return (values - own.mean(axis=0)) / np.where(spread > 0, spread, 1)

    @cached_property
    def generic(self) -> Array:
        """Composition and width of all regions, scaled."""
        return self.scaled(self.binding.generic)

    @cached_property
    def motifs(self) -> Array:
        """Margins of all TFs' best sites in all regions, scaled."""
        return self.scaled(self.binding.margins)

    @cached_property
    def described(self) -> Array:
        """Motifs and composition of all regions: what a model of sequence alone is given here."""
        return np.concatenate([self.motifs, self.generic], axis=1)

    @cached_property
    def frequency(self) -> Array:
        """Predicted share of keys that bind each region, by ridge regression on motifs and composition, `[all regions]`."""
        return self.ridge(self.share(), 100.0)

    def ridge(self, target: Array, alpha: float) -> Array:
        """Return a ridge regression of a number of the training regions, for all regions."""
        return Ridge(alpha).fit(self.described[self.learned_regions], target).predict(self.described)

    @cached_property
    def proxy(self) -> Array:
        """Accessibility that is predicted from sites of expressed TFs, `[cells, all regions]`.

        Ridge regression of the mean label of a training cell in a training region on occupancy x expression of each TF.
        """
        binding, occupancy = self.binding, self.binding.occupancy
        cells = np.array(binding.cell_of_keys)[self.learned_keys]
        own = occupancy[self.learned_regions]
        parts = ((self._of_cell(own, cell), self.share(cells == cell)) for cell in np.unique(cells))
        weights, intercept = ridge_of_parts(parts, 30.0)
        every = range(len(binding.cell_names))
        return np.stack([self._of_cell(occupancy, cell) @ weights + intercept for cell in every])

    def _of_cell(self, occupancy: NDArray, cell: int) -> Array:
        generic = self.generic if len(occupancy) == len(self.generic) else self.generic[self.learned_regions]
        return np.concatenate([occupancy * self.binding.expressed[cell], generic], axis=1)

    @cached_property
    def cell_similarity(self) -> Array:
        """Correlation of the features of cells, `[cells, cells]`; that of the expression of TFs where there are none."""
        table = self.binding.cells.to_numpy(np.float64)
        table = table if table.shape[1] > 1 else self.binding.tf_expression
        if table.shape[1] < 2 or not np.ptp(table):
            return np.eye(len(table))
        spread = table.std(axis=0)
        with np.errstate(invalid="ignore"):
            found = np.corrcoef((table - table.mean(axis=0)) / np.where(spread > 0, spread, 1))
        return np.nan_to_num(found)

    def columns(self, key: int, accessibility: bool = True, tf: bool = True) -> Array:
        """Return the numbers of a key in all regions, `[all regions, n]`: what pooled models read, of its TF too or not."""
        proxy = self.proxy[self.binding.cell_of_keys[key]]
        found = [proxy, self.frequency, *self.generic.T]
        open_ = None
        if accessibility and self.binding.accessibility is not None:
            open_ = self.binding.accessibility[self.binding.cell_of_keys[key]].astype(np.float64)
            found += [open_, open_ - self.usual_accessibility]
        return np.stack(found + (self._of_tf(key, proxy, open_) if tf else []), axis=1)

    def _of_tf(self, key: int, proxy: Array, open_: Array | None) -> list[Array]:
        """Return the numbers of a key that depend on its TF: its site, its expression, and both with accessibility."""
        tf, on = self.binding.tf_of_keys[key], self._on(key)
        occupancy, margin = self.binding.occupancy[:, tf].astype(np.float64), self.binding.margins[:, tf]
        found = [margin.astype(np.float64).clip(-15, 8), occupancy, np.full(len(margin), on), occupancy * on]
        found.append(occupancy * proxy)
        return found if open_ is None else [*found, occupancy * open_, occupancy * on * open_]

    def _on(self, key: int) -> float:
        return float(self.binding.expressed[self.binding.cell_of_keys[key], self.binding.tf_of_keys[key]])

    @cached_property
    def usual_accessibility(self) -> Array:
        """Mean accessibility of the training cells, `[all regions]`."""
        cells = np.unique(self.binding.cell_of_keys[self.learned_keys])
        return self.binding.accessibility[cells].mean(axis=0).astype(np.float64)

    def kin(self, key: int) -> Array:
        """Return the best margin among TFs of related motifs, and the number of sites of all TFs, `[all regions, 2]`."""
        tf = self.binding.tf_of_keys[key]
        alike = self.binding.similarity[tf].copy()
        alike[tf] = 0
        related = np.flatnonzero(alike > 0.5)
        best = (
            self.binding.margins[:, related].max(axis=1) if len(related) else np.full(len(self.binding.regions), -15.0)
        )
        return np.stack([best.clip(-15, 8), self.binding.occupancy.sum(axis=1)], axis=1).astype(np.float64)

    def logistic(self, row: int) -> Array:
        """Return the probability in all regions by a logistic regression of a training key on motifs and composition."""
        known = self.known[row]
        labels = self.labels[row, known]
        if labels.all() or not labels.any():
            return np.full(len(self.described), float(labels.mean()) if len(labels) else self.prevalence)
        regions = self.learned_regions[known]
        model = LogisticRegression(C=0.05, max_iter=200).fit(self.described[regions], labels)
        return model.predict_proba(self.described)[:, 1]


def ridge_of_parts(parts: Iterable[tuple[Array, Array]], alpha: float) -> tuple[Array, float]:
    """Return weights `[n]` and intercept of the ridge regression of all rows of parts, `x[rows, n]` and `y[rows]` each.

    Products are summed up part by part, so that no more than one is held.
    """
    count = products = columns = targets = both = 0.0
    for x, y in parts:
        x = np.asarray(x, np.float64)
        count, products, columns = count + len(y), products + x.T @ x, columns + x.sum(axis=0)
        targets, both = targets + y.sum(), both + x.T @ y
    mean = columns / count
    centred = products - count * np.outer(mean, mean) + alpha * np.eye(len(mean))
    weights = np.linalg.solve(centred, both - targets * mean)
    return weights, float(targets / count - mean @ weights)

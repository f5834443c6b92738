"""A head that stacks what is known of a region and a key: boosted trees on states, sites, cells and regressions of the states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .binding_heads import KeyHead
from .tree_heads import BoostedTrees

PENALTY = 10.0
"""L2 penalty of the ridge regressions below, of standardised components."""
AT_ONCE = 16_384
"""Pairs of key and region that go through the trees, and rows that are summed up, at a time."""
SMALLEST = 1e-6
"""Standard deviation of a component, as a share of that of the first, below which it is noise."""
NUMBERS = 9
"""Numbers of a pair of key and region beside components of the states and features of the cell."""


class Stack(KeyHead):
    """Trees on principal components of the pooled states, on numbers of the pair, and on two ridge regressions of the states.

    The regressions are of the share of training keys that bind a region, and of the mean label of each training TF, whose
    values are weighed by how like the key's motif theirs is. What the trees learn from is predicted by regressions on the
    other half of the training regions, so that it is as good as it will be on new ones. All keys have the same trees.

    Parameters
    ----------
    dim
        Width `D` of the states.
    keys
        See `binding_heads`.
    components
        Principal components of the pooled states that the trees read.
    trees, learning_rate, depth
        See `BoostedTrees`.
    rows
        Pairs of key and region that they are grown on, drawn where there are more.
    """

    def __init__(
        self,
        dim: int,
        keys: Mapping[str, Any],
        components: int = 64,
        trees: int = 150,
        learning_rate: float = 0.1,
        depth: int = 5,
        rows: int = 200_000,
        solver: str = "exact",
    ):
        super().__init__(keys)
        del self.pairs  # the trees read these numbers themselves
        self.rows, self.solver = rows, solver
        width, tfs = 3 * dim, self.of_alike.shape[1]
        components = min(components, width)
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("axes", torch.zeros(width, components))
        self.register_buffer("maps", torch.zeros(components + 1, tfs + 1))
        columns = components + NUMBERS + self.of_cells.shape[1]
        self.trees = BoostedTrees(columns, 1, trees=trees, learning_rate=learning_rate, depth=depth)

    def forward(self, features: Tensor, keys: Tensor, occupancy: Tensor, accessibility: Tensor) -> Tensor:
        """Return logits `[S, keys]` of some keys (see `KeyHead.forward`)."""
        parts = (features.float() - self.centre) @ self.axes
        scores = parts @ self.maps[:-1] + self.maps[-1]
        rows = [self.numbers(parts, scores, int(key), occupancy, accessibility) for key in keys]
        step = max(1, AT_ONCE // len(parts))
        found = [self.trees(torch.cat(rows[at : at + step])) for at in range(0, len(rows), step)]
        return torch.cat(found).reshape(len(rows), len(parts)).T

    def numbers(self, parts: Tensor, scores: Tensor, key: int, occupancy: Tensor, accessibility: Tensor) -> Tensor:
        """Return what the trees read of a key in regions, `[S, n]`, from components and what regressions say, `[S, 1 + tfs]`."""
        tf, cell = self.tfs[key], self.cells[key]
        m, a, g = occupancy[:, tf], accessibility[:, cell], self.of_expressed[cell, tf]
        alike = self.of_alike[tf]
        kin = scores[:, 1:] @ (alike / alike.sum().clamp(min=1e-6))
        own = [m, m * g, m * a, a, a - accessibility.mean(dim=1), scores[:, 0], kin]
        whole = torch.cat([g[None], self.of_prior[key][None], self.of_cells[cell]])
        return torch.cat([parts, torch.stack(own, dim=1), whole.expand(len(parts), -1)], dim=1)

    def grow(
        self, features: NDArray, keys: NDArray[np.int64], occupancy: NDArray, accessibility: NDArray, labels: NDArray
    ) -> None:
        """Compute components and regressions, and grow the trees.

        Parameters
        ----------
        features
            Pooled states of the training regions, `[S, 3 D]`.
        keys
            Numbers of the training keys, `[K]`.
        occupancy, accessibility
            See `KeyHead.forward`.
        labels
            `[S, K]`, NaN where not known.
        """
        centre = features.mean(axis=0)
        self.centre.copy_(torch.from_numpy(centre))
        own = principal_axes(features, centre, self.axes.shape[1])
        self.axes[:, : own.shape[1]] = torch.from_numpy(own)
        axes = self.axes.cpu().numpy()
        parts = np.concatenate([(features[rows] - centre) @ axes for rows in blocks(len(features))])
        targets = self._targets(keys, labels)
        self.maps.copy_(torch.from_numpy(ridge(parts, targets)))
        first = np.arange(len(parts)) < len(parts) // 2
        scores = np.empty((len(parts), targets.shape[1]))
        for half in (first, ~first):
            maps = ridge(parts[~half], targets[~half])
            scores[half] = parts[half] @ maps[:-1] + maps[-1]
        self.trees.grow(*self._drawn(parts, scores, keys, occupancy, accessibility, labels))

    def _targets(self, keys: NDArray[np.int64], labels: NDArray) -> NDArray[np.float64]:
        """Return the share of all training keys and of those of each training TF that bind each region, `[S, 1 + tfs]`."""
        tf = self.knowns.cpu().numpy()[self.tfs.cpu().numpy()[keys]]
        groups = [np.ones(len(keys), bool), *(tf == number for number in range(self.of_alike.shape[1]))]
        mean = float(np.nanmean(labels))
        found = []
        for group in groups:
            known = np.isfinite(labels[:, group])
            bound = np.nansum(labels[:, group], axis=1)
            found.append(np.where(known.any(axis=1), bound / np.maximum(known.sum(axis=1), 1), mean))
        return np.stack(found, axis=1)

    def _drawn(
        self,
        parts: NDArray,
        scores: NDArray,
        keys: NDArray[np.int64],
        occupancy: NDArray,
        accessibility: NDArray,
        labels: NDArray,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return numbers and labels of pairs that are known, as many of each key."""
        rng, each = np.random.default_rng(0), max(1, self.rows // len(keys))
        numbers, truth = [], []
        device = self.of_prior.device
        for place, key in enumerate(keys.tolist()):
            own = np.flatnonzero(np.isfinite(labels[:, place]))
            if len(own) > each:
                own = np.sort(rng.choice(own, each, replace=False))
            given = (torch.from_numpy(np.asarray(part[own], np.float32)).to(device) for part in (parts, scores))
            beside = (torch.from_numpy(part[own]).to(device) for part in (occupancy, accessibility))
            numbers.append(self.numbers(*given, key, *beside).cpu().numpy())
            truth.append(labels[own, place])
        return np.concatenate(numbers), np.concatenate(truth).astype(np.int64)[:, None]


def principal_axes(features: NDArray, centre: NDArray, count: int) -> NDArray[np.float64]:
    """Return up to `count` principal axes of features `[S, n]`, `[n, axes]`, scaled to components of variance 1.

    Of the covariance, summed up in blocks: nothing of the size of the features is made beside them.
    """
    covariance = np.zeros((features.shape[1], features.shape[1]))
    for rows in blocks(len(features)):
        moved = (features[rows] - centre).astype(np.float64)
        covariance += moved.T @ moved
    values, axes = np.linalg.eigh(covariance / len(features))
    spread = np.sqrt(np.maximum(values[::-1][:count], 0))
    kept = spread > SMALLEST * max(spread[0], 1e-12)
    return axes[:, ::-1][:, :count][:, kept] / spread[kept]


def blocks(count: int) -> list[slice]:
    """Return slices of rows, `AT_ONCE` each."""
    return [slice(start, start + AT_ONCE) for start in range(0, count, AT_ONCE)]


def ridge(x: NDArray, y: NDArray) -> NDArray[np.float64]:
    """Return weights and, in the last row, intercepts of ridge regressions of columns of `y`, `[n + 1, columns]`."""
    from sklearn.linear_model import Ridge

    fitted = Ridge(PENALTY).fit(x.astype(np.float64), y)  # in which numbers it is solved goes by x
    return np.vstack([fitted.coef_.T, fitted.intercept_])


HEADS = {"stack": Stack}

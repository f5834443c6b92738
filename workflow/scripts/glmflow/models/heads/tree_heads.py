"""Gradient-boosted trees on the pooled states of a sequence, kept as tensors, so that they are saved like any other head."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .class_heads import Pooling

ABSENT = -30.0
"""Score of a class, or label, that no training sequence has."""
CHECKED = 100
"""Training rows on which the trees are compared with those that were grown."""


class BoostedTrees(Pooling):
    """Sums of regression trees: logits of classes or labels, or values in units of their training spread.

    Grown by scikit-learn's histogram gradient boosting, with XGBoost's regularisation (L2 of 1, leaves of one row).

    Parameters
    ----------
    dim
        Width `D` of the states.
    outputs
        Number of classes, labels or values.
    pool, parts
        See `Pooling`.
    trees, learning_rate, depth
        Number of trees, what is taken of each, and their largest depth.
    """

    grown = True

    def __init__(
        self,
        dim: int,
        outputs: int,
        pool: str = "mean",
        parts: int = 12,
        trees: int = 100,
        learning_rate: float = 0.1,
        depth: int = 6,
        solver: str = "exact",
    ):
        super().__init__(pool, parts)
        self.outputs, self.trees, self.learning_rate, self.depth, self.solver = (
            outputs,
            trees,
            learning_rate,
            depth,
            solver,
        )
        nodes = 2 ** (depth + 1) - 1
        for name in ("feature", "left", "right"):  # a leaf is its own branches
            self.register_buffer(name, torch.zeros(trees * outputs, nodes, dtype=torch.int64))
        for name in ("threshold", "value"):
            self.register_buffer(name, torch.zeros(trees * outputs, nodes, dtype=torch.float64))
        self.register_buffer("base", torch.zeros(outputs, dtype=torch.float64))

    def forward(self, pooled: Tensor) -> Tensor:
        """Return the scores of the outputs, `[S, outputs]`, from pooled states `[S, D]`."""
        states = pooled.double().T
        at = torch.zeros(len(self.feature), states.shape[1], dtype=torch.int64, device=states.device)
        for _ in range(self.depth):
            lower = states.gather(0, self.feature.gather(1, at)) <= self.threshold.gather(1, at)
            at = torch.where(lower, self.left.gather(1, at), self.right.gather(1, at))
        leaves = self.value.gather(1, at).unflatten(0, (self.trees, self.outputs))
        return (leaves.sum(0) + self.base[:, None]).T.float()

    def grow(self, states: NDArray[np.float32], truth: NDArray) -> None:
        """Grow the trees on kept states `[n, D]`: classes `[n]`, labels `[n, outputs]` of 0 and 1, or values in units of spread.

        Raises
        ------
        RuntimeError
            The trees read out of scikit-learn do not predict what it predicts: it keeps them in another way.
        """
        if truth.ndim == 1:
            self._classes(states, truth)
            return
        for place in range(self.outputs):
            own = truth[:, place]
            if truth.dtype.kind in "iu" and own.min() == own.max():
                self.base[place] = -ABSENT if own[0] else ABSENT
                continue
            self._one(states, own, place)

    def _classes(self, states: NDArray, truth: NDArray) -> None:
        known = np.unique(truth)
        self.base.fill_(ABSENT)
        if len(known) == 1:
            self.base[int(known[0])] = 0.0
        elif len(known) == 2:  # one tree at a time: the logit of the second class
            self._one(states, (truth == known[1]).astype(np.int64), int(known[1]))
            self.base[int(known[0])] = 0.0
        else:
            model = self._grown("Classifier").fit(states, truth)
            for place, own in enumerate(known.tolist()):
                self._take([stage[place] for stage in model._predictors], model._baseline_prediction[0, place], own)
            wanted = model.predict_proba(states[:CHECKED])
            self._compare(wanted, self._scores(states)[:, torch.from_numpy(known)].softmax(1))

    def _one(self, states: NDArray, truth: NDArray, place: int) -> None:
        """Grow the trees of one label, or of one value."""
        if truth.dtype.kind in "iu":
            model = self._grown("Classifier").fit(states, truth)
        else:
            model = self._grown("Regressor").fit(states, truth)
        self._take([stage[0] for stage in model._predictors], np.ravel(model._baseline_prediction)[0], place)
        found = self._scores(states)[:, place]
        if truth.dtype.kind in "iu":
            self._compare(model.predict_proba(states[:CHECKED])[:, 1], found.sigmoid())
        else:
            self._compare(model.predict(states[:CHECKED]), found)

    def _grown(self, kind: str) -> Any:
        """Return a model of scikit-learn that is not fitted."""
        from sklearn import ensemble

        return getattr(ensemble, f"HistGradientBoosting{kind}")(
            max_iter=self.trees,
            learning_rate=self.learning_rate,
            max_depth=self.depth,
            max_leaf_nodes=None,
            min_samples_leaf=1,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
        )

    def _take(self, trees: list[Any], base: float, place: int) -> None:
        """Read the trees of an output out of scikit-learn's tables of nodes."""
        self.base[place] = float(base)
        for number, tree in enumerate(trees):
            nodes, row = tree.nodes, number * self.outputs + place
            count, own, leaf = len(nodes), np.arange(len(nodes)), nodes["is_leaf"] > 0
            columns = {
                "feature": np.where(leaf, 0, nodes["feature_idx"]),
                "left": np.where(leaf, own, nodes["left"]),
                "right": np.where(leaf, own, nodes["right"]),
                "threshold": np.where(leaf, 0, nodes["num_threshold"]),
                "value": np.where(leaf, nodes["value"], 0),
            }
            for name, values in columns.items():
                table = getattr(self, name)
                table[row, :count] = torch.from_numpy(np.ascontiguousarray(values)).to(table)

    def _scores(self, states: NDArray) -> Tensor:
        with torch.no_grad():
            return self(torch.from_numpy(np.asarray(states[:CHECKED])).to(self.base.device)).double().cpu()

    def _compare(self, wanted: NDArray, found: Tensor) -> None:
        if not np.allclose(wanted, found.numpy(), rtol=1e-4, atol=1e-5):
            raise RuntimeError("the trees of this version of scikit-learn are kept in another way; say head: pooled")


HEADS = {"boosted_trees": BoostedTrees}

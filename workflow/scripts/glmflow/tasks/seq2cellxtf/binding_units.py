"""What runs on binding are compared by: blocks of the genome x TFs, both left out one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glmflow.metrics import bounds
from glmflow.statistics.classification import auroc, average_precision, chance_precision
from glmflow.statistics.influence import Score, mean_of_scores, numbered, of_weights
from glmflow.statistics.stored import Stored, digest

COMPARED: dict[str, Callable] = {"auprc": average_precision, "auroc": auroc}
"""Scores of a key that runs are compared by, best known first."""


class KeyUnits:
    """Scores of each key, with what each block of the genome adds to them.

    Parameters
    ----------
    labels, scores
        `[keys, regions]`.
    blocks
        Block of each region.
    tfs
        TF of each key.
    examples
        Names of the regions, and of the keys: two runs are compared if both have the same.
    known
        Whether a label is known, `[keys, regions]`; others count for nothing.
    """

    def __init__(
        self,
        labels: NDArray[np.bool_],
        scores: NDArray,
        blocks: NDArray,
        tfs: NDArray,
        examples: tuple[list, list],
        known: NDArray[np.bool_] | None = None,
    ):
        self.labels, self.tfs, self.examples = labels, tfs, examples
        self.known = np.ones_like(labels) if known is None else known
        self.blocks = numbered(blocks)
        self.plays = bool(np.ptp(scores, axis=1).max(initial=0) > 1e-12)
        self.both = labels.any(axis=1) & (self.known & ~labels).any(axis=1)
        rows = list(zip(labels, scores, self.known, self.both))
        self.of_keys = {name: [self._of_key(of, *row) for row in rows] for name, of in COMPARED.items()}

    def _of_key(
        self, of: Callable, bound: NDArray[np.bool_], scores: NDArray, known: NDArray[np.bool_], both: bool
    ) -> Score | None:
        if not both:
            return None
        return of_weights(lambda weights: of(bound, scores, weights * known), len(bound), self.blocks)

    def _chance(self, key: int) -> float:
        """Return the average precision of a random order of a key's regions."""
        known = self.known[key]
        return chance_precision(int((self.labels[key] & known).sum()), int(known.sum()))

    def mean(self, keys: NDArray[np.int64]) -> dict[str, Stored]:
        """Return the mean of each score over some keys; blocks and TFs are its units."""
        own = [key for key in keys if self.both[key]]
        if not own or self.blocks.max() == 0:
            return {}
        units = digest(self.examples[0], np.array(self.examples[1], object)[own], self.labels[own].sum(axis=1))
        found = {}
        for name, scores in self.of_keys.items():
            every = np.arange(int(self.blocks.max()) + 1)
            score = mean_of_scores([scores[key] for key in own], [every] * len(own), self.tfs[own], self.plays)
            chance = 0.5 if name == "auroc" else float(np.mean([self._chance(key) for key in own]))
            found[name] = Stored(score, units, chance=chance, bounds=bounds(name))
        return found

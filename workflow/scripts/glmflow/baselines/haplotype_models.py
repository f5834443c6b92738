"""Predictors of personal expression that compare haplotypes, not single variants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .kmers import kmer_counts

Array = NDArray[np.float64]


def nearest_haplotype(carried: NDArray[np.uint8], target: Array, is_training: NDArray[np.bool_]) -> Array:
    """Predict a sample's expression from the training haplotypes that are most like their own two.

    The value of a haplotype is the mean expression of the samples that carry one of its nearest training haplotypes (by
    the number of alleles that differ, all ties counted); a sample's prediction is the mean over both haplotypes. It is
    what remembering haplotypes can do, and shows how far held-out samples resemble training samples.

    Parameters
    ----------
    carried
        Alleles of both haplotypes, `[P, 2, V]`.
    target
        Expression, `[P]`; read for training samples only.
    is_training
        `[P]`.
    """
    flat = carried.reshape(2 * len(carried), carried.shape[2])
    if not flat.size:  # a gene in which no one differs
        return np.full(len(target), target[is_training].mean())
    distinct, which = np.unique(flat, axis=0, return_inverse=True)
    which = which.reshape(-1, 2)
    known = which[is_training].ravel()
    carriers = np.bincount(known, minlength=len(distinct)).astype(np.float64)
    total = np.bincount(known, np.repeat(target[is_training], 2), minlength=len(distinct))
    x = distinct.astype(np.float32)
    ones = x.sum(axis=1)
    distance = ones[:, None] + ones - 2 * x @ x.T
    distance[:, carriers == 0] = np.inf
    nearest = (distance == distance.min(axis=1, keepdims=True)).astype(np.float64)
    value = (nearest @ total) / (nearest @ carriers)
    return value[which].mean(axis=1)


class KmerRidge:
    """Ridge regression of expression on the k-mers of both haplotypes, one model for all genes.

    The only linear baseline that says anything about genes it has not seen. Minimises
    `sum (y - x w - b)^2 + alpha n |w|^2` over training samples of all genes; `x` holds the mean counts of a sample's two
    haplotypes.

    Parameters
    ----------
    k
        Length of a k-mer.
    alpha
        Penalty per row.
    """

    def __init__(self, k: int, alpha: float):
        self.k, self.alpha, self.rows = k, alpha, 0
        self.x, self.y = np.zeros(4**k), 0.0
        self.xx, self.xy = np.zeros((4**k, 4**k)), np.zeros(4**k)
        self.weights: Array | None = None
        self.intercept = 0.0

    def features(self, sequences: NDArray[np.uint8]) -> Array:
        """Return counts of k-mers of sequences `[D, L]`, `[D, 4**k]`."""
        return np.vstack([kmer_counts(sequence, self.k, len(sequence)) for sequence in sequences]).astype(np.float64)

    def add(self, sequences: NDArray[np.uint8], of_person: NDArray[np.int64], target: Array) -> None:
        """Add a gene: distinct haplotypes `[D, L]`, those of each sample `[P, 2]`, and expression `[P]`.

        Sums over samples are sums over the few distinct haplotypes, weighted by who carries them.
        """
        share = np.zeros((len(of_person), len(sequences)))
        for side in (0, 1):
            share[np.arange(len(of_person)), of_person[:, side]] += 0.5
        counts = self.features(sequences)
        self.rows += len(target)
        self.x += share.sum(axis=0) @ counts
        self.y += target.sum()
        self.xx += counts.T @ (share.T @ share) @ counts
        self.xy += counts.T @ (share.T @ target)

    def solve(self) -> None:
        """Find the weights."""
        mean_x, mean_y = self.x / self.rows, self.y / self.rows
        covariance = self.xx / self.rows - np.outer(mean_x, mean_x)
        covariance[np.diag_indices_from(covariance)] += self.alpha
        self.weights = np.linalg.solve(covariance, self.xy / self.rows - mean_x * mean_y)
        self.intercept = mean_y - mean_x @ self.weights

    def predict(self, sequences: NDArray[np.uint8], of_person: NDArray[np.int64]) -> Array:
        """Return predictions of samples, `[P]`."""
        value = self.features(sequences) @ self.weights + self.intercept
        return value[of_person].mean(axis=1)

"""The Fréchet distance of embeddings: how far the states that a fixed model has of two groups lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

AXES = 15
"""Axes that embeddings are seen along at most: covariances of a few dozen pieces tell no more."""


class Projection(NamedTuple):
    """The axes along which real embeddings vary most.

    Attributes
    ----------
    mean
        Of real embeddings, `[D]`.
    axes
        Of length one, `[k, D]`.
    scale
        Root of the total variance of real embeddings: distances are in units of it.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    scale: float


def projection_of(embeddings: NDArray[np.float64], most: int = AXES) -> Projection:
    """Return the principal axes of real embeddings `[n, D]`, a third as many as there are embeddings at most."""
    mean = embeddings.mean(0)
    centred = embeddings - mean
    scale = float(np.sqrt((centred**2).sum(1).mean())) or 1.0
    axes = np.linalg.svd(centred, full_matrices=False)[2][: max(1, min(most, len(embeddings) // 3))]
    return Projection(mean, axes, scale)


def moments(embedding: NDArray[np.float64], projection: Projection) -> NDArray[np.float64]:
    """Return 1, the place of an embedding and its products, `[1 + d + d²]`, whose sums give mean and covariance.

    The place is that on the axes, and, as the last number, how far beside all of them it lies: what real embeddings never do
    is not lost.
    """
    centred = (np.asarray(embedding, float) - projection.mean) / projection.scale
    along = projection.axes @ centred
    beside = np.linalg.norm(centred - along @ projection.axes)
    place = np.append(along, beside)
    return np.concatenate([[1.0], place, np.outer(place, place).ravel()])


def frechet(sums: NDArray[np.float64], real: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the Fréchet distance of normal distributions with the moments of a group and of real pieces.

    |m - m'|² + tr(C + C' - 2 (C C')^(1/2)) (Dowson and Landau 1982; of embeddings Heusel et al. 2017).

    Parameters
    ----------
    sums
        Of `moments` over pieces, `[..., 1 + d + d²]`.
    """
    mean, covariance = _normal(sums)
    other_mean, other = _normal(real["embedding"])
    values, vectors = np.linalg.eigh(other)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    # The eigenvalues of C C' are those of a symmetric matrix, which are stable and never below 0.
    both = np.linalg.eigvalsh(root @ covariance @ root)
    trace = np.trace(covariance, axis1=-2, axis2=-1) + np.trace(other)
    return ((mean - other_mean) ** 2).sum(-1) + trace - 2 * np.sqrt(both.clip(min=0)).sum(-1)


def _normal(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and covariance of summed moments."""
    size = int(np.sqrt(sums.shape[-1] - 0.75))
    count = sums[..., :1]
    mean = sums[..., 1 : 1 + size] / count
    products = (sums[..., 1 + size :] / count).reshape(*sums.shape[:-1], size, size)
    return mean, products - mean[..., :, None] * mean[..., None, :]

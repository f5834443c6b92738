"""A bilinear model of regions and keys in numpy: the smallest one with the shape of the heads on language models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .binding_frame import Array, Frame

BATCH = 512
"""Regions in a step."""


def fit_two_tower(frame: Frame, rank: int, steps: int, seed: int) -> NDArray[np.float64]:
    """Return the logits of the predicted keys and regions, `[keys, regions]`.

    logit = (x_r A) . (y_k B) + w . [m, m g, m a, a] + v . x_r + b, with x the motifs and composition of a region, y the similarity
    of a TF's motif to those of training TFs (squared) beside the cell's features, m occupancy, g expression and a
    accessibility; fitted with Adam on the cross-entropy of known labels, keys weighted alike.
    """
    rng = np.random.default_rng(seed)
    x = np.concatenate([np.clip(frame.described, -4, 4), np.ones((len(frame.described), 1))], axis=1)
    y = key_vectors(frame)
    weights = {
        "a": rng.normal(0, 0.1, (x.shape[1], rank)),
        "b": rng.normal(0, 0.1, (y.shape[1], rank)),
        "w": np.zeros(4),
        "v": np.zeros(x.shape[1]),
    }
    offset = float(np.log(frame.prevalence / (1 - frame.prevalence)))
    first = {name: np.zeros_like(value) for name, value in weights.items()}
    second = {name: np.zeros_like(value) for name, value in weights.items()}
    for step in range(1, steps + 1):
        batch = rng.choice(len(frame.learned_regions), min(BATCH, len(frame.learned_regions)), replace=False)
        regions = frame.learned_regions[batch]
        pairs = pair_numbers(frame, frame.learned_keys, regions)
        own_x, own_y = x[regions], y[frame.learned_keys]
        left, right = own_x @ weights["a"], own_y @ weights["b"]
        logit = right @ left.T + pairs @ weights["w"] + own_x @ weights["v"] + offset
        error = (1 / (1 + np.exp(-logit)) - frame.labels[:, batch]) * frame.known[:, batch] / logit.size
        gradient = {
            "a": own_x.T @ (error.T @ right) + 1e-4 * weights["a"],
            "b": own_y.T @ (error @ left) + 1e-4 * weights["b"],
            "w": np.einsum("krp,kr->p", pairs, error),
            "v": own_x.T @ error.sum(axis=0) + 1e-4 * weights["v"],
        }
        for name, slope in gradient.items():
            first[name] = 0.9 * first[name] + 0.1 * slope
            second[name] = 0.999 * second[name] + 0.001 * slope**2
            step_size = 0.02 * min(1.0, 2 * (1 - step / steps))
            scale = np.sqrt(second[name] / (1 - 0.999**step)) + 1e-9
            weights[name] = weights[name] - step_size * first[name] / (1 - 0.9**step) / scale
    left, right = x[frame.regions] @ weights["a"], y[frame.keys] @ weights["b"]
    found = right @ left.T + x[frame.regions] @ weights["v"] + offset
    for row, key in enumerate(frame.keys):
        found[row] += pair_numbers(frame, np.array([key]), frame.regions)[0] @ weights["w"]
    return found


def key_vectors(frame: Frame) -> Array:
    """Return what describes each key, `[all keys, n]`: motif similarities to training TFs, features of the cell, expression."""
    binding = frame.binding
    tfs = np.unique(binding.tf_of_keys[frame.learned_keys])
    alike = np.clip(binding.similarity[:, tfs], 0, None) ** 2
    cells = binding.cells.to_numpy(np.float64)
    training = np.unique(binding.cell_of_keys[frame.learned_keys])
    spread = cells[training].std(axis=0)
    scaled = np.clip((cells - cells[training].mean(axis=0)) / np.where(spread > 0, spread, 1), -3, 3)
    tf, cell = binding.tf_of_keys, binding.cell_of_keys
    return np.concatenate(
        [alike[tf], scaled[cell], binding.expressed[cell, tf][:, None], np.ones((len(tf), 1))], axis=1
    )


def pair_numbers(frame: Frame, keys: NDArray[np.int64], regions: NDArray[np.int64]) -> Array:
    """Return m, m g, m a and a of keys in regions, `[keys, regions, 4]`."""
    binding = frame.binding
    tf, cell = binding.tf_of_keys[keys], binding.cell_of_keys[keys]
    m = binding.occupancy[np.ix_(regions, tf)].T.astype(np.float64)
    g = binding.expressed[cell, tf][:, None]
    a = np.zeros_like(m) if binding.accessibility is None else binding.accessibility[np.ix_(cell, regions)]
    return np.stack([m, m * g, m * a, a], axis=-1)

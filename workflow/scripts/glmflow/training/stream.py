"""The order of training examples as a pure function of the seed.

Training reads one long virtual sequence of draws: draw `i` is an example of epoch `i // n` in that epoch's order, with
a random generator of its own for crops and strands. Update `u` takes draws `u * batch ... (u + 1) * batch - 1`. Nothing
else decides: not the number of worker processes, not the number of GPUs, not whether the run was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

Item = dict[str, Any]


def other_strand_drawn(generator: np.random.Generator | None, both_strands: bool) -> bool:
    """Return whether an example is read from its other strand: every second time in training on both strands.

    One number of the generator is drawn then; none without a generator (evaluation), or where one strand is trained on.
    """
    return generator is not None and both_strands and bool(generator.random() < 0.5)


class ExampleStream(Dataset):
    """The draws of a training run, to be read in order.

    Parameters
    ----------
    make
        Makes the item of an example from its index and a random generator.
    n_examples
        Number of distinct examples.
    n_draws
        Length of the run: updates x effective batch.
    seed
        Seed of order, crops and strands.
    """

    def __init__(self, make: Callable[[int, np.random.Generator], Item], n_examples: int, n_draws: int, seed: int):
        self.make, self.n_examples, self.n_draws, self.seed = make, n_examples, n_draws, seed

    def __len__(self) -> int:
        return self.n_draws

    def __getitem__(self, draw: int) -> Item:
        return self.make(self.example_of(draw), np.random.default_rng([self.seed, 1, draw]))

    def example_of(self, draw: int) -> int:
        """Return the index of the example that a draw takes."""
        epoch, place = divmod(draw, self.n_examples)
        return int(_epoch_order(self.seed, epoch, self.n_examples)[place])

    def describe(self, draw: int) -> str:
        """Return the example of a draw in words."""
        name = getattr(self.make, "describe", lambda example: f"example {example}")
        return name(self.example_of(draw))


class ExampleList(Dataset):
    """Examples as they are, each once and in order: for evaluation and prediction."""

    def __init__(self, make: Callable[[int, np.random.Generator | None], Item], n_examples: int):
        self.make, self.n_examples = make, n_examples

    def __len__(self) -> int:
        return self.n_examples

    def __getitem__(self, index: int) -> Item:
        return self.make(index, None)


def spread(windows: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return at most `n` windows, evenly spread over the table."""
    step = max(1, len(windows) // n)
    return windows.iloc[::step].head(n).reset_index(drop=True)


def to_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Move the tensors of a batch."""
    return {key: value.to(device) if isinstance(value, Tensor) else value for key, value in batch.items()}


@lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Return the order of the examples in an epoch, `[n]`."""
    return np.random.default_rng([seed, 0, epoch]).permutation(n)

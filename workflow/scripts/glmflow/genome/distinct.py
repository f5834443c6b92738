"""Each distinct sequence once: samples share most of their haplotypes."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import numpy as np


class DistinctWindows(NamedTuple):
    """Windows without their repeats.

    Attributes
    ----------
    sequences : list[uint8[L]]
        Every distinct sequence, in the order of first appearance.
    inverse : int64[n]
        Which of them each window is.
    """

    sequences: list[np.ndarray]
    inverse: np.ndarray

    @property
    def saving(self) -> float:
        """How many times fewer sequences there are than windows."""
        return len(self.inverse) / max(1, len(self.sequences))

    def __str__(self) -> str:
        return describe_saving(len(self.sequences), len(self.inverse))


def describe_saving(distinct: int, windows: int) -> str:
    """Say how many windows there are, how many of them are distinct, and how many times fewer that is."""
    return f"{distinct:,} distinct of {windows:,} windows: {windows / max(1, distinct):.1f} times fewer"


def distinct_windows(windows: Iterable[np.ndarray]) -> DistinctWindows:
    """Keep each distinct window once, so that frozen encoders and zero-shot scores run once per sequence.

    Sequences are distinguished by a 128-bit hash (BLAKE2b).

    Parameters
    ----------
    windows : iterable of uint8[L]
        Sequences; may be a generator, as only the distinct ones are kept.
    """
    number: dict[bytes, int] = {}
    sequences: list[np.ndarray] = []
    inverse: list[int] = []
    for window in windows:
        key = blake2b(np.ascontiguousarray(window), digest_size=16).digest()
        if number.setdefault(key, len(number)) == len(sequences):
            sequences.append(window)
        inverse.append(number[key])
    return DistinctWindows(sequences, np.array(inverse, np.int64))

"""Alleles with the place of what changes behind their bases: what the features of a frozen model are kept by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BYTES = 16
"""Of two whole numbers behind the bases."""


def placed(allele: str, place: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the bases of an allele with the start and end of what changes behind them, as bytes."""
    return np.concatenate([np.frombuffer(allele.encode("ascii"), np.uint8), np.array(place, "<i8").view(np.uint8)])


def alleles_of(rows: Sequence[NDArray[np.uint8]]) -> tuple[list[str], Tensor]:
    """Return the alleles of such rows, and where what changes starts and ends, int `[S, 2]`."""
    places = [np.ascontiguousarray(row[-BYTES:]).view("<i8").astype(np.int64) for row in rows]
    return [row[:-BYTES].tobytes().decode("ascii") for row in rows], torch.from_numpy(np.stack(places))

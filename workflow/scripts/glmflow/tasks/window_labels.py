"""Classes of the bases or bins of windows on disk: as they are known, and as they are predicted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LABELS = "labels.parquet"
PROBABILITIES = "probabilities.npy"


def labels_table(examples: Sequence[str], labels: NDArray[np.int8]) -> pd.DataFrame:
    """Return labels `[windows, bins]` as a table: `example`, `labels` (a byte a bin)."""
    return pd.DataFrame({"example": list(examples), "labels": [row.tobytes() for row in labels]})


def read_labels(folder: Path, examples: pd.Series) -> NDArray[np.int8]:
    """Return the labels of some windows, `[windows, bins]`; -1: not scored."""
    table = pd.read_parquet(folder / LABELS).set_index("example")["labels"]
    return np.stack([np.frombuffer(row, np.int8) for row in table.loc[examples]])


def other_strand(classes: Sequence[str]) -> list[int]:
    """Return for each class the one that it is on the other strand: of `exon-` `exon`, and the other way round."""
    number = {name: place for place, name in enumerate(classes)}
    partner = [name.removesuffix("-") if name.endswith("-") else f"{name}-" for name in classes]
    return [number.get(name, place) for place, name in enumerate(partner)]


def open_probabilities(folder: Path, shape: tuple[int, int, int]) -> NDArray[np.float16]:
    """Return a file to be filled with the class probabilities of windows, `[windows, bins, classes]`."""
    return np.lib.format.open_memmap(folder / PROBABILITIES, "w+", np.float16, shape)


def read_probabilities(folder: Path) -> NDArray[np.float16]:
    """Return the class probabilities of the held-out windows in their order, `[windows, bins, classes]`, not yet in memory."""
    return np.load(folder / PROBABILITIES, mmap_mode="r")


def mean_probabilities(windows: pd.DataFrame, table: NDArray, names: Sequence[str]) -> pd.DataFrame:
    """Return a predictions table: the mean probability of each class over a window, `prediction_{class}`."""
    means = np.array([row.astype(np.float32).mean(axis=0) for row in table]).reshape(len(windows), len(names))
    columns = pd.DataFrame(means, columns=[f"prediction_{name}" for name in names])
    return pd.concat([windows[["example"]].reset_index(drop=True), columns], axis=1)

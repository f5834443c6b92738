"""Sequences of windows of a genome, and the k-mers by which any sequences are compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .canonical import Sequence
from .sketches import Sketches, sketch, suited_fraction, suited_k

PIECE = 1_000
"""Bases of the pieces that windows are compared by: a copied gene in a long window is found, wherever it begins."""


class WindowSequences:
    """The sequences of windows of a genome, read again each time they are gone through: none is kept.

    Parameters
    ----------
    fetch
        Returns `uint8[end - start]` of a contig (`Reference.fetch`).
    windows
        `chrom`, `start`, `end`.
    """

    def __init__(self, fetch: Callable[[str, int, int], NDArray[np.uint8]], windows: pd.DataFrame):
        self.fetch, self.windows = fetch, windows

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bases of each window."""
        return (self.windows["end"] - self.windows["start"]).to_numpy(np.int64)

    def __len__(self) -> int:
        return len(self.windows)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        places = zip(self.windows["chrom"], self.windows["start"], self.windows["end"])
        return (self.fetch(*place) for place in places)


def suited_sketch(
    sequences: Collection[Sequence], k: int | None = None, fraction: float | None = None, cores: int = 1
) -> Sketches:
    """Return the k-mers of sequences; their length and how many are kept follow from the number of bases where not given."""
    lengths = _lengths(sequences)
    bases = int(lengths.sum())
    shortest = int(np.quantile(lengths, 0.05)) if len(lengths) else 0
    k, fraction = k or suited_k(bases, shortest), fraction or suited_fraction(bases)
    return sketch(sequences, k, fraction, cores, count=len(lengths))


def cut(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the bases of each split's windows, each once, cut into pieces of about 1,000 bp: chrom, start, end, split."""
    rows = []
    for (split, chrom), part in windows.groupby(["split", "chrom"], sort=False):
        part = part.sort_values("start", kind="stable")
        start, end = part["start"].to_numpy(np.int64), part["end"].to_numpy(np.int64)
        reach = np.maximum.accumulate(end)
        first = np.flatnonzero(np.append(True, start[1:] > reach[:-1]))
        for low, high in zip(start[first], reach[np.append(first[1:], len(end)) - 1]):
            edges = np.linspace(low, high, max(1, round((high - low) / PIECE)) + 1).astype(np.int64)
            rows.append(pd.DataFrame({"chrom": chrom, "start": edges[:-1], "end": edges[1:], "split": split}))
    columns = ["chrom", "start", "end", "split"]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def _lengths(sequences: Collection[Sequence]) -> NDArray[np.int64]:
    """Return the length of each sequence, without reading those that say theirs."""
    if hasattr(sequences, "lengths"):
        return np.asarray(sequences.lengths, dtype=np.int64)
    return np.fromiter((len(sequence) for sequence in sequences), np.int64, len(sequences))

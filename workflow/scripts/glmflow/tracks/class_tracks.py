"""Probabilities of classes along the genome as bigWigs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .predictions import Prediction, write_windows


def write_class_track(path: Path, windows: pd.DataFrame, probabilities: NDArray, contigs: Mapping[str, int]) -> None:
    """Write the probability of a class at every base of windows; where windows overlap, their mean.

    Parameters
    ----------
    windows
        `chrom`, `start`, `end` (0-based half-open), of one length and in any order.
    probabilities
        `[windows, bins]`; may be mapped from disk. All bases of a bin have its value.
    contigs
        Length of every contig of the genome.
    """

    def predictions() -> Iterator[Prediction]:
        for row in np.lexsort((windows["start"], windows["chrom"])).tolist():
            chrom, start, end = windows.iloc[row][["chrom", "start", "end"]]
            own = np.asarray(probabilities[row], np.float32)
            yield chrom, start, end, np.repeat(own, (end - start) // len(own))[None]

    write_windows(predictions(), [path], contigs)

"""Differences between every two runs of a cell, on the same units."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from glmflow.statistics.decision import Run
from glmflow.statistics.resampling import difference

COLUMNS = ["first", "second", "difference", "low", "high", "p"]


def paired_differences(runs: Sequence[Run], higher: bool) -> pd.DataFrame:
    """Return by how much each run is better than each that is behind it, with a 95 % interval.

    Both are drawn on the same units (`statistics.resampling.difference`: the paired bootstrap over groups, in closed form).

    Returns
    -------
    DataFrame
        `first` (key of the run with the better mean), `second`, `difference` (positive: the first is better), `low`, `high`,
        `p` (two-sided). Controls, and runs without a score or that predict one value for everything, are left out.
    """
    able = [run for run in runs if run.role != "control" and run.plays]
    able.sort(key=lambda run: -float(np.mean(run.values)) * (1 if higher else -1))
    rows = []
    for first, second in combinations(able, 2):
        found = difference(first.scores, second.scores) if higher else difference(second.scores, first.scores)
        rows.append((first.key, second.key, found.value, found.low, found.high, found.p))
    return pd.DataFrame(rows, columns=COLUMNS)

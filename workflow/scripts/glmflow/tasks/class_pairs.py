"""Which test examples each of two runs alone takes for their class: McNemar's test of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.paired_tests import mcnemar

COLUMNS = ["first", "second", "n", "first_alone", "second_alone", "p"]
PREFIX = "prediction_"


def compare(
    examples: pd.DataFrame, metrics: Sequence[pd.DataFrame], predictions: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Return McNemar's test of the accuracy of every two runs on the test split; of several seeds the first speaks.

    Parameters
    ----------
    examples
        `example`, `split`, `target` (name of the class).
    metrics, predictions
        Tables of all runs, in one order; predictions hold `prediction_{class}` of each class.

    Returns
    -------
    DataFrame
        `first`, `second` (task/model/adaptation), `n` (examples that both predict), `first_alone`, `second_alone` (those that
        one alone is right about), `p` (two-sided, exact).
    """
    truth = examples.loc[examples["split"] == "test"].set_index("example")["target"].astype(str)
    seeds: dict[str, int] = {}
    right: dict[str, NDArray[np.bool_]] = {}
    for scored, predicted in zip(metrics, predictions):
        if scored.empty:
            continue
        own = scored.iloc[0]
        key, seed = f"{own['task']}/{own['model']}/{own['adaptation']}", int(own["seed"])
        if seed >= seeds.get(key, seed + 1):
            continue
        found = right_about(truth, predicted)
        if found is not None:
            seeds[key], right[key] = seed, found
    rows = []
    for first, second in combinations(right, 2):
        test = mcnemar(right[first], right[second])
        rows.append((first, second, len(truth), test.first, test.second, test.p))
    return pd.DataFrame(rows, columns=COLUMNS)


def right_about(truth: pd.Series, predicted: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Return whether the most probable class of each example is its own; None where an example has no prediction."""
    columns = [name for name in predicted if name.startswith(PREFIX)]
    table = predicted.set_index("example")[columns].reindex(truth.index)
    if not len(truth) or table.isna().any(axis=None):
        return None
    chosen = np.array([name.removeprefix(PREFIX) for name in columns], object)[table.to_numpy().argmax(axis=1)]
    return chosen == truth.to_numpy(object)

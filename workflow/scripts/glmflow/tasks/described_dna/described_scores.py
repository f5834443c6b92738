"""Bits per base behind texts, what they save, and the rank of the true text, with what comparisons need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.corpus.text_controls import TEXTS
from glmflow.errors import InputError
from glmflow.statistics.bootstrap import interval_of_mean
from glmflow.statistics.influence import Score, mean_value, of_sums
from glmflow.statistics.saved_bits import BEYOND, BITS, SAVED, quantities, saved_bits
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.comparable import cell, with_intervals
from glmflow.tasks.tables import Scored, clean_part, metric_row, metrics_table, run_keys

WORDS = {BITS: "bits", SAVED: "saved", BEYOND: "beyond"}
"""What metrics of a quantity begin with; the key of a text follows."""
COSTS = [f"prediction_{key}" for key in TEXTS]


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score what DNA costs behind texts.

    Returns
    -------
    Scored
        ``bits_{text}`` (bits per base behind it), ``saved_{text}`` (beside none) and ``beyond_{control}`` (what the own text
        saves beyond it), over all features, by kind of feature and without near copies; clusters are units. ``rank`` and
        ``first`` of the true text, where it was looked for.

    Raises
    ------
    InputError
        An example has no prediction.
    """
    table = examples.merge(predictions, on="example", how="left", validate="one_to_one")
    if (missing := table[COSTS].isna().any(axis=1)).any():
        first = table.loc[missing, "example"].iloc[0]
        raise InputError(f"{missing.sum()} examples have no prediction, {first} among them")
    draws, rows, units = settings["task"]["bootstrap"], [], {}
    for split, subset, own in parts(table):
        keys = {"split": split, "subset": subset}
        sums, names = own[[*COSTS, "bases"]].to_numpy(float), digest(own["example"], own["group"])
        told = saved_bits(list(TEXTS), own[COSTS], own["bases"], own["group"], draws, settings["seed"])
        for (what, text, statistic), row in zip(quantities(list(TEXTS)), told.itertuples(index=False), strict=True):
            metric, found = f"{WORDS[what]}_{text}", of_sums(sums, statistic, own["group"])
            rows.append(metric_row(metric, row.value, **keys) | {"ci_low": row.low, "ci_high": row.high, "n": row.n})
            units[cell(metric, split, subset)] = (
                Stored(found, names, higher=False, chance=None) if what == BITS else Stored(_playing(found), names)
            )
        asked = own.dropna(subset=["rank"])
        if asked["group"].nunique() > 1:
            chances = {
                "rank": float((asked["candidates"] + 1).mean() / 2),
                "first": float((1 / asked["candidates"]).mean()),
            }
            limits = {"rank": (1.0, float(asked["candidates"].max())), "first": (0.0, 1.0)}
            for metric, values in asked[["rank", "first"]].items():
                rows.append(metric_row(metric, interval_of_mean(values.to_numpy(), draws, settings["seed"]), **keys))
                units[cell(metric, split, subset)] = Stored(
                    _playing(mean_value(values, asked["group"])),
                    digest(asked["example"], asked["group"]),
                    higher=metric == "first",
                    chance=chances[metric],
                    bounds=limits[metric],
                )
    metrics = metrics_table(rows, **run_keys(settings))
    return Scored(with_intervals(metrics, units), units=units)


def _playing(score: Score) -> Score:
    """Return a score that has no part in a comparison where every unit adds the same: nothing was read of the text."""
    return score._replace(plays=bool(np.abs(score.influence).max(initial=0) > 1e-12))


def parts(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield split, name and rows of what is scored: all, kinds of features of two clusters and more, and what is no near copy."""
    for split, own in table.groupby("split", sort=True):
        yield str(split), "all", own
        kinds = [(str(kind), of_kind) for kind, of_kind in own.groupby("subset", sort=True)]
        if len(kinds) > 1:
            yield from ((str(split), kind, rows) for kind, rows in kinds if rows["group"].nunique() > 1)
        clean = clean_part(own, "group")
        if clean is not None:
            yield str(split), "no_near_copy", clean

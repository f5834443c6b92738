"""Scores of hotspots: those of classes, without curves where a split holds too few windows of a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.tasks import class_scores
from glmflow.tasks.comparable import columns_of
from glmflow.tasks.hotspots.excess import FEWEST
from glmflow.tasks.tables import Scored

CURVES = ("auroc", "auprc")


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the class probabilities of a run (see `class_scores.score`).

    Splits and subsets with fewer than 50 windows of a class get no `auroc` and no `auprc`: a megabase is no study.
    """
    found = class_scores.score(settings, examples, predictions, predicted, files)
    few = too_few(examples)
    metrics = found.metrics
    unsure = pd.Series(
        [(split, subset) in few for split, subset in zip(metrics["split"], metrics["subset"])], metrics.index
    )
    kept = {name: one for name, one in found.units.items() if not _is_vain(columns_of(name), few)}
    return found._replace(
        metrics=metrics[~(unsure & metrics["metric"].isin(CURVES))].reset_index(drop=True), units=kept
    )


def _is_vain(of: Mapping[str, str], few: set[tuple[str, str]]) -> bool:
    return of["metric"] in CURVES and (of["split"], of["subset"]) in few


def too_few(examples: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the splits and subsets in which a class has fewer than 50 windows."""
    found = set()
    for split, part in examples.groupby("split", sort=False):
        names = part["subset"].fillna("").astype(str).str.split(";")
        for subset in {"all"} | {one for own in names for one in own if one}:
            rows = part if subset == "all" else part[[subset in own for own in names]]
            counts = rows["target"].value_counts().reindex(examples["target"].unique(), fill_value=0)
            if counts.min() < FEWEST:
                found.add((str(split), subset))
    return found

"""Scores of the losses that a model gave: loss by context, and what a copy is worth by its distance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.loci import blocks
from glmflow.statistics.bootstrap import interval_of_mean, interval_of_sums
from glmflow.statistics.influence import of_sums
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.comparable import cell
from glmflow.tasks.tables import CLEAN, clean_part, metric_row


def score_losses(
    examples: pd.DataFrame, predictions: pd.DataFrame, draws: int = 1000, seed: int = 0
) -> list[dict[str, Any]]:
    """Score the losses a model gave.

    Parameters
    ----------
    examples
        Of `loss_examples` and `recall_examples`.
    predictions
        ``example``, ``context_bp`` and ``prediction``: nats of the scored bases, not a number where not asked.
    draws
        Bootstrap draws over windows or needles.

    Returns
    -------
    list of dict
        Rows of a metrics table. ``loss`` (nats per base; subsets all, repeat, those whose copy lies beyond the shortest
        context as far_repeat, background, and windows without copies of training as no_near_copy) at each ``context_bp``;
        ``copy_advantage`` (nats per base; the subset is the variant), where ``context_bp`` is the distance.
    """
    rows = []
    for one in cells(examples, predictions):
        if one.metric == "loss":
            value = interval_of_sums(one.sums, lambda total: total[..., 0] / total[..., 1], draws, seed)
        else:
            value = interval_of_mean(one.sums[:, 0], draws, seed)
        rows.append(metric_row(one.metric, value, subset=one.subset, context_bp=one.context_bp))
    return rows


def comparable_cells(examples: pd.DataFrame, found: Iterable[Cell]) -> dict[str, Stored]:
    """Return the same scores with what a comparison needs; windows, each drawn once, are the units.

    Windows of one block of the genome are one unit where it is known where they lie.
    """
    places = examples["example"].astype(str).str.extract(r"^(?P<chrom>.+):(?P<start>\d+)-(?P<end>\d+)$")
    placed = places.dropna().astype({"start": int, "end": int})
    block = dict(zip(examples.loc[placed.index, "example"], blocks(placed))) if len(placed) else {}
    scores = {}
    for one in found:
        units = [block.get(window, window) for window in one.windows]
        name = cell(one.metric, "test", one.subset, context_bp=one.context_bp)
        lower = one.metric == "loss"
        scores[name] = Stored(
            of_sums(one.sums, lambda total: total[..., 0] / total[..., 1], units),
            digest(one.windows, units),
            higher=not lower,
            chance=None if lower else 0.0,
            facts={} if lower else {"gain": 1.0},
        )
    return scores


class Cell(NamedTuple):
    """What one number of a metrics table is made of: for each of its windows a sum of nats and how many were summed.

    ``windows`` are names, ``sums`` float ``[windows, 2]``: nats of the bases of the subset and their number (loss), or
    nats per base that the copy is worth and 1 (copy_advantage).
    """

    metric: str
    subset: str
    context_bp: int
    windows: NDArray[np.str_]
    sums: NDArray[np.float64]


def cells(examples: pd.DataFrame, predictions: pd.DataFrame) -> Iterator[Cell]:
    """Yield the sums over windows behind every number that `score_losses` gives (see there for the tables)."""
    table = predictions.merge(examples, on="example", validate="many_to_one")
    if missing := set(examples["example"]) - set(table["example"]):
        raise InputError(f"{len(missing)} examples have no prediction, {min(missing)} among them")
    yield from _loss_cells(table[table["subset"] == "loss"])
    yield from _recall_cells(table[table["subset"] == "recall"])


def _loss_cells(table: pd.DataFrame) -> Iterator[Cell]:
    for context, group in table.groupby("context_bp"):
        nats = np.stack(group["prediction"].to_list())
        repeat = np.stack([np.frombuffer(text.encode(), np.uint8) - ord("0") for text in group["repeat"]])
        asked = ~np.isnan(nats)
        subsets = {"repeat": repeat > 0, "far_repeat": repeat == 2, "background": repeat == 0}
        if clean_part(group, "example") is not None:
            subsets[CLEAN] = np.broadcast_to(group[CLEAN].to_numpy(bool)[:, None], nats.shape)
        for subset, chosen in {"all": asked, **{name: asked & bases for name, bases in subsets.items()}}.items():
            sums = np.stack([np.where(chosen, nats, 0).sum(axis=1), chosen.sum(axis=1)], axis=1)
            if sums[:, 1].any():
                yield Cell("loss", subset, context, group["example"].to_numpy(), sums)


def _recall_cells(table: pd.DataFrame) -> Iterator[Cell]:
    loss = table.assign(loss=[np.nanmean(nats) for nats in table["prediction"]])
    control = loss[loss["variant"] == "control"].set_index("group")["loss"]
    for (variant, distance), group in loss[loss["variant"] != "control"].groupby(["variant", "distance"]):
        advantage = control.loc[group["group"]].to_numpy() - group["loss"].to_numpy()
        sums = np.stack([advantage, np.ones_like(advantage)], axis=1)
        yield Cell("copy_advantage", variant, distance, group["group"].to_numpy(), sums)

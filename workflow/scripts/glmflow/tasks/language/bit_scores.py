"""Bits per base, by context, stratum and control, with what comparisons need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.corpus.window_controls import PHASE
from glmflow.errors import InputError
from glmflow.statistics.bootstrap import interval_of_sums
from glmflow.statistics.influence import of_sums, summed
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.comparable import cell, with_intervals
from glmflow.tasks.tables import CLEAN, Scored, metric_row, metrics_table, run_keys

from .context_laws import BITS, bits, by_doubling, gain, law_rows, law_table, reach_of
from .scaling_runs import MASKED, sizes_of

TOLD = ("own_tag", "other_tag")
"""Controls in which a model is told what a sequence is."""


class Cell(NamedTuple):
    """What one number is made of: of each window the nats of the bases of a stratum and their number, ``[windows, 2]``."""

    split: str
    subset: str
    control: str
    context_bp: int
    windows: NDArray[np.str_]
    units: NDArray[np.str_]
    sums: NDArray[np.float64]


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the losses of a model.

    Returns
    -------
    Scored
        ``bits_per_base`` (of masked models ``masked_bits_per_base``) at each context, of all bases and by stratum: copies within
        the window and other bases, lower case and upper case, how much of a sequence is in training, divisions. A control
        stands as `protocol`.
        ``bits_of_tag``: what a model saves that is told what the sequence is (`protocol` ``own_tag``), or something else
        (``other_tag``). ``bits_of_context``: what is lost when the far context is replaced by another window's.
        Of models of consecutive k-mers ``bits_per_base_all_phases`` (over all k readings together) and
        ``bits_per_base_best_phase`` (of the reading that costs least, over all windows).
        ``bits_per_doubling``: what a context saves for each doubling from the next shorter one, on the same bases. The table
        ``context_law.tsv`` has the law by which bits fall with context, of all bases, or why there is none.
        ``bits_per_base_error``: the standard error that the draws of masks leave, of models of masked diffusion.
        ``parameters`` (no embeddings) and ``training_bases`` (seen, copies counted) of models pretrained here: what a scaling
        law is fitted to.
    """
    rows, units = [], {}
    every = list(cells(examples, predictions))
    found = [one for one in every if not one.control.startswith(PHASE)]
    draws = settings["task"]["bootstrap"]
    metric = MASKED if "both_sides" in predictions else "bits_per_base"
    for one in found:
        value = interval_of_sums(one.sums, bits, draws)
        protocol = one.control or "strict"
        own = {"subset": one.subset, "context_bp": one.context_bp, "split": one.split, "protocol": protocol}
        rows.append(metric_row(metric, value, **own))
        if not one.control:
            name = cell(metric, one.split, one.subset, context_bp=one.context_bp)
            ratio = of_sums(one.sums, bits, one.units)
            units[name] = Stored(ratio, digest(one.windows, one.units), higher=False, chance=None)
    plain = {(one.split, one.subset, one.context_bp): one for one in found if not one.control}
    for one in found:
        if one.control == "far_replaced":
            both = np.concatenate([one.sums, plain[one.split, one.subset, one.context_bp].sums], axis=1)
            value = interval_of_sums(both, gain, draws)
            own = {"subset": one.subset, "context_bp": one.context_bp, "split": one.split}
            rows.append(metric_row("bits_of_context", value, **own))
        if one.control in TOLD:
            whole = plain[one.split, one.subset, one.context_bp]
            both = np.concatenate([whole.sums[np.isin(whole.windows, one.windows)], one.sums], axis=1)
            own = {"subset": one.subset, "context_bp": one.context_bp, "split": one.split, "protocol": one.control}
            rows.append(metric_row("bits_of_tag", interval_of_sums(both, gain, draws), **own))
    rows += list(phase_rows([one for one in every if one.control.startswith(PHASE)], draws))
    laws = []
    for (split, subset), own in _grown(found):
        reach = reach_of(*zip(*((one.context_bp, one.windows, one.units, one.sums) for one in own)))
        if not reach.windows:
            continue
        for context, saved in by_doubling(reach, draws):
            rows.append(metric_row("bits_per_doubling", saved, subset=subset, context_bp=context, split=split))
        if subset == "all":
            laws += list(law_rows(split, reach, draws))
    rows += list(monte_carlo_errors(examples, predictions))
    rows += list(sizes_of(settings.get("model") or {}, predictions))
    metrics = metrics_table(rows, **run_keys(settings))
    return Scored(with_intervals(metrics, units), {"context_law.tsv": law_table(laws)}, units)


def phase_rows(readings: list[Cell], draws: int) -> Iterator[dict[str, Any]]:
    """Yield bits per base over all readings of k-mers together, and of the one that costs least; over all bases.

    The best is chosen by what it is scored on, among k: with few windows it is a little too good.
    """
    by_place: dict[tuple[str, int], list[Cell]] = {}
    for one in readings:
        if one.subset == "all":
            by_place.setdefault((one.split, one.context_bp), []).append(one)
    for (split, context), own in by_place.items():
        best = min(own, key=lambda one: bits(one.sums.sum(axis=0)))
        sums = {"all_phases": sum(one.sums for one in own), "best_phase": best.sums}
        for name, values in sums.items():
            keys = {"subset": "all", "context_bp": context, "split": split}
            found = interval_of_sums(summed(values, best.units), bits, draws)._replace(n=len(values))
            yield metric_row(f"bits_per_base_{name}", found, **keys)


def _grown(found: list[Cell]) -> Iterator[tuple[tuple[str, str], list[Cell]]]:
    """Yield the cells of each split and stratum as they are, without controls, one a context."""
    grown: dict[tuple[str, str], list[Cell]] = {}
    for one in found:
        if not one.control:
            grown.setdefault((one.split, one.subset), []).append(one)
    yield from grown.items()


def monte_carlo_errors(examples: pd.DataFrame, predictions: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield what the draws of masks leave uncertain in the mean of all bases, as a standard error in bits per base."""
    if "error" not in predictions:
        return
    plain = predictions[predictions["control"] == ""].merge(examples[["example", "split"]], on="example")
    for (split, context), group in plain.groupby(["split", "context_bp"], sort=True):
        bases = sum(int(np.isfinite(nats).sum()) for nats in group["prediction"])
        value = float(np.sqrt((group["error"] ** 2).sum()) / bases / BITS)
        own = {"subset": "all", "context_bp": int(context), "split": str(split)}
        yield metric_row("bits_per_base_error", value, n=len(group), **own)


def cells(examples: pd.DataFrame, predictions: pd.DataFrame) -> Iterator[Cell]:
    """Yield the sums over windows behind every number.

    Parameters
    ----------
    predictions
        `example`, `context_bp`, `control` (empty: the window as it is), `prediction` (nats of the scored bases, not a
        number where not asked).

    Raises
    ------
    InputError
        An example has no prediction.
    """
    table = predictions.merge(examples, on="example", validate="many_to_one")
    if missing := set(examples["example"]) - set(table["example"]):
        raise InputError(f"{len(missing)} examples have no prediction, {min(missing)} among them")
    for (split, context, control), group in table.groupby(["split", "context_bp", "control"], sort=True):
        nats = np.stack(group["prediction"].to_list()).astype(float)
        marks = np.stack([np.frombuffer(text.encode(), np.uint8) - ord("0") for text in group["marks"]])
        asked, names = ~np.isnan(nats), group["subset"].str.split(";")
        strata = {"all": asked, "copies": asked & (marks >= 2), "new": asked & (marks < 2)}
        if (marks % 2).any():
            strata |= {"soft_masked": asked & (marks % 2 == 1), "unmasked": asked & (marks % 2 == 0)}
        every = sorted({name for own in names for name in own})
        for name in every:
            inside = np.array([name in own for own in names])
            if not inside.all():
                strata[name] = asked & inside[:, None]
        if CLEAN in group and (group[CLEAN].any() and not group[CLEAN].all()):
            strata[CLEAN] = asked & group[CLEAN].to_numpy(bool)[:, None]
        for subset, chosen in strata.items():
            kept = chosen.any(axis=1)
            if not kept.any():
                continue
            sums = np.stack([np.where(chosen, nats, 0).sum(axis=1), chosen.sum(axis=1)], axis=1)[kept]
            own = group[kept]
            yield Cell(
                str(split),
                subset,
                str(control),
                int(context),
                *(own[c].to_numpy(str) for c in ("example", "group")),
                sums,
            )

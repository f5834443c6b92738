"""The answer in one sentence, computed from the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from .inputs import BASELINES
from .metrics import describe, number


@dataclass(frozen=True)
class Verdict:
    """One sentence, and what has to be known to read it."""

    sentence: str
    notes: tuple[str, ...] = ()


def run_label(model: str, adaptation: str, origin: str) -> str:
    """Return how a row is called: a baseline has only one adaptation, so its name is enough."""
    return model if origin in BASELINES else f"{model} ({adaptation})"


def judge(rows: pd.DataFrame, metric_name: str, split: str) -> Verdict:
    """Say which model leads, by how much, whether that is more than chance, and whether it beats the baselines.

    Parameters
    ----------
    rows
        One cell of the metrics, ranked: model, adaptation, origin (`pretrained`, `scratch`, `baseline`, `told`), value,
        ci_low, ci_high, seeds.
    metric_name
        The metric of the cell.
    split
        Its split.
    """
    what = f"{describe(metric_name).title} ({split} split)"
    told = rows[rows["value"].notna() & (rows["origin"] == "told")]
    scored = rows[rows["value"].notna() & (rows["origin"] != "told")].reset_index(drop=True)
    if scored.empty:
        return Verdict(f"No run has a value for {what}, so nothing can be said.")
    best = scored.iloc[0]
    if len(scored) == 1:
        alone = f"Only {name(best)} was scored on {what}: {value(best)}; there is nothing to compare it with."
        return Verdict(alone, tuple(_told_notes(told)))
    second = scored.iloc[1]
    sentence = f"{_lead(best, second, what)}; {_against_baselines(scored)}."
    return Verdict(sentence, tuple(_notes(scored) + _told_notes(told)))


def other_levels(headline: pd.DataFrame, others: Iterable[tuple[str, pd.DataFrame]]) -> list[str]:
    """Say at which other levels the leader's advantage over the baselines holds, and at which it does not.

    A track can be right in shape (where exons lie) and wrong in level (how much of a gene there is), so a lead per base
    is not one across genes.

    Parameters
    ----------
    headline
        The ranked rows that the verdict is about.
    others
        Name and ranked rows of a metric of each other level.
    """
    rivals = headline[headline["value"].notna() & (headline["origin"] != "told")]
    if rivals.empty or rivals.iloc[0]["origin"] == "baseline" or "baseline" not in set(rivals["origin"]):
        return []
    leader, notes = rivals.iloc[0], []
    for metric, cell in others:
        rows = cell[cell["value"].notna()]
        own = rows[(rows["model"] == leader["model"]) & (rows["adaptation"] == leader["adaptation"])]
        baselines = rows[rows["origin"] == "baseline"]
        if own.empty or baselines.empty:
            continue
        model, baseline = own.iloc[0], baselines.iloc[0]
        ahead = (model["value"] > baseline["value"]) == describe(metric).higher_is_better
        holds = ahead and overlap(model, baseline) is False
        finding = "it leads too" if holds else "the lead is within chance" if ahead else "it falls behind"
        notes.append(
            f"On {describe(metric).title} {finding}: {value(model)} against {value(baseline)} of {name(baseline)}."
        )
    return notes


def unequal_training(headline: pd.DataFrame, bases: pd.Series) -> list[str]:
    """Say by how much the training of the leading model and of the next one that was trained differ, where twofold or more.

    Parameters
    ----------
    headline
        The ranked rows that the verdict is about, with their `key`.
    bases
        Bases of sequence that each run was fitted on, by `key`; missing for baselines.
    """
    trained = headline[headline["value"].notna() & ~headline["origin"].isin(BASELINES)]
    seen = trained["key"].map(bases).dropna()
    if len(seen) < 2:
        return []
    first, others = seen.iloc[0], seen.iloc[1:]
    largest = max(first / others.min(), others.max() / first)
    if largest < 2:
        return []
    return [
        f"Training was not equal: {name(trained.loc[seen.index[0]])} was fitted on {megabases(first)} of sequence, the other "
        f"models on {megabases(others.min())}"
        + (f" to {megabases(others.max())}" if others.min() != others.max() else "")
        + ", so this does not compare architectures."
    ]


def megabases(bases: float) -> str:
    """Write an amount of sequence for reading."""
    return f"{bases / 1e6:,.3g} Mb" if bases < 1e9 else f"{bases / 1e9:,.3g} Gb"


def overlap(one: pd.Series, other: pd.Series) -> bool | None:
    """Say whether two intervals overlap; None where either has none."""
    limits = [row[limit] for row in (one, other) for limit in ("ci_low", "ci_high")]
    if any(pd.isna(limit) for limit in limits):
        return None
    return bool(one["ci_low"] <= other["ci_high"] and other["ci_low"] <= one["ci_high"])


def name(row: pd.Series) -> str:
    """Return how a row is called."""
    return run_label(row["model"], row["adaptation"], row["origin"])


def value(row: pd.Series) -> str:
    """Write a value with its interval where it has one."""
    if pd.isna(row["ci_low"]) or pd.isna(row["ci_high"]):
        return number(row["value"])
    return f"{number(row['value'])} [{number(row['ci_low'])}, {number(row['ci_high'])}]"


def _lead(best: pd.Series, second: pd.Series, what: str) -> str:
    """Compare the first with the second."""
    against = f"{value(best)} against {value(second)}"
    overlaps = overlap(best, second)
    if overlaps:
        return f"{name(best)} and {name(second)} cannot be told apart on {what}: {against}, intervals overlap"
    chance = "without intervals, so this may be chance" if overlaps is None else "intervals do not overlap"
    margin = number(abs(best["value"] - second["value"]))
    return f"{name(best)} leads on {what} by {margin}: {against} of {name(second)}, {chance}"


def _against_baselines(scored: pd.DataFrame) -> str:
    """Compare the best model with the best baseline."""
    baselines, models = scored[scored["origin"] == "baseline"], scored[scored["origin"] != "baseline"]
    if baselines.empty:
        return "no baseline was run, so what a simple method would reach is unknown"
    if models.empty:
        return "all of them are baselines"
    model, baseline = models.iloc[0], baselines.iloc[0]
    apart = overlap(model, baseline) is False
    if baseline.name < model.name:
        how = "" if apart else ", though their intervals overlap" if overlap(model, baseline) else ""
        return f"no model beats the baselines: the best, {name(model)}, reaches {value(model)}{how}"
    count = {1: f"the baseline {name(baseline)}", 2: "both baselines"}
    which = count.get(len(baselines), f"all {len(baselines)} baselines")
    reached = value(baseline) if len(baselines) == 1 else f"the best, {name(baseline)}, reaches {value(baseline)}"
    if apart:
        return f"{name(model)} beats {which} ({reached})"
    return f"{name(model)} is ahead of {which}, but not by more than the intervals ({reached})"


def _told_notes(told: pd.DataFrame) -> list[str]:
    """Say what baselines reach that are told what a model has to find out; they are not compared."""
    return [
        f"{name(row)} reaches {value(row)}, but the annotation tells it where genes lie: a mark to aim at, not a rival."
        for _, row in told.iterrows()
    ]


def _notes(scored: pd.DataFrame) -> list[str]:
    """Say what a reader must know beside the sentence."""
    notes = []
    models = scored[~scored["origin"].isin(BASELINES)]
    pretrained = models[models["origin"] == "pretrained"]
    if len(pretrained) and models.iloc[0]["origin"] == "scratch":
        other = pretrained.iloc[0]
        notes.append(
            f"{name(models.iloc[0])} was trained from scratch; the best pretrained model, {name(other)}, reaches {value(other)}."
        )
    fewest = int(scored.iloc[:2]["seeds"].min())
    if fewest == 1:
        notes.append("The comparison rests on a single seed, so the spread between seeds is not known.")
    else:
        spread = [
            f"± {number(row['sd'])} for {name(row)}" for _, row in scored.iloc[:2].iterrows() if pd.notna(row.get("sd"))
        ]
        among = f"; between seeds they vary by {' and '.join(spread)}" if spread else ""
        notes.append(f"Values are means over seeds (at least {fewest} each){among}.")
    return notes

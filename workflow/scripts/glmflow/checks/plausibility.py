"""Scores that are too good, of the wrong sign, or of other data than they say: warnings made from scores alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from glmflow.statistics.influence import Score
from glmflow.statistics.resampling import interval

from .audit import Audit, graded, named

EXACTLY = 1 - 1e-9
LEARNED = "train"
ENOUGH_DRAWS = 10
FEW = 100
"""Units below which all of them may be right by luck."""
MANY = 0.5


def implausible_scores(rows: pd.DataFrame, where: str = "", counted: int | None = None) -> list[Audit]:
    """Return what the scores of runs say about themselves.

    Parameters
    ----------
    rows
        A row a run in one class of held-out units: `label`, `value`, `low`, `high` (a correlation with its interval);
        where known `ceiling_high` (upper limit of the largest correlation that there can be: that of the true genetic
        part, or the square root of heritability), `declared` (a baseline whose direction is declared, or a metric
        without one, so that the other direction says nothing of the data), `missing` (share of the examples without a
        prediction) and `constant` (share of the genes whose prediction is the same for everyone).
    counted
        Units of a score that only counts or orders right answers, all of which may be right by luck; None of any other, such as a
        correlation of measured values, of which few are no more exact than many.
    """
    audits = []
    # Less than -1 is an accuracy far below chance, on the scale from chance to the most: wrong, not exact.
    exact = rows[(rows["value"] >= EXACTLY) | ((rows["value"] + 1).abs() <= 1 - EXACTLY)]
    few = counted is not None and counted < FEW
    luck = f" (of {counted:,} units, few enough to be luck)" if few else ""
    text = (
        f"a score of exactly 1, the most that there can be, in {_runs(exact)}{luck}: the target may be among the inputs, "
        "or one short feature tells it all; look at what these runs read"
    )
    limits = {"warn": 0.0} if few else {"fail": 0.0}
    audits.append(_of("a score of 1", exact, text, "no run scores exactly 1", where, **limits))
    if "ceiling_high" in rows:
        above = rows[rows["value"] > rows["ceiling_high"]]
        limit = f" ({above['ceiling_high'].iloc[0]:.3f})" if len(above) else ""
        text = f"a score above the upper limit of what can be reached{limit}, in {_runs(above)}: something leaks"
        audits.append(_of("above the ceiling", above, text, "no run scores above what can be reached", where, warn=0))
    negative = rows[rows["high"] < 0]
    if "declared" in rows:
        negative = negative[~negative["declared"]]
    text = f"the wrong sign (interval below chance) in {_runs(negative)}: labels, strands or alleles may be swapped"
    audits.append(_of("a negative sign", negative, text, "no interval lies below 0", where, warn=0))
    for column, name, what, limits in (
        ("missing", "nothing predicted", "of the examples have no prediction", {"warn": 0.0, "fail": 0.05}),
        ("constant", "constant predictions", "of the genes are predicted alike for everyone", {"warn": MANY}),
    ):
        if column in rows and rows[column].notna().any():
            worst = rows.loc[rows[column].idxmax()]
            share = "fewer than 0.1%" if 0 < worst[column] < 0.001 else f"{worst[column]:.1%}"
            text = f"{share} {what}, at most (by {worst['label']})"
            above = rows.loc[rows[column] > limits["warn"], "label"]
            audits.append(graded(name, worst[column], text, where, runs=above, **limits))
    return audits


def without_error(rows: pd.DataFrame, where: str = "") -> list[Audit]:
    """Return whether a run (`label`, `value`: an error or a loss) makes none at all."""
    none = rows[rows["value"] <= 1 - EXACTLY]
    text = f"an error of 0 or less in {_runs(none)}: the target may be among the inputs"
    return [_of("an error of 0", none, text, "every run makes errors", where, fail=0)]


def _runs(rows: pd.DataFrame) -> str:
    """Return how many runs there are, in words."""
    return f"{len(rows):,} run{'s' if len(rows) != 1 else ''}"


def _of(name: str, found: pd.DataFrame, text: str, none: str, where: str, **limits: float) -> Audit:
    """Return an audit that counts runs and names them."""
    sentence = f"{text}: {named(list(found['label']))}" if len(found) else none
    return graded(name, len(found), sentence, where, runs=found["label"], **limits)


def kind_of_split(split: str, chosen_on: Collection[str]) -> tuple[str, str]:
    """Return what a split is to be called, and what has to be said of its scores.

    Parameters
    ----------
    split
        Its name in the table of examples.
    chosen_on
        Splits that something was chosen by: an epoch, a rate, a trial of a sweep, a penalty.

    Returns
    -------
    word, note
        `validation` for what chose, whatever its name, else the split's own; a sentence, empty where none is due.
    """
    if split == LEARNED:
        return split, "These scores are of what was trained on: they say nothing of data that a model has not seen."
    if split not in chosen_on:
        return split, ""
    return "validation", (
        f"These scores are of the split that chose ({split}): they say which setting is best there, and are no measure of "
        "data that nothing was chosen by."
    )


def control_of_chance(draws: Sequence[Score], label: str, chance: float = 0.0, where: str = "") -> Audit:
    """Return whether a control, over all its draws, scores what chance does.

    Parameters
    ----------
    draws
        Its score, once a draw (targets permuted again and trained again).
    label
        What the control is.
    chance
        Score of a model that knows nothing.
    """
    found = interval(draws)
    over = "1 draw" if len(draws) == 1 else f"{len(draws)} draws"
    text = f"{label}: {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}] over {over}"
    if len(draws) < ENOUGH_DRAWS:
        text += f"; {ENOUGH_DRAWS} say more of its spread"
    away = max(found.low - chance, chance - found.high, 0.0) if found.low == found.low else 0.0
    if away:
        text += "; that is not what chance does: the control leaves something to learn by (such as the means of genes), or there "
        text += "is a leak; only a lead over it counts"
    else:
        text += "; that is what chance does"
    return graded("control at chance", away, text, where, warn=0.0, runs=[label])

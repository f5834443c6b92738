"""What the numbers of a context task say, in sentences computed from them alone."""

from __future__ import annotations

import pandas as pd

from glmflow.report.wording import named, number, signed

from .context_tests import farthest, interval, paired, pairs
from .context_words import CLEAR, UNCHANGED


def findings(loss: pd.DataFrame, recall: pd.DataFrame, compared: pd.DataFrame) -> list[str]:
    """Return what loss and recall say, a sentence each.

    Parameters
    ----------
    loss, recall
        Summaries of the two metrics: model, method, tuning, subset, context, value.
    compared
        Paired comparisons of the models; may be empty.
    """
    found = []
    for tuning, rows in loss[loss["subset"] == "repeat"].groupby("tuning", sort=False):
        found += loss_sentences(rows, str(tuning))
    for tuning, rows in recall[recall["subset"] == "exact"].groupby("tuning", sort=False):
        found += recall_sentences(rows, str(tuning), compared)
    return found


def loss_sentences(rows: pd.DataFrame, tuning: str) -> list[str]:
    """Return what happens to the loss of repeats with length: of the unchanged model, and of the best one."""
    shortest, longest = rows["context"].min(), rows["context"].max()
    wide = rows.pivot_table(index=["model", "method"], columns="context", values="value").reset_index()
    found, unchanged = [], wide[wide["method"].isin(UNCHANGED)]
    if len(unchanged) and longest > shortest:
        row = unchanged.iloc[0]
        lowest = row.drop(["model", "method"]).astype(float).idxmin()
        found.append(
            f"Without any extension ({named(row['model'])}, {tuning}), the loss of repeats goes from {number(row[shortest])} at "
            f"{shortest:,.0f} bp to {number(row[longest])} at {longest:,.0f} bp; it is lowest at {lowest:,.0f} bp."
        )
    first = wide.sort_values(longest).iloc[0]
    if len(wide) > 1:
        found.append(
            f"Of the {tuning} models {named(first['model'])} has the lowest loss of repeats at {longest:,.0f} bp "
            f"({number(first[longest])} nats per base)."
        )
    return found


def recall_sentences(rows: pd.DataFrame, tuning: str, compared: pd.DataFrame) -> list[str]:
    """Return what an exact copy is worth to the models of one tuning."""
    mean = rows.groupby("model")["value"].mean().sort_values(ascending=False)
    if len(mean) == 1:
        return [
            f"{named(mean.index[0])} ({tuning}) gains {number(mean.iloc[0])} nats per base from an exact copy, mean over distances."
        ]
    found = [
        f"Recall of an exact copy, mean over distances: {named(mean.index[0])} is first of the {tuning} models "
        f"({number(mean.iloc[0])} nats per base), then {named(mean.index[1])} ({number(mean.iloc[1])})."
    ]
    far = farthest(rows)
    if len(far) > 1:
        found += [farthest_sentence(far, tuning, compared), reach_sentence(rows, tuning)]
    return found


def reach_sentence(rows: pd.DataFrame, tuning: str) -> str:
    """Return how far back each model recalls at least half as much as the best of them does anywhere."""
    half = rows["value"].max() / 2
    reach = rows[rows["value"] >= half].groupby("model")["context"].max().reindex(rows["model"].unique()).fillna(0)
    reached = [
        f"{named(model)} {f'{distance:,.0f} bp' if distance else 'nowhere'}"
        for model, distance in reach.sort_values(ascending=False, kind="stable").items()
    ]
    return (
        f"Farthest distance at which an exact copy is worth {number(half)} nats per base (half of the most that any of the "
        f"{tuning} models gains): {', '.join(reached)}."
    )


def farthest_sentence(far: pd.DataFrame, tuning: str, compared: pd.DataFrame) -> str:
    """Return which model recalls most at the farthest distance, by how much, and whether the paired test confirms it."""
    first, second = far.iloc[0], far.iloc[1]
    sentence = (
        f"At {first['context']:,.0f} bp {named(first['model'])} recalls most of the {tuning} models ({number(first['value'])}), "
        f"{named(second['model'])} follows ({number(second['value'])})"
    )
    test = paired(compared, first["model"], second["model"], "copy_advantage", "exact", first["context"])
    if test is None or pd.isna(test["p"]):
        return f"{sentence}; with one seed no test is possible."
    clear = "clear" if test["p"] < CLEAR else "not clear"
    return (
        f"{sentence}; the difference of {signed(test['mean'])} {interval(test)} over {pairs(test)} is {clear} "
        f"(paired t-test, p = {number(test['p'])})."
    )


def conclusion(recall: pd.DataFrame, compared: pd.DataFrame, simulated: bool) -> str:
    """Return what can and what cannot be concluded, in two sentences."""
    can = "These methods can be compared on this model and these sequences"
    if len(recall):
        far = farthest(recall)
        first = far.iloc[0]
        others = [
            test
            for other in far["model"]
            if (test := paired(compared, first["model"], other, "copy_advantage", "exact", first["context"]))
            is not None
        ]
        beaten = sum(bool(test["p"] < CLEAR and test["mean"] > 0) for test in others)
        paired_over = sorted({pairs(test) for test in others if pd.notna(test["p"])})
        over = f" over {' or '.join(paired_over)}" if paired_over else ", for which one seed is too few"
        can = (
            f"{named(first['model'])} recalls most at the farthest distance, clearly ahead of {beaten} of {len(others)} others in "
            f"paired tests{over}"
        )
        if recall["model"].nunique() == 1:
            return f"Only {named(first['model'])} was run, so there is nothing to compare it with."
        if not others:
            can = f"{named(first['model'])} recalls most at the farthest distance; no paired tests were made"
    cannot = (
        "The order need not hold for a published model, and differences within the intervals mean nothing"
        if simulated
        else "Recall of planted copies does not promise a gain in any downstream task"
    )
    return f"{can}. {cannot}."

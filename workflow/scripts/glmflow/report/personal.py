"""Comparisons of personal expression: runs with each other and with their controls, gene by gene."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from .inputs import BASELINES
from .metrics import number
from .verdict import Verdict

LINEAR = ("elastic_net", "lasso", "blup", "top_variant")
SEEN, UNSEEN = "seen genes unseen individuals", "unseen genes unseen individuals"
UNSEEN_GENES = "unseen genes"  # the hackathon's one class of all unseen genes
CLASSES = {SEEN: "genes seen in training", UNSEEN: "unseen genes", UNSEEN_GENES: "unseen genes"}
"""The classes that a study is judged by, and what they are called."""
DRAWS = 2000
LITTLE = 0.2  # a mean ceiling below leaves next to nothing to learn


class Difference(NamedTuple):
    """Mean difference over genes with its 95 % interval, genes resampled in pairs."""

    value: float
    low: float
    high: float
    genes: int

    @property
    def text(self) -> str:
        """The difference as it stands in a sentence."""
        return f"{signed(self.value)} [{signed(self.low)}, {signed(self.high)}]"


def signed(value: float) -> str:
    """Write a number with its sign."""
    return number(value) if value < 0 else f"+{number(value)}"


def paired(one: pd.DataFrame, other: pd.DataFrame) -> Difference | None:
    """Compare two runs on the genes both were scored on; None where there are none.

    Parameters
    ----------
    one, other
        `group`, `pearson` of a run in one class.
    """
    both = one[["group", "pearson"]].merge(other[["group", "pearson"]], on="group", suffixes=("", "_other"))
    if both.empty:
        return None
    gain = (both["pearson"] - both["pearson_other"]).to_numpy(float)
    weights = np.random.default_rng(0).multinomial(len(gain), np.full(len(gain), 1 / len(gain)), size=DRAWS)
    low, high = np.percentile(weights @ gain / len(gain), [2.5, 97.5])
    return Difference(float(gain.mean()), float(low), float(high), len(gain))


def ranked(personal: pd.DataFrame, task: str, subset: str) -> pd.DataFrame:
    """Return the runs of a task in one class, best first: key, label, model, origin, value (mean r)."""
    rows = personal[(personal["task"] == task) & (personal["subset"] == subset) & (personal["split"] == "test")]
    columns = ["key", "label", "model", "adaptation", "origin", "baseline"]
    means = rows.groupby(columns, as_index=False, sort=False).agg(value=("pearson", "mean"), genes=("group", "nunique"))
    return means.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)


def genes_of(personal: pd.DataFrame, key: str, subset: str) -> pd.DataFrame:
    """Return the gene scores of a run in one class of the test split."""
    return personal[(personal["key"] == key) & (personal["subset"] == subset) & (personal["split"] == "test")]


def linear_baselines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the linear models of genotypes among ranked runs; all baselines where there is none."""
    baselines = rows[rows["origin"].isin(BASELINES)]
    linear = baselines[baselines["baseline"].isin(LINEAR)]
    return linear if len(linear) else baselines


def judge_personal(personal: pd.DataFrame, task: str) -> Verdict:
    """Say in one sentence whether any model beats the best linear baseline, on seen and on unseen genes."""
    parts, notes = [], []
    control = personal.loc[personal["task"] == task, "control"].iloc[0]
    for subset in CLASSES:
        rows = ranked(personal, task, subset)
        if len(rows):
            parts.append(_judge_class(personal, rows, subset))
            notes += _control_notes(personal, rows, subset) if control == "none" else []
            notes += _notes(personal, rows, subset)
    if not parts:
        return Verdict("No run was scored on unseen people, so nothing can be said.")
    if control != "none":
        notes.insert(0, f"This task is a control ({control.replace('_', ' ')}): what it scores needs no personal data.")
    notes += _selection_notes(personal, task)
    fewest = int(personal.loc[personal["task"] == task, "seeds"].min())
    if fewest == 1:
        notes.append("One seed: the spread between seeds is not known.")
    sentence = "; ".join(parts) + "."
    return Verdict(sentence[0].upper() + sentence[1:], tuple(notes))


def _judge_class(personal: pd.DataFrame, rows: pd.DataFrame, subset: str) -> str:
    """Compare the best model with the best linear baseline in one class."""
    where = f"on {CLASSES[subset]}"
    models, linear = rows[~rows["origin"].isin(BASELINES)], linear_baselines(rows)
    if models.empty:
        best = rows.iloc[0]
        return f"{where} only baselines were run; the best, {best['label']}, reaches r = {number(best['value'])}"
    model = models.iloc[0]
    reached = f"{model['label']} reaches r = {number(model['value'])} between people"
    if linear.empty:
        return f"{where} {reached}"
    baseline = linear.iloc[0]
    gap = paired(genes_of(personal, model["key"], subset), genes_of(personal, baseline["key"], subset))
    assert gap is not None
    against = f"{baseline['label']} at {number(baseline['value'])}, difference {gap.text} over {gap.genes:,} genes"
    best = rows[rows["origin"].isin(BASELINES)].iloc[0]
    if best["value"] > baseline["value"]:  # one that reads sequence says something of unseen genes too
        more = paired(genes_of(personal, model["key"], subset), genes_of(personal, best["key"], subset))
        assert more is not None
        against += (
            f"; {best['label']}, the best baseline of another kind, at {number(best['value'])}, difference {more.text}"
        )
    if gap.low > 0:
        return f"{where} {reached} and beats every linear model of genotypes ({against})"
    if gap.high < 0:
        return f"{where} no model beats the linear models of genotypes: {reached} ({against})"
    return f"{where} no model can be told from the best linear model of genotypes: {reached} ({against})"


def _selection_notes(personal: pd.DataFrame, task: str) -> list[str]:
    """Say among how many models the best was chosen by the very scores that are reported."""
    compared = max(int((~ranked(personal, task, subset)["origin"].isin(BASELINES)).sum()) for subset in CLASSES)
    if compared < 2:
        return []
    return [
        f"{compared} models were compared on the test split itself: the best of them owes some of its r to the choice."
    ]


def _control_notes(personal: pd.DataFrame, rows: pd.DataFrame, subset: str) -> list[str]:
    """Say what the best model that has a control gains over itself trained on people permuted within genes."""
    models = rows[~rows["origin"].isin(BASELINES)]
    twins = personal.loc[personal["key"].isin(models["key"]), "twin"].unique()
    permuted = {
        (row["model"], row["adaptation"]): row
        for row in controls(personal[personal["twin"].isin(twins)])
        if row["control"] == "permuted people" and row["subset"] == subset
    }
    for name in zip(models["model"], models["adaptation"]):
        if name in permuted:
            row = permuted[name]
            return [
                f"On {CLASSES[subset]} {row['label']} trained on people permuted within genes, which leaves it gene means "
                f"alone, reaches r = {number(row['value'])}: {row['gain'].text} comes from personal data."
            ]
    return []


def _notes(personal: pd.DataFrame, rows: pd.DataFrame, subset: str) -> list[str]:
    """Say what could be reached at all, and how many genes every model leaves constant."""
    genes = genes_of(personal, rows.iloc[0]["key"], subset)
    if "ceiling" not in genes or genes["ceiling"].isna().all():
        return []
    ceiling = float(genes["ceiling"].fillna(0).mean())
    text = (
        f"On {CLASSES[subset]} the true genetic part itself correlates with expression by {number(ceiling)} on average"
    )
    flat = float((genes["ceiling"].fillna(0) == 0).mean())
    if ceiling < LITTLE:
        text += f"; {flat:.0%} of the genes have no genetic part that varies: there is next to nothing to learn here"
    return [text + "."]


class Cell(NamedTuple):
    """One value of the matrix of classes."""

    value: float
    low: float
    high: float
    n: int


def class_matrix(summary: pd.DataFrame, task: str, metric: str) -> tuple[list[str], list[dict]]:
    """Return the held-out classes of a task, and a row a run with its value in each."""
    rows = summary[
        (summary["task"] == task)
        & (summary["metric"] == metric)
        & (summary["protocol"] == "strict")
        & (summary["split"] == "test")
    ]
    classes = sorted(rows["subset"].unique())
    order = rows.groupby("key", sort=False)["value"].mean().sort_values(ascending=False).index
    found = []
    for key in order:
        own = rows[rows["key"] == key]
        cells = {
            row["subset"]: Cell(row["value"], row["ci_low"], row["ci_high"], row["n"]) for _, row in own.iterrows()
        }
        found.append({"label": own["label"].iloc[0], "origin": own["origin"].iloc[0], "key": key, "cells": cells})
    return classes, found


def controls(personal: pd.DataFrame) -> list[dict]:
    """Return each run of a control beside the same run of the task it controls, with the gain over it by class."""
    rows = []
    controlled = personal[personal["control"] != "none"]
    for (task, model, adaptation, control, twin), part in controlled.groupby(
        ["task", "model", "adaptation", "control", "twin"], sort=False
    ):
        own = personal[
            (personal["control"] == "none")
            & (personal["twin"] == twin)
            & (personal["model"] == model)
            & (personal["adaptation"] == adaptation)
            & (personal["split"] == "test")
        ]
        for subset in sorted(part.loc[part["split"] == "test", "subset"].unique()):
            held = part[(part["subset"] == subset) & (part["split"] == "test")]
            same = own[own["subset"] == subset]
            rows.append(
                {
                    "task": task,
                    "control": control.replace("_", " "),
                    "model": model,
                    "adaptation": adaptation,
                    "label": part["label"].iloc[0],
                    "subset": subset,
                    "value": float(held["pearson"].mean()),
                    "itself": float(same["pearson"].mean()) if len(same) else None,
                    "gain": paired(same, held),
                }
            )
    return rows


class Extremes(NamedTuple):
    """The genes that the best model of a class predicts best and worst.

    Attributes
    ----------
    label, key
        The model.
    baseline
        Label of the best linear baseline; empty where there is none.
    genes
        Scores of the genes, with `best` and the baseline's r as `baseline`.
    """

    label: str
    key: str
    baseline: str
    genes: list[dict]


def extremes(personal: pd.DataFrame, task: str, subset: str, count: int = 6) -> Extremes:
    """Return the genes that the best model of a class predicts best and worst, beside the best linear baseline."""
    rows = ranked(personal, task, subset)
    models, linear = rows[~rows["origin"].isin(BASELINES)], linear_baselines(rows)
    if rows.empty:
        return Extremes("", "", "", [])
    first = models.iloc[0] if len(models) else rows.iloc[0]
    genes = genes_of(personal, first["key"], subset).drop(columns="baseline")
    name = ""
    if len(linear) and linear.iloc[0]["key"] != first["key"]:
        name = linear.iloc[0]["label"]
        other = genes_of(personal, linear.iloc[0]["key"], subset)[["group", "pearson"]]
        genes = genes.merge(other.rename(columns={"pearson": "baseline"}), on="group", how="left")
    ordered = genes.sort_values("pearson", ascending=False, kind="stable")
    count = min(count, len(ordered) // 2)
    chosen = pd.concat([ordered.head(count), ordered.tail(count)]) if count else ordered
    chosen = chosen.assign(best=[place < count for place in range(len(chosen))])
    return Extremes(first["label"], first["key"], name, chosen.to_dict("records"))

"""Runs compared gene by gene: with each other, with linear models of genotypes, with their controls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.report.run_folder import BASELINES
from glmflow.report.wording import signed

LINEAR = ("elastic_net", "lasso", "blup", "top_variant")
"""Baselines that are linear models of genotypes."""
SEEN, UNSEEN = "seen genes unseen individuals", "unseen genes unseen individuals"
UNSEEN_GENES = "unseen genes"
"""The hackathon's one class of all unseen genes."""
CLASSES = {SEEN: "genes seen in training", UNSEEN: "unseen genes", UNSEEN_GENES: "unseen genes"}
"""The classes that a study is judged by, and what they are called."""
DRAWS = 2000
"""Bootstrap draws over genes."""


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


def paired(one: pd.DataFrame, other: pd.DataFrame) -> Difference | None:
    """Return the difference of two runs on the genes that both were scored on; None if there are none.

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


def ranked(scores: pd.DataFrame, task: str, subset: str) -> pd.DataFrame:
    """Return the runs of a task in one class, best first: key, label, model, origin, value (mean r)."""
    rows = scores[(scores["task"] == task) & (scores["subset"] == subset) & (scores["split"] == "test")]
    columns = ["key", "label", "model", "adaptation", "origin", "baseline"]
    means = rows.groupby(columns, as_index=False, sort=False).agg(value=("pearson", "mean"), genes=("group", "nunique"))
    return means.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)


def genes_of(scores: pd.DataFrame, key: str, subset: str) -> pd.DataFrame:
    """Return the gene scores of a run in one class of the test split."""
    return scores[(scores["key"] == key) & (scores["subset"] == subset) & (scores["split"] == "test")]


def best_baseline(rows: pd.DataFrame) -> pd.Series | None:
    """Return the best linear model of genotypes among ranked runs; the best baseline if there is none, None without any."""
    baselines = rows[rows["origin"].isin(BASELINES)]
    linear = baselines[baselines["baseline"].isin(LINEAR)]
    found = linear if len(linear) else baselines
    return found.iloc[0] if len(found) else None


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


def controls(scores: pd.DataFrame) -> list[dict]:
    """Return each run of a control beside the same run of the task it controls, with the gain over the control by class."""
    rows = []
    controlled = scores[scores["control"] != "none"]
    for (task, model, adaptation, control, twin), part in controlled.groupby(
        ["task", "model", "adaptation", "control", "twin"], sort=False
    ):
        own = scores[
            (scores["control"] == "none")
            & (scores["twin"] == twin)
            & (scores["model"] == model)
            & (scores["adaptation"] == adaptation)
            & (scores["split"] == "test")
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
        Label of the baseline beside it (`best_baseline`); empty if there is none.
    genes
        Scores of the genes, with `best` and the baseline's r as `baseline`.
    """

    label: str
    key: str
    baseline: str
    genes: list[dict]


def extremes(scores: pd.DataFrame, task: str, subset: str, count: int = 6) -> Extremes:
    """Return the genes that the best model of a class predicts best and worst, beside the best baseline."""
    rows = ranked(scores, task, subset)
    if rows.empty:
        return Extremes("", "", "", [])
    models, against = rows[~rows["origin"].isin(BASELINES)], best_baseline(rows)
    first = models.iloc[0] if len(models) else rows.iloc[0]
    genes = genes_of(scores, first["key"], subset).drop(columns="baseline")
    name = ""
    if against is not None and against["key"] != first["key"]:
        name = against["label"]
        other = genes_of(scores, against["key"], subset)[["group", "pearson"]]
        genes = genes.merge(other.rename(columns={"pearson": "baseline"}), on="group", how="left")
    ordered = genes.sort_values("pearson", ascending=False, kind="stable")
    count = min(count, len(ordered) // 2)
    chosen = pd.concat([ordered.head(count), ordered.tail(count)]) if count else ordered
    chosen = chosen.assign(best=[place < count for place in range(len(chosen))])
    return Extremes(first["label"], first["key"], name, chosen.to_dict("records"))

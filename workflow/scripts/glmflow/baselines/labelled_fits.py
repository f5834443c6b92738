"""What fits of labelled sequences have in common: the examples as predictors read them, and predictions as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.genome.packed import OnGenome, Packed, pack
from glmflow.genome.reference import Reference

from . import sequence_predictors as simple
from .fitting_data import Apply, Fit, FittingData

SAID = 5
"""Targets whose choices are said."""


def sequence_data(data: FittingData) -> tuple[simple.SequenceData, list[str]]:
    """Return the examples of a task as baselines read them, and its classes; of several labels or values all of them.

    Intervals are read from the genome block by block, as they are needed.

    The target is then `[n, names]`, and the number of classes None.
    """
    names = read_table(f"{data.files['tables']}/classes.tsv")["class"].astype(str).tolist()
    rows = data.examples.reset_index(drop=True)
    packed: Packed | OnGenome | None = pack(rows["sequence"]) if "sequence" in rows else None
    if packed is None and data.files.get("genome"):
        packed = OnGenome(Reference(data.files["genome"]), rows)
    split = rows["split"].to_numpy(object)
    if "target" not in rows:
        target = rows[[f"target_{name}" for name in names]].to_numpy(np.float64)
        return simple.SequenceData(rows, packed, target, None, split), names
    number = {name: place for place, name in enumerate(names)}
    target = rows["target"].astype(str).map(number).to_numpy(np.int64)
    return simple.SequenceData(rows, packed, target, len(names), split), names


def of_classes(fit: Callable[[FittingData, pd.DataFrame, list[str]], Callable[[pd.DataFrame], NDArray]]) -> Fit:
    """Return a fit from one that returns a function from examples to class probabilities `[n, classes]`."""

    def fitted(data: FittingData) -> Apply:
        classes = read_table(f"{data.files['tables']}/classes.tsv")["class"].astype(str).tolist()
        rows = data.examples
        predict = fit(data, rows[rows["split"] == "train"], classes)
        held_out = rows[rows["split"] != "train"].reset_index(drop=True)
        return lambda folder: predicted_table(held_out, predict(held_out), classes)

    return fitted


def predicted_table(rows: pd.DataFrame, values: NDArray, names: list[str]) -> pd.DataFrame:
    """Return a predictions table, `prediction_{name}`."""
    table = pd.DataFrame(values, columns=[f"prediction_{name}" for name in names])
    return pd.concat([rows[["example"]].reset_index(drop=True), table], axis=1)


def fit_of(
    fit: Callable[..., simple.Predicted],
    settings: Callable[[Any], Mapping[str, Any]] = lambda _: {},
    reads_bases: bool = True,
) -> Fit:
    """Return the fit of a baseline from a predictor and the settings that it takes of the baseline's block."""

    def fitted(data: FittingData) -> Apply:
        own, names = sequence_data(data)
        if own.packed is None and reads_bases:
            what = f"{data.settings['model_label']} reads sequences, and there are intervals alone"
            raise InputError(what, where="examples", fix="Give `reference.fasta`.")
        if own.classes is not None:
            found = fit(own, **settings(data))
            values, chosen = found.values, [found.chosen]
        else:
            labels = task_block(data.settings["task"]).target == "label_set"
            values, chosen = simple.each_target(fit, own, own.target, labels, **settings(data))
        if data.notes is not None:
            data.notes.extend(said(chosen, names))
        held_out = np.flatnonzero(own.split != "train")
        table = predicted_table(own.rows.iloc[held_out], values[held_out], names)
        return lambda folder: table

    return fitted


def said(chosen: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """Return in a line what was chosen; of several targets a line each, of `SAID` of them at most."""
    lines = [", ".join(f"{name} {value}" for name, value in one.items()) for one in chosen]
    if len(lines) > 1:
        lines = [f"{name}: {line}" for name, line in zip(names, lines) if line][:SAID]
    return [line for line in lines if line]

"""Input `labelled_bases`: a window of the reference and the class of each of its bases or bins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.genome.packed import fetch
from glmflow.genome.reference import Reference
from glmflow.models.interface import Tokens
from glmflow.tasks.window_labels import mean_probabilities, open_probabilities, other_strand, read_labels

from ..parts import Parts
from ..ready import Predictor, Ready
from ..stream import Item, other_strand_drawn, spread
from ..tuned import RunBlocks, Tuned

log = logging.getLogger(__name__)

EVALUATION_WINDOWS = 256
"""Validation windows that are looked at during training, at most."""


class LabelledBases:
    """Makes the item of a window: its bases, `uint8 [L]`, and the class of each bin, `int64 [bins]` (-1: none).

    Parameters
    ----------
    windows
        `chrom`, `start`, `end`, of one length.
    labels
        Class of each bin, `int8 [windows, bins]`.
    swap
        For each class the one that takes its place on the other strand.
    turn
        Turn half of the training items around.
    """

    def __init__(
        self, windows: pd.DataFrame, labels: NDArray, reference: Reference, swap: Sequence[int], turn: bool = False
    ):
        self.windows, self.labels = windows.reset_index(drop=True), labels
        self.reference, self.turn = reference, turn
        self.swap = np.array([*swap, -1], np.int64)  # the last one: -1 stays -1

    def __len__(self) -> int:
        return len(self.windows)

    def describe(self, index: int) -> str:
        """Return the place of a window."""
        return "{}:{}-{}".format(*self.windows.loc[index, ["chrom", "start", "end"]])

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of a window, turned around half of the time in training on both strands."""
        sequence = fetch(self.reference, self.windows.iloc[index : index + 1]).one(0)
        target = self.labels[index].astype(np.int64)
        if other_strand_drawn(generator, self.turn):
            sequence, target = reverse_complement(sequence), self.swap[target[::-1]]
        return {"sequence": sequence, "target": target}


def collate(
    items: Sequence[Item], tokenize: Callable[[list[NDArray[np.uint8]]], Tokens], kept: Any = None
) -> dict[str, Any]:
    """Stack windows into a batch: the fields of `Tokens`, and `targets` `[S, bins]`."""
    batch = tokenize([item["sequence"] for item in items])._asdict()
    return batch | {"targets": torch.from_numpy(np.stack([item["target"] for item in items]))}


def ready(run: RunBlocks, examples: pd.DataFrame, files: Mapping[str, Any]) -> Ready:
    """Return the training and validation windows of a run.

    Parameters
    ----------
    examples
        `example`, `chrom`, `start`, `end`, `split`.
    files
        `fasta`; `tables`: the folder with `classes.tsv` and `labels.parquet`.

    Raises
    ------
    InputError
        There is no training window.
    """
    names = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    genome, turn = Reference(files["fasta"]), run.adaptation.train.reverse_complement
    learned = examples[examples["split"] == "train"]
    if learned.empty:
        raise InputError("no training window", where="examples", fix="Give windows of the split train.")
    held_out = spread(examples[examples["split"] == "validation"].reset_index(drop=True), EVALUATION_WINDOWS)
    swap = other_strand(names)
    labels = read_labels(Path(files["tables"]), learned["example"])
    known = labels[labels >= 0]
    validation = None
    if len(held_out):
        validation = LabelledBases(held_out, read_labels(Path(files["tables"]), held_out["example"]), genome, swap)
    return Ready(
        train=LabelledBases(learned, labels, genome, swap, turn),
        validation=validation,
        collate=collate,
        fitted={"classes": names, "counts": np.bincount(known, minlength=len(names)).tolist()},
        length=run.task.window_bp,
        files=[files["fasta"], Path(files["tables"]) / "labels.parquet"],
        at_once=run.adaptation.train.micro_batch,
    )


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Write `probabilities.npy` of all held-out windows and return the mean probability of each class over a window.

    A model that was trained on both strands is read on both, and its two predictions are averaged.
    """
    run, model = predictor.run, predictor.model
    held_out = examples[examples["split"] != "train"].reset_index(drop=True)
    genome, batch = Reference(files["fasta"]), max(1, run.adaptation.train.micro_batch)
    names = model.target.names
    swap = other_strand(names) if run.adaptation.train.reverse_complement else None
    table = open_probabilities(folder, (len(held_out), run.task.window_bp // run.task.bin, len(names)))
    for first in range(0, len(held_out), batch):
        part = held_out.iloc[first : first + batch]
        table[first : first + len(part)] = parts.array(first, partial(predicted, model, genome, part, swap))
        log.info("predicted %d of %d windows", first + len(part), len(held_out))
    table.flush()
    return mean_probabilities(held_out, table, names)


def predicted(model: Tuned, genome: Reference, windows: pd.DataFrame, swap: list[int] | None) -> NDArray[np.float16]:
    """Return the class probabilities of windows, `[n, bins, classes]`; the mean of both strands with `swap`."""
    codes = list(fetch(genome, windows).each())

    def of(sequences: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return model.target.finished(model.target.read(model.features_of(sequences), {})).cpu().numpy()

    found = of(codes)
    if swap is not None:
        found = (found + of([reverse_complement(code) for code in codes])[:, ::-1][:, :, swap]) / 2
    return found.astype(np.float16)

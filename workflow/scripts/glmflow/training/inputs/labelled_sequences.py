"""Input `labelled_sequences`: a sequence and its class, labels or values."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.errors import InputError
from glmflow.files import read_table, write_table
from glmflow.genome.packed import fetch, pack
from glmflow.genome.reference import Reference
from glmflow.labelled.label_efficiency import part_of_training as some_of_training
from glmflow.models.interface import Tokens

from ..frozen_states import compute
from ..parts import Parts
from ..ready import Predictor, Ready
from ..stream import Item, other_strand_drawn
from ..tuned import RunBlocks
from .sequence_lengths import FILE, LengthCounts

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Sequences that are predicted between two times that a prediction is kept."""


class LabelledSequences:
    """Makes the item of a labelled sequence: its middle `length` bases, and the number of its class or its numbers."""

    def __init__(
        self,
        examples: pd.DataFrame,
        names: Sequence[str],
        length: int,
        reverse_complement: bool = False,
        genome: str | None = None,
        middle: int | None = None,
    ):
        self.sequences = Middles(examples, length, genome, middle)
        self.targets = truth_of(examples, names)
        self.names, self.turn = examples["example"].tolist(), reverse_complement

    def __len__(self) -> int:
        return len(self.sequences)

    def describe(self, index: int) -> str:
        """Return the name of a sequence."""
        return f"sequence {self.names[index]}"

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of a sequence, turned around half of the time in training on both strands."""
        sequence = self.sequences[index]
        if other_strand_drawn(generator, self.turn):
            sequence = reverse_complement(sequence)
        return {"sequence": sequence, "target": self.targets[index]}


def truth_of(examples: pd.DataFrame, names: Sequence[str]) -> NDArray:
    """Return the number of each example's class, `int64[n]`; of labels and values all of them, `float32[n, names]`."""
    if "target" in examples:
        number = {name: place for place, name in enumerate(names)}
        return examples["target"].astype(str).map(number).to_numpy(np.int64)
    return examples[[f"target_{name}" for name in names]].to_numpy(np.float32)


def fitted_to(truth: NDArray, names: Sequence[str]) -> dict[str, Any]:
    """Return what is known of training targets: their names; of numbers the mean and standard deviation of each."""
    if truth.ndim == 1:
        return {"classes": list(names), "counts": np.bincount(truth, minlength=len(names)).tolist()}
    spread = truth.std(axis=0, dtype=np.float64)
    return {
        "names": list(names),
        "mean": truth.mean(axis=0, dtype=np.float64).tolist(),
        "scale": np.where(spread > 0, spread, 1).tolist(),
    }


class Middles:
    """The middle `length` bases of each example's sequence; those of intervals are read from the genome when asked for.

    Picklable: every process opens the genome for itself.

    Parameters
    ----------
    examples
        `sequence`, or `chrom`, `start`, `end` and `strand`.
    length
        Bases; all of a shorter sequence.
    genome
        FASTA of the genome, for intervals.
    middle
        Bases in the middle that stay as they are, where those around them are shuffled (a control); None: all do.

    Attributes
    ----------
    lengths
        Bases of each whole sequence, int64[n].
    """

    def __init__(self, examples: pd.DataFrame, length: int, genome: str | None = None, middle: int | None = None):
        self.length, self.middle = length, middle
        self.reference = None
        if "sequence" in examples:
            self.packed = pack(examples["sequence"])
            self.lengths = self.packed.lengths
            return
        if genome is None:
            raise InputError(
                "intervals without sequences, and no genome", where="examples", fix="Give `reference.fasta`."
            )
        self.reference = Reference(genome)
        start, end = examples["start"].to_numpy(np.int64), examples["end"].to_numpy(np.int64)
        self.lengths = end - start
        first = start + np.maximum(0, (end - start - length) // 2)
        self.regions = examples[["chrom"]].assign(
            start=first, end=np.minimum(end, first + length), strand=examples["strand"].fillna("+")
        )

    def __len__(self) -> int:
        return self.packed.count if self.reference is None else len(self.regions)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        found = self._middle(index)
        return found if self.middle is None else shuffled_around(found, self.middle)

    def _middle(self, index: int) -> NDArray[np.uint8]:
        if self.reference is not None:
            return fetch(self.reference, self.regions.iloc[index : index + 1]).one(0)
        codes = self.packed.one(index)
        start = max(0, (len(codes) - self.length) // 2)
        return codes[start : start + self.length]

    def part(self, first: int, last: int) -> list[NDArray[np.uint8]]:
        """Return the sequences of some examples."""
        return [self[index] for index in range(first, min(last, len(self)))]


def shuffled_around(sequence: NDArray[np.uint8], middle: int) -> NDArray[np.uint8]:
    """Return a sequence whose bases outside of the `middle` ones have changed places, each side by itself.

    The same sequence is shuffled alike each time. A model that loses nothing by it makes no use of the bases around.
    """
    start = max(0, (len(sequence) - middle) // 2)
    generator = np.random.default_rng(zlib.crc32(sequence.tobytes()))
    found = sequence.copy()
    found[:start] = generator.permutation(found[:start])
    found[start + middle :] = generator.permutation(found[start + middle :])
    return found


def collate(
    items: Sequence[Item],
    tokenize: Callable[[list[NDArray[np.uint8]]], Tokens],
    kept: Callable[[list[NDArray[np.uint8]]], torch.Tensor] | None = None,
) -> dict[str, Any]:
    """Stack sequences into a batch: the fields of `Tokens` or kept `features`, and `targets` `[S]` or `[S, names]`."""
    sequences = [item["sequence"] for item in items]
    return {
        **({"features": kept(sequences)} if kept is not None else tokenize(sequences)._asdict()),
        "targets": torch.from_numpy(np.array([item["target"] for item in items])),
    }


def ready(run: RunBlocks, examples: pd.DataFrame, files: Mapping[str, Any]) -> Ready:
    """Return the training and validation sequences of a run.

    Parameters
    ----------
    examples
        `example`, `split`, `target` (the class; or `target_{name}`), and `sequence`, or `chrom`, `start`, `end`, `strand`.
    files
        `tables`: the folder with `classes.tsv`; `genome`, for intervals.

    Raises
    ------
    InputError
        There is no training sequence.
    """
    names = read_table(f"{files['tables']}/classes.tsv")["class"].astype(str).tolist()
    genome, middle = files.get("genome") or None, run.settings["task"].get("middle")
    make = partial(LabelledSequences, names=names, length=run.task.length, genome=genome, middle=middle)
    training = run.adaptation.train
    learned, held_out = learned_and_held_out(examples, training.folds, run.seed)
    learned = learned.iloc[part_of_training(learned, training.examples)]
    if learned.empty:
        raise InputError("no training sequence", where="examples", fix="Give rows of the split train.")
    log.info("%d training and %d validation sequences", len(learned), len(held_out))
    train = make(learned, reverse_complement=training.reverse_complement)
    validation = make(held_out) if len(held_out) else None

    def distinct() -> Iterator[list[NDArray[np.uint8]]]:
        for items in filter(None, (train, validation)):
            for first in range(0, len(items), AT_ONCE):
                yield items.sequences.part(first, first + AT_ONCE)

    return Ready(
        train=train,
        validation=validation,
        collate=collate,
        fitted=fitted_to(train.targets, names),
        length=run.task.length,
        files=[],
        distinct=distinct,
        at_once=training.micro_batch,
    )


def learned_and_held_out(examples: pd.DataFrame, folds: int | None, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and validation rows: those of the splits, or of `folds` parts of both the one that the seed stands for.

    Seed 1 holds out the first part, and so on; the parts are of random rows, as published protocols have them.
    """
    learned, held_out = (examples[examples["split"] == split] for split in ("train", "validation"))
    if folds is None:
        return learned, held_out
    both = pd.concat([learned, held_out])
    part = np.random.default_rng(0).permutation(len(both)) % folds
    chosen = part == (seed - 1) % folds
    return both[~chosen], both[chosen]


def part_of_training(learned: pd.DataFrame, share: float) -> NDArray[np.int64]:
    """Return the places of a share of the training rows: whole groups, classes in their shares, the same for all models."""
    strata = learned["target"].to_numpy() if "target" in learned else None
    groups = learned["group"].fillna(learned["example"]).to_numpy() if "group" in learned else None
    return some_of_training(np.arange(len(learned)), strata, share, 0, groups)


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Return what is predicted of all held-out sequences, `prediction_{name}`: probabilities of classes or labels, values.

    A model that was trained on both strands is read on both, and its two predictions are averaged. How many sequences were
    cut, chunked and padded is written beside (`lengths.tsv`).
    """
    run, model = predictor.run, predictor.model
    held_out = examples[examples["split"] != "train"].reset_index(drop=True)
    sequences = Middles(held_out, run.task.length, files.get("genome") or None, run.settings["task"].get("middle"))
    both = run.adaptation.train.reverse_complement and predictor.kept is None
    found = []
    batch = max(1, run.adaptation.train.micro_batch)
    counts = LengthCounts(model.adapter, run.task.length, batch, model.padded_to)
    for first in range(0, len(sequences), AT_ONCE):
        part = sequences.part(first, first + AT_ONCE)
        found.append(parts.array(first, partial(predicted, predictor, part, both)))
        counts.add(part, sequences.lengths[first : first + AT_ONCE])
        log.info("predicted %d of %d sequences", first + len(part), len(sequences))
    write_table(counts.table(), folder / FILE)
    table = pd.DataFrame(np.concatenate(found), columns=[f"prediction_{name}" for name in model.target.names])
    return pd.concat([held_out[["example"]], table], axis=1)


def predicted(predictor: Predictor, sequences: list[NDArray[np.uint8]], both: bool) -> NDArray[np.float32]:
    """Return what is predicted of sequences, `[S, names]`; the mean of `both` strands."""
    model, batch = predictor.model, max(1, predictor.run.adaptation.train.micro_batch)
    if predictor.kept is not None:
        compute(predictor.kept, model, sequences, batch)
    strands = [sequences, [reverse_complement(sequence) for sequence in sequences]] if both else [sequences]
    total = 0.0
    for read in strands:
        rows = []
        for start in range(0, len(read), batch):
            part = read[start : start + batch]
            kept = predictor.kept
            features = model.features_of(part) if kept is None else kept(part).to(model.device)
            with torch.no_grad():
                rows.append(model.target.finished(model.target.read(features, {})))
        total = total + torch.cat(rows)
    return (total / len(strands)).cpu().numpy()

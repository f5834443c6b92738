"""Input `region_keys`: a region's sequence, and all keys (cell, TF) that are learned or asked for, at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.bases import reverse_complement, shifted
from glmflow.binding.binding_tables import Binding, held_out, predictions_table
from glmflow.errors import InputError
from glmflow.models.interface import Tokens

from ..frozen_states import compute
from ..parts import Parts
from ..ready import Predictor, Ready
from ..stream import Item, other_strand_drawn
from ..tuned import RunBlocks
from .labelled_sequences import Middles
from .unlabelled_sites import predict_sites

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Regions that are predicted between two times that a prediction is kept."""
SHORTEST = 4
"""Least positions of a motif's matrix."""


class RegionKeys:
    """Makes the item of a region: its sequence, occupancies, accessibility, and the labels of some keys, NaN if ambiguous."""

    def __init__(
        self,
        binding: Binding,
        keys: NDArray[np.int64],
        regions: NDArray[np.int64],
        length: int,
        reverse_complement: bool = False,
        shift: int = 0,
    ):
        self.keys, self.turn, self.shift = keys, reverse_complement, shift
        self.names = binding.regions["example"].to_numpy()[regions].tolist()
        self.sequences = Middles(binding.regions.iloc[regions].reset_index(drop=True), length)
        own = np.ix_(keys, regions)
        self.labels = np.where(binding.known[own], binding.labels[own], np.float32(np.nan)).T
        self.occupancy, self.accessibility = of_regions(binding, regions)

    def __len__(self) -> int:
        return len(self.names)

    def describe(self, index: int) -> str:
        """Return the name of a region."""
        return f"region {self.names[index]}"

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of a region; in training moved by up to `shift` bases, and turned around half of the time."""
        sequence = self.sequences[index]
        if generator is not None and self.shift:
            sequence = shifted(sequence, int(generator.integers(-self.shift, self.shift + 1)))
        if other_strand_drawn(generator, self.turn):
            sequence = reverse_complement(sequence)
        return {
            "sequence": sequence,
            "keys": self.keys,
            "targets": self.labels[index],
            "occupancy": self.occupancy[index],
            "accessibility": self.accessibility[index],
        }


def of_regions(binding: Binding, regions: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return occupancies `[regions, tfs]` and accessibility `[regions, cells]`, zeros where it is not known."""
    occupancy = binding.occupancy[regions].astype(np.float32)
    if binding.accessibility is None:
        return occupancy, np.zeros((len(regions), len(binding.cell_names)), np.float32)
    return occupancy, np.ascontiguousarray(binding.accessibility[:, regions].T, np.float32)


def given_of_keys(binding: Binding) -> dict[str, Any]:
    """Return what heads are given of all keys, as JSON data (`glmflow.models.heads.binding_heads`).

    The prior of a training key is the log-odds of its share of bound training regions; that of another key is the mean over
    the training keys of its TF, else of its cell, else of all.
    """
    learned, regions = binding.rows("train")
    tf, cell = binding.tf_of_keys, binding.cell_of_keys
    bound, known = (matrix[:, regions].sum(axis=1) for matrix in (binding.labels, binding.known))
    odds = np.log((bound + 0.5) / (known - bound + 0.5))
    priors = []
    training = set(learned.tolist())
    for key in range(len(tf)):
        same = [learned[tf[learned] == tf[key]], learned[cell[learned] == cell[key]], learned]
        priors.append(float(odds[key] if key in training else odds[next(own for own in same if len(own))].mean()))
    learned_tfs = {name: place for place, name in enumerate(np.unique(tf[learned]).tolist())}
    cells = binding.cells.to_numpy(np.float64)
    own = np.unique(cell[learned])
    spread = cells[own].std(axis=0)
    scaled = np.clip((cells - cells[own].mean(axis=0)) / np.where(spread > 0, spread, 1), -3, 3)
    proteins = binding.proteins
    if proteins is None:
        proteins = np.zeros((len(binding.tf_names), 0))
    else:
        proteins = proteins[:, list(learned_tfs)]
    return {
        "tf": tf.tolist(),
        "cell": cell.tolist(),
        "prior": priors,
        "alike": np.round(np.clip(binding.similarity[:, list(learned_tfs)], 0, None) ** 2, 6).tolist(),
        "proteins": np.round(proteins, 6).tolist(),
        "cells": np.round(scaled, 6).tolist(),
        "expressed": np.round(binding.expressed, 6).tolist(),
        "motifs": motif_array(binding).tolist(),
        "known": [learned_tfs.get(place, -1) for place in range(len(binding.tf_names))],
    }


def motif_array(binding: Binding) -> NDArray[np.float64]:
    """Return the first motif of each TF, probabilities less 1/4, `[tfs, 4, width]`, with zeros behind shorter ones."""
    first = [own[0].probabilities - 0.25 if own else np.zeros((1, 4)) for own in binding.motifs().values()]
    found = np.zeros((len(first), 4, max(SHORTEST, *map(len, first))))
    for place, matrix in enumerate(first):
        found[place, :, : len(matrix)] = matrix.T
    return found.round(6)


def collate(
    items: Sequence[Item],
    tokenize: Callable[[list[NDArray[np.uint8]]], Tokens],
    kept: Callable[[list[NDArray[np.uint8]]], torch.Tensor] | None = None,
) -> dict[str, Any]:
    """Stack regions into a batch; all are of the same keys."""
    sequences = [item["sequence"] for item in items]
    stacked = {
        name: torch.from_numpy(np.stack([item[name] for item in items]))
        for name in ("targets", "occupancy", "accessibility")
    }
    made = {"features": kept(sequences)} if kept is not None else tokenize(sequences)._asdict()
    return {**made, **stacked, "keys": torch.from_numpy(items[0]["keys"])}


def ready(run: RunBlocks, examples: pd.DataFrame, files: Mapping[str, Any]) -> Ready:
    """Return the training keys in training regions, and the validation keys in validation regions.

    Raises
    ------
    InputError
        The head knows training TFs alone, and a held-out key has another.
    """
    binding = Binding(examples, files["tables"])
    fitted = given_of_keys(binding)
    if getattr(run.adaptation.head_for(run.task.target), "known_tfs_only", False):
        new = [name for name, place in zip(binding.keys["tf"], binding.tf_of_keys) if fitted["known"][place] < 0]
        if new:
            what = f"{len(new)} held-out keys are of TFs that training does not have, such as {new[0]}"
            raise InputError(what, where="head tf_heads", fix="Take another head, or hold out cells and pairs.")
    train_keys, train_regions = binding.rows("train")
    turn = run.adaptation.train.reverse_complement
    train = RegionKeys(binding, train_keys, train_regions, run.task.length, turn, run.task.shift)
    keys, regions = binding.rows("validation")
    validation = RegionKeys(binding, keys, regions, run.task.length) if len(keys) and len(regions) else None

    def distinct() -> Iterator[list[NDArray[np.uint8]]]:
        for items in filter(None, (train, validation)):
            for first in range(0, len(items), AT_ONCE):
                yield items.sequences.part(first, first + AT_ONCE)

    return Ready(
        train=train,
        validation=validation,
        collate=collate,
        fitted=fitted,
        length=run.task.length,
        files=sorted(Path(files["tables"]).glob("*")),
        distinct=distinct,
        at_once=run.adaptation.train.micro_batch,
    )


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Return the probabilities of all held-out keys in all held-out regions, `prediction_{key}`; ranks by a model as it is.

    A model that was trained on both strands is read on both, and its two predictions are averaged.
    """
    binding = Binding(examples, files["tables"])
    if predictor.run.adaptation.kind == "zero-shot":
        return predict_sites(predictor, binding, parts, folder)
    keys, regions = held_out(binding)
    items = RegionKeys(binding, keys, regions, predictor.run.task.length)
    both = predictor.run.adaptation.train.reverse_complement and predictor.kept is None
    found = []
    for first in range(0, len(items), AT_ONCE):
        own = [items(index, None) for index in range(first, min(first + AT_ONCE, len(items)))]
        found.append(parts.array(first, partial(predicted, predictor, own, both)))
        log.info("predicted %d of %d regions", first + len(own), len(items))
    return predictions_table(binding, np.concatenate(found).T, keys, regions)


def predicted(predictor: Predictor, items: Sequence[Item], both: bool) -> NDArray[np.float32]:
    """Return the probabilities of regions' keys, `[S, keys]`; the mean of `both` strands."""
    model, batch = predictor.model, max(1, predictor.run.adaptation.train.micro_batch)
    if predictor.kept is not None:
        compute(predictor.kept, model, [item["sequence"] for item in items], batch)
    total = 0.0
    for turned in (False, True) if both else (False,):
        rows = []
        for start in range(0, len(items), batch):
            own = items[start : start + batch]
            sequences = [reverse_complement(item["sequence"]) if turned else item["sequence"] for item in own]
            kept = predictor.kept
            features = model.features_of(sequences) if kept is None else kept(sequences).to(model.device)
            arrays = {
                name: torch.from_numpy(np.stack([item[name] for item in own])).to(model.device)
                for name in ("occupancy", "accessibility")
            }
            arrays["keys"] = torch.from_numpy(own[0]["keys"]).to(model.device)
            with torch.no_grad():
                rows.append(model.target.finished(model.target.read(features, arrays)))
        total = total + torch.cat(rows)
    return (total / (2 if both else 1)).cpu().numpy()

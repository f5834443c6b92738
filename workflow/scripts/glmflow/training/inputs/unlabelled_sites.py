"""Binding without any label: how TFs' best sites are ranked by their motif and by a language model as it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from glmflow.binding.binding_tables import Binding, held_out, predictions_table
from glmflow.binding.motif_files import Motif
from glmflow.binding.motif_scan import best_sites, threshold_of
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.site_evidence import kept_information, site_support, state_change
from glmflow.files import write_table
from glmflow.genome.packed import Packed, pack

from ..parts import Parts
from ..ready import Predictor
from .labelled_sequences import Middles

log = logging.getLogger(__name__)

FILE = "site_scores.parquet"
N = ord("N")


def predict_sites(predictor: Predictor, binding: Binding, parts: Parts, folder: Path) -> pd.DataFrame:
    """Return the ranks of held-out regions by what a model as it is says of the best site of each held-out key's TF.

    Keys of one TF have the same prediction: nothing is known of cells. It is the first score that the task names
    (`unlabelled`), as a rank among the regions of the split (0 to 1); of `support` the mean of that rank and the motif's.
    `folder` gets all scores by region and TF (`FILE`: `example`, `tf`, `motif`, and a column a score).
    """
    task = predictor.run.task
    keys, regions = held_out(binding)
    model = LikelihoodModel(predictor.model, predictor.run.settings["model_label"])
    middles = Middles(binding.regions.iloc[regions].reset_index(drop=True), task.length)
    packed = pack(middles.part(0, len(middles)))
    window = min(task.length, model.adapter.card.context_bp or task.length)
    motifs, split = binding.motifs(), binding.split_of_regions[regions]
    examples, ranks, tables = binding.regions["example"].to_numpy()[regions], {}, []
    tfs = np.unique(binding.tf_of_keys[keys])
    for done, place in enumerate(tfs.tolist(), start=1):
        name = binding.tf_names[place]
        make = partial(sites_of_tf, model, packed, motifs[name], task.unlabelled, window)
        scores = dict(zip(("motif", *task.unlabelled), parts.array(place, make).T))
        first = task.unlabelled[0]
        rank = ranked(scores[first], split)
        ranks[place] = (rank + ranked(scores["motif"], split)) / 2 if first == "support" else rank
        tables.append(pd.DataFrame({"example": examples, "tf": name, **scores}))
        log.info("%s: sites of %d of %d TFs; %d passes", model.name, done, len(tfs), model.passes)
    write_table(pd.concat(tables, ignore_index=True), folder / FILE)
    values = np.stack([ranks[place] for place in binding.tf_of_keys[keys].tolist()])
    return predictions_table(binding, values, keys, regions)


def ranked(scores: NDArray[np.float64], split: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the rank of each region among those of its split, 0 to 1, ties in the middle; without a score it is last."""
    found = np.empty(len(scores))
    for name in np.unique(split.astype(str)):
        own = split == name
        found[own] = rankdata(np.where(np.isfinite(scores[own]), scores[own], -np.inf)) / own.sum()
    return found


def sites_of_tf(
    model: LikelihoodModel, packed: Packed, motifs: Sequence[Motif], names: Sequence[str], window: int
) -> NDArray[np.float64]:
    """Return the motif's margin at the best site of each sequence, and the scores that are named, `[sequences, 1 + names]`.

    The best site is that of the motif of the TF with the largest margin over what one word of 10,000 reaches. NaN where there is
    none, or the window around it holds an N.
    """
    found = np.full((packed.count, 1 + len(names)), np.nan)
    if not motifs:
        return found
    matrices = [motif.log_odds() for motif in motifs]
    best = best_sites(packed, matrices)
    margins = best.score - np.array([threshold_of(matrix) for matrix in matrices])
    chosen = margins.argmax(axis=1)
    each = np.arange(packed.count)
    found[:, 0] = np.where(np.isfinite(margins[each, chosen]), margins[each, chosen], np.nan)
    for number, motif in enumerate(motifs):
        for length in np.unique(np.minimum(packed.lengths, window)):
            own = np.flatnonzero(
                (chosen == number) & np.isfinite(found[:, 0]) & (np.minimum(packed.lengths, window) == length)
            )
            if not len(own):
                continue
            codes, start = windows_around(packed, own, best.position[own, number], motif.width, int(length))
            known = (codes != N).all(axis=1)
            own, codes, start = own[known], codes[known], start[known]
            if len(own):
                reverse = best.reverse[own, number]
                found[own, 1:] = np.stack([_score(name, model, codes, start, motif, reverse) for name in names], axis=1)
    return found


def windows_around(
    packed: Packed, rows: NDArray[np.int64], position: NDArray[np.int32], width: int, length: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return windows with a site in their middle, as far as the sequence reaches, `[rows, length]`, and where it starts in each."""
    middle = position.astype(np.int64) + width // 2
    first = np.clip(middle - length // 2, 0, packed.lengths[rows] - length)
    return packed.codes[(packed.offsets[rows] + first)[:, None] + np.arange(length)], position - first


def _score(
    name: str,
    model: LikelihoodModel,
    codes: NDArray[np.uint8],
    start: NDArray[np.int64],
    motif: Motif,
    reverse: NDArray[np.bool_],
) -> NDArray[np.float64]:
    if name == "support":
        return site_support(model, codes, start, motif.width)
    if name == "state_change":
        return state_change(model, codes, start, motif.width)
    chances = motif.probabilities
    profile = 2 + (chances * np.log2(np.maximum(chances, 1e-12))).sum(axis=1)
    return kept_information(model, codes, start, np.where(reverse[:, None], profile[::-1], profile))

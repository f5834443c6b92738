"""Baselines of kind `language`: a compressor, counts of a single length of context, and the source of simulated genomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.sequence_records import CODE
from glmflow.corpus.window_controls import asked_windows
from glmflow.errors import InputError
from glmflow.simulate.repeat_truth import RepeatTruth
from glmflow.statistics.context_counts import ContextCounts
from glmflow.statistics.context_mixture import ContextMixture, fixed_order_nats

from .fitting_data import Apply, FittingData

Nats = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
APART = 128
"""Unknown bases between windows that are scored in one go: what an order's record of one window weighs in the next is
0.9^128, a millionth."""


def training_codes(data: FittingData) -> list[NDArray[np.uint8]]:
    """Return the sequences that a corpus has for training, as codes."""
    corpus = Corpus(Path(data.files["corpus"]).parent)
    return [corpus.codes(row) & 7 for row in corpus.of("train").index]


def applied(data: FittingData, nats: Nats) -> Apply:
    """Return the predictions of all windows, at every context and control, by a function from codes to nats."""
    task = data.settings["task"]

    def apply(folder: Path) -> pd.DataFrame:
        asked = list(asked_windows(data.examples, task["contexts"], task["controls"], task["seed"]))
        gap = np.full(APART, 4, np.uint8)
        joined = np.concatenate([part for one in asked for part in (gap, CODE[one.sequence] & 7)])
        ends = np.cumsum([APART + len(one.sequence) for one in asked])
        costs, scored = nats(joined), task["scored"]
        table = pd.DataFrame([one[:3] for one in asked], columns=["example", "context_bp", "control"])
        return table.assign(prediction=[costs[end - scored : end].astype(np.float32) for end in ends])

    return apply


def fit_mixture(data: FittingData) -> Apply:
    """Fit a mixture of orders."""
    block = data.baseline
    mixture = ContextMixture(training_codes(data), block.orders, block.reverse_complement, block.forgetting)
    return applied(data, mixture.nats)


def fit_order(data: FittingData) -> Apply:
    """Count what follows contexts of one length."""
    block = data.baseline
    counts = ContextCounts(training_codes(data), block.order, block.reverse_complement)
    return applied(data, lambda codes: fixed_order_nats(counts, block.order, codes))


def true_source(data: FittingData) -> Apply:
    """Ask the source of a simulated genome; what a control has replaced it does not see.

    Raises
    ------
    InputError
        The genome is not simulated.
    """
    if "truth" not in data.files:
        raise InputError(
            "the source is known of a simulated genome alone (`simulate.repeats`)",
            where=f"models.{data.settings['model_label']}",
            fix="Leave it out, or simulate.",
        )
    truth, task = RepeatTruth(Path(data.files["truth"])), data.settings["task"]
    nearest = min(task["contexts"])

    def apply(folder: Path) -> pd.DataFrame:
        known = {
            row.example: (CODE[np.frombuffer(row.sequence.encode(), np.uint8)], truth.distances(row.example))
            for row in data.examples.itertuples()
        }
        rows = []
        for one in asked_windows(data.examples, task["contexts"], task["controls"], task["seed"]):
            codes, distances = known[one.example]
            seen = len(codes) - task["scored"] - (nearest if one.control else one.context_bp)
            nats = truth.source.nats(codes & 7, distances, seen)[-task["scored"] :]
            rows.append((*one[:3], nats.astype(np.float32)))
        return pd.DataFrame(rows, columns=["example", "context_bp", "control", "prediction"])

    return apply


FITS = {"context_mixture": fit_mixture, "fixed_order": fit_order, "true_source": true_source}

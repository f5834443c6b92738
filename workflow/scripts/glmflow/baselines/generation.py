"""Baselines of kind `generation`: a Markov chain, whose sequences pass the same gate as a model's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glmflow.config.tasks.generation import Generation
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.training_part import training_part
from glmflow.dna.markov import Chain

from .fitting_data import Apply, FittingData

if TYPE_CHECKING:
    from glmflow.models.drawing import Drawn
    from glmflow.training.drawn_sequences import GenerationRequest, Source


def fit_chain(data: FittingData) -> Apply:
    """Count a chain on the training sequences, and draw from it behind each prompt."""
    from glmflow.models.drawing import Drawn  # the gate is that of models, which bring torch
    from glmflow.training.drawn_sequences import Source
    from glmflow.training.inputs.prompted_bases import released

    task, seed = Generation.model_validate(data.settings["task"]), int(data.settings["seed"])
    order, corpus = data.baseline.order, Corpus(Path(data.files["corpus"]).parent)
    chain = Chain(training_part(corpus, task.most_training).texts, order)
    # A chain of many orders says what it was counted on: of viruses that were kept it is drawn behind a screen only.
    asks = {"gate_required": True} if corpus.exclusions.reason else {}

    def source(request: GenerationRequest) -> Source:
        def drawn(prompts: Sequence[str], numbers: Sequence[int]) -> list[Drawn]:
            found = []
            for prompt, number in zip(prompts, numbers):
                generator = np.random.default_rng([seed, number])
                text = chain.draw(request.length, generator, prompt)
                found.append(Drawn(text, float("nan"), request.length))
            return found

        return Source({"name": f"Markov chain of order {order}", "family": data.baseline.kind, **asks}, drawn)

    def apply(folder: Path) -> pd.DataFrame:
        return released(source, data.examples, task, seed, data.files, folder / ".drawn", folder)

    return apply


FITS = {"markov_chain": fit_chain}

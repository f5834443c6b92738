"""Baselines of kind `gene_completion`: a chain, the nearest training protein, and the true residues in another order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.config.tasks.gene_completion import GeneCompletion
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.training_part import training_part
from glmflow.dna.completed_genes import (
    Gene,
    Score,
    chain_scores,
    nearest_protein,
    read_panel,
    scores_table,
    shuffled_scores,
    training_proteins,
)
from glmflow.dna.markov import Chain
from glmflow.errors import InputError

from .fitting_data import Apply, FittingData

Scores = Callable[[Gene, int, np.random.Generator], list[Score]]


def training_texts(data: FittingData) -> list[str]:
    """Return the training sequences of the task's corpus.

    Raises
    ------
    InputError
        It names none.
    """
    if "corpus" not in data.files:
        raise InputError(
            f"{data.baseline.kind} learns from a corpus, and the task names none",
            where=f"tasks.{data.settings['task_label']}.corpus",
            fix="Name a corpus of `corpora`, or leave the baseline out.",
        )
    task = GeneCompletion.model_validate(data.settings["task"])
    return training_part(Corpus(Path(data.files["corpus"]).parent), task.most_training, task.window_bp).texts


def applied(data: FittingData, scores: Scores) -> Apply:
    """Return the scores of all genes by a function of gene, number of samples and generator."""

    def apply(folder: Path) -> pd.DataFrame:
        tables = []
        for place, gene in enumerate(read_panel(Path(data.files["panel"]))):
            names = data.examples.loc[data.examples["place"] == place, "example"].tolist()
            generator = np.random.default_rng([int(data.settings["seed"]), place])
            tables.append(scores_table(names, scores(gene, len(names), generator)))
        return pd.concat(tables, ignore_index=True)

    return apply


def fit_chain(data: FittingData) -> Apply:
    """Count a chain on the training sequences."""
    chain = Chain(training_texts(data), data.baseline.order)
    return applied(data, lambda gene, samples, generator: chain_scores(gene, chain, samples, generator))


def fit_nearest(data: FittingData) -> Apply:
    """Read the proteins of the training sequences."""
    proteins = training_proteins(training_texts(data))
    return applied(data, lambda gene, samples, generator: [nearest_protein(gene, proteins)] * samples)


def fit_shuffled(data: FittingData) -> Apply:
    """Shuffle what the reference has."""
    return applied(data, shuffled_scores)


FITS = {"markov_chain": fit_chain, "nearest_protein": fit_nearest, "shuffled_protein": fit_shuffled}

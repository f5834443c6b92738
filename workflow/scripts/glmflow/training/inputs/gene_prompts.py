"""Input `gene_prompts`: genes that a model completes; scores alone are kept, of what was drawn no base is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.dna.completed_genes import Gene, Score, read_panel, score_bases, scores_table
from glmflow.models.adapter import Adapter
from glmflow.models.drawing import Sampling, draw
from glmflow.models.loading import require_head

from ..parts import Parts
from ..ready import Predictor

BATCH = 16
"""Sequences that are drawn together."""


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Complete every gene of the panel as often as it has examples.

    Returns
    -------
    DataFrame
        As `glmflow.dna.completed_genes.scores_table`.

    Raises
    ------
    InputError
        The model has no head to draw from, or a setting is of another kind of model.
    """
    run, model = predictor.run, predictor.model
    require_head(model, predictor.folder, "draw from")
    how = run.task.drawing
    sampling = Sampling(seed=run.seed, **how.model_dump())
    tables = []
    for place, gene in enumerate(read_panel(Path(files["panel"]))):
        names = examples.loc[examples["place"] == place, "example"].tolist()

        def scored(gene: Gene = gene, place: int = place, names: Sequence[str] = names) -> list[pd.DataFrame]:
            return [scores_table(names, completed(model, gene, place, len(names), sampling, BATCH))]

        tables += parts.tables(place, scored)
    return pd.concat(tables, ignore_index=True)


def completed(model: Adapter, gene: Gene, place: int, samples: int, sampling: Sampling, batch: int) -> list[Score]:
    """Return the scores of a gene that a model completes.

    Parameters
    ----------
    place
        Of the gene in its panel; with the seed it decides the draws.
    """
    numbers = range(place * samples, (place + 1) * samples)
    drawn = draw(model, [gene.prompt] * samples, gene.length, sampling, numbers, batch)
    return [score_bases(gene, own.sequence) for own in drawn]

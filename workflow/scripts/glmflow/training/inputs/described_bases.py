"""Input `described_bases`: what DNA costs a model as it is behind no text, its own, and controls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.corpus.text_controls import costs_behind_texts
from glmflow.errors import InputError
from glmflow.models.byte_text import bases_of_row, require_text
from glmflow.models.costs_behind_text import nats_behind

from ..parts import Parts
from ..ready import Predictor

BATCH = 16
"""Rows of text and DNA in a forward pass."""


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Ask a model what each feature costs behind each text, and behind the texts that its own is looked for among.

    Returns
    -------
    DataFrame
        As `glmflow.corpus.text_controls.costs_behind_texts`.

    Raises
    ------
    InputError
        The model reads no text, or too few bases behind one.
    """
    model = predictor.model
    room = bases_of_row(require_text(model.origin, predictor.folder))
    if (longest := int(examples["sequence"].str.len().max())) > room:
        raise InputError(
            f"the model has room for {room} bases behind a text, and {longest} are scored",
            where="tasks.*.bases",
            fix=f"Take {room} at most.",
        )
    return costs_behind_texts(examples, lambda asked: nats_behind(model, asked, BATCH), parts.tables)

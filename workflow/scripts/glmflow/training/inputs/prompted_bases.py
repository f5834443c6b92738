"""Input `prompted_bases`: sequences that a model draws behind prompts, released by the gate and by nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.models.drawing import Sampling
from glmflow.models.loading import require_head
from glmflow.screening.gate import GateSettings

from ..drawn_sequences import TABLE, GenerationRequest, Source, model_identity, of_model, run_generation
from ..parts import Parts
from ..ready import Predictor

BATCH = 16
"""Sequences that are drawn together."""


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Draw what follows each prompt, in each way; a run that was stopped goes on where it was.

    Returns
    -------
    DataFrame
        `example`, `verdict` (`passed`, `blocked`, `not screened`), `log_likelihood` (nats at temperature 1), `prediction`
        (bases; empty where blocked). A folder for each way holds the same as FASTA, with log and record of the gate.

    Raises
    ------
    InputError
        The model has no head to draw from, or asks for a screen and there is none.
    """
    run, model = predictor.run, predictor.model
    require_head(model, predictor.folder, "draw from")
    assert predictor.folder is not None
    identity = model_identity(predictor.folder, model)

    def source(request: GenerationRequest) -> Source:
        return of_model(model, request, identity)

    return released(source, examples, run.task, run.seed, files, parts.folder / "drawn", folder)


def released(
    source: Callable[[GenerationRequest], Source],
    examples: pd.DataFrame,
    task: Any,
    seed: int,
    files: Mapping[str, Any],
    kept: Path,
    folder: Path,
) -> pd.DataFrame:
    """Return what the gate releases of what a source draws, as `predict` does.

    Parameters
    ----------
    source
        From what is asked to what it is drawn from.
    task
        Settings of the task.
    kept
        Folder in which parts are kept until all are done, with the log of what was released.
    """
    gate = task.gate
    paths = (tuple(map(Path, files.get(name, ()))) for name in ("hazards", "proteins"))
    settings = GateSettings(*paths, tuple(gate.windows), gate.command, gate.acknowledged)
    tables = []
    for way, own in examples.groupby("subset", sort=False):
        how = task.ways[way]
        prompts = dict(zip(own["group"], own["sequence"]))
        request = GenerationRequest(
            tuple(prompts.items()),
            task.copies,
            task.length,
            Sampling(seed=seed, **how.model_dump()),
            BATCH,
        )
        run_generation(source(request), request, settings, kept / way)
        shutil.copytree(kept / way, folder / way)
        found = pd.read_parquet(folder / way / TABLE)
        found = found.assign(example=found["name"] + f":{way}").rename(columns={"sequence": "prediction"})
        tables.append(found[["example", "verdict", "log_likelihood", "prediction"]])
    shutil.rmtree(kept)
    return pd.concat(tables, ignore_index=True)

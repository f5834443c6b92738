"""The choice among the trials of a sweep: by the validation loss at the end of training, and nothing else."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.errors import InputError
from glmflow.files import atomic_path

log = logging.getLogger(__name__)


def choose(folders: Sequence[Path], trials: Sequence[Mapping[str, Any]], run: Path) -> None:
    """Put the best trial's model, log, cost and settings into the run's folder, and a table of all of them beside it.

    The cost is that of all trials: training the best took them all.

    Parameters
    ----------
    folders
        What each trial left: `model/`, `metrics.jsonl`, `cost.json`, `run.yaml`.
    trials
        Settings of each.
    run
        Run folder; gets the same and `sweep.tsv` (trial, settings, validation_loss, train_seconds, chosen).

    Raises
    ------
    InputError
        A trial was never evaluated on the validation split.
    """
    losses = [validation_loss(folder / "metrics.jsonl") for folder in folders]
    best = min(range(len(losses)), key=losses.__getitem__)
    costs = [json.loads((folder / "cost.json").read_text()) for folder in folders]
    table = pd.DataFrame(
        {
            "trial": number,
            **trial,
            "validation_loss": loss,
            "train_seconds": cost["train_seconds"],
            "chosen": number == best + 1,
        }
        for number, (trial, loss, cost) in enumerate(zip(trials, losses, costs), start=1)
    )
    settings = ", ".join(f"{key} {value}" for key, value in trials[best].items())
    line = f"{settings} chosen among {len(trials)} trials by the validation loss; the training time is that of all"
    log.info("%s\n%s", line, table.to_string(index=False))
    cost = costs[best] | {
        "train_seconds": round(sum(cost["train_seconds"] for cost in costs), 1),
        "warnings": [*costs[best]["warnings"], line],
    }
    with atomic_path(run / "model") as temporary:
        shutil.copytree(folders[best] / "model", temporary)
    for name in ("metrics.jsonl", "run.yaml"):
        with atomic_path(run / name) as temporary:
            shutil.copyfile(folders[best] / name, temporary)
    with atomic_path(run / "cost.json") as temporary:
        temporary.write_text(json.dumps(cost, indent=2) + "\n")
    with atomic_path(run / "sweep.tsv") as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def validation_loss(path: Path) -> float:
    """Return the last validation loss of a training log, which is that of the model that was kept.

    Raises
    ------
    InputError
        There is none.
    """
    lines = map(json.loads, path.read_text().splitlines())
    losses = [line["eval_loss"] for line in lines if "eval_loss" in line]
    if not losses:
        mend = "Give the study a validation split with at least one window."
        raise InputError("no validation loss to choose by", where=path, mend=mend)
    return losses[-1]

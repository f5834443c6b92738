"""The choice among the trials of a sweep: by the validation loss at the end of training, and nothing else.

A trial that came to a bad end (its loss is not a number, say) has an infinite loss: the others are chosen from.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.errors import HopelessError, InputError
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
        Run folder; gets the same and `sweep.tsv` (trial, settings, validation_loss, train_seconds, chosen, failure).

    Raises
    ------
    InputError
        A trial was never evaluated on the validation split, or all of them failed.
    """
    costs = [json.loads((folder / "cost.json").read_text()) for folder in folders]
    failures = [cost.get("failure", "") for cost in costs]
    losses = [
        math.inf if failure else validation_loss(folder / "metrics.jsonl") for folder, failure in zip(folders, failures)
    ]
    best = min(range(len(losses)), key=losses.__getitem__)
    if not math.isfinite(losses[best]):
        raise InputError(
            f"no trial of the sweep came to a good end: {'; '.join(filter(None, failures)) or 'no finite loss'}",
            where="adaptations.*.sweep",
            mend="Try lower learning rates",
        )
    table = pd.DataFrame(
        {
            "trial": number,
            **trial,
            "validation_loss": loss,
            "train_seconds": cost["train_seconds"],
            "chosen": number == best + 1,
            "failure": failure,
        }
        for number, (trial, loss, cost, failure) in enumerate(zip(trials, losses, costs, failures), start=1)
    )
    settings = ", ".join(f"{key} {value}" for key, value in trials[best].items())
    line = f"{settings} chosen among {len(trials)} trials by the validation loss; the training time is that of all"
    lost = sum(map(bool, failures))
    line += f"; {lost} of them came to a bad end" if lost else ""
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
    """Return the last validation loss of a training log, which is that of the model that was kept; infinite for NaN.

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
    return losses[-1] if math.isfinite(losses[-1]) else math.inf


@contextmanager
def may_fail(trial: bool, folder: Path) -> Iterator[None]:
    """Let a trial that would fail again and again end with a note of why instead of a model; other runs raise.

    The trial's folder gets an empty `model/` and `metrics.jsonl`, and `cost.json` with its `failure`.
    """
    started = time.monotonic()
    try:
        yield
    except HopelessError as error:
        if not trial:
            raise
        log.warning("this trial is given up: %s", error)
        cost = {"train_seconds": round(time.monotonic() - started, 1), "warnings": [], "failure": error.what}
        (folder / "model").mkdir(parents=True, exist_ok=True)
        for name, text in (("metrics.jsonl", ""), ("cost.json", json.dumps(cost, indent=2) + "\n")):
            with atomic_path(folder / name) as temporary:
                temporary.write_text(text)

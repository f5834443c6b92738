"""The choice among the trials of a sweep: by validation (the loss, or `train.best_by`) alone.

A trial that failed (its loss is not a number, say) has an infinite loss: the others are chosen from.
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

from glmflow.config.validation_metrics import LOSS, worst
from glmflow.errors import HopelessError, InputError
from glmflow.files import atomic_path

log = logging.getLogger(__name__)


def choose(folders: Sequence[Path], trials: Sequence[Mapping[str, Any]], run: Path, best_by: str = LOSS) -> None:
    """Put the best trial's model, log, cost and settings into the run's folder, and a table of all of them beside it.

    The cost is that of all trials: training the best took them all.

    Parameters
    ----------
    folders
        What each trial left: `model/`, `metrics.jsonl`, `cost.json`, `run.yaml`.
    trials
        Settings of each.
    run
        Run folder; gets the same and `sweep.tsv` (trial, settings, validation_{best_by}, train_seconds, chosen, failure).
    best_by
        Validation metric that chooses.

    Raises
    ------
    InputError
        A trial was never evaluated on the validation split, or all of them failed.
    """
    costs = [json.loads((folder / "cost.json").read_text()) for folder in folders]
    failures = [cost.get("failure", "") for cost in costs]
    values = [
        worst(best_by) if failure else validation_value(folder / "metrics.jsonl", cost.get("kept_update"), best_by)
        for folder, failure, cost in zip(folders, failures, costs)
    ]
    best = (min if best_by == LOSS else max)(range(len(values)), key=values.__getitem__)
    if not math.isfinite(values[best]):
        raise InputError(
            f"no trial of the sweep came to a good end: {'; '.join(filter(None, failures)) or 'no finite loss'}",
            where="adaptations.*.sweep",
            fix="Try lower learning rates",
        )
    table = pd.DataFrame(
        {
            "trial": number,
            **trial,
            f"validation_{best_by}": value,
            "train_seconds": cost["train_seconds"],
            "chosen": number == best + 1,
            "failure": failure,
        }
        for number, (trial, value, cost, failure) in enumerate(zip(trials, values, costs, failures), start=1)
    )
    settings = ", ".join(f"{key} {value}" for key, value in trials[best].items())
    line = f"{settings} chosen among {len(trials)} trials by the validation {best_by}; the training time is that of all"
    lost = sum(map(bool, failures))
    line += f"; {lost} of them failed" if lost else ""
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


def validation_value(path: Path, kept_update: int | None = None, metric: str = LOSS) -> float:
    """Return a validation metric of the model that was kept (the last of a training log if not told); the worst for NaN.

    Raises
    ------
    InputError
        There is none.
    """
    lines = map(json.loads, path.read_text().splitlines())
    found = [(line["step"], line[f"eval_{metric}"]) for line in lines if f"eval_{metric}" in line]
    values = [value for step, value in found if step == kept_update] or [value for _, value in found]
    if not values:
        fix = "Give the study a validation split with at least one window."
        raise InputError(f"no validation {metric} to choose by", where=path, fix=fix)
    return values[-1] if math.isfinite(values[-1]) else worst(metric)


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

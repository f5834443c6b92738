"""`task.json` beside a tuned model: the settings of its run, and what was fitted to its training targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glmflow.errors import InputError
from glmflow.models.registry import read_mapping


def read_record(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of a run and what was fitted to its training targets, from the folder of its model.

    Raises
    ------
    InputError
        There is no such file, or it cannot be read.
    """
    path = folder / "task.json"
    if not path.exists():
        fix = "Give the folder `model` of a run (results/STUDY/runs/TASK/MODEL/ADAPTATION/seedN/model)."
        raise InputError("no task.json: not the model of a run", where=folder, fix=fix)
    stored = read_mapping(path)
    try:
        return (stored["settings"], stored["fitted"]) if "fitted" in stored else _earlier(stored)
    except (KeyError, TypeError, ValueError):
        raise InputError("does not hold the settings of a run", where=path, fix="Train the run again.") from None


def _earlier(stored: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return settings and fitted values of a model that version 0.1.0 wrote: its losses and heads stood elsewhere."""
    settings = dict(stored["settings"])
    task, adaptation = dict(settings["task"]), dict(settings["adaptation"])
    personal, head = dict(adaptation.pop("personal")), dict(adaptation.pop("head"))
    if "track_means" in stored:
        loss = {"kind": task.pop("loss")}
        power = task.pop("tweedie_power")
        adaptation |= {
            "head": {"kind": head["kind"]},
            "loss": loss | ({"power": power} if loss["kind"] == "tweedie" else {}),
        }
        fitted = {"track_means": stored["track_means"]}
    else:
        loss = {"kind": personal.pop("loss")}
        weight = personal.pop("weight")
        adaptation |= {
            "personal": personal,
            "head": {"kind": "binned", "bins": head["bins"], "hidden": head["hidden"]},
            "loss": loss | ({"weight": weight} if loss["kind"] == "mixed" else {}),
        }
        fitted = {"mean": stored["offset"], "total": stored["scale"] ** 2, "between": 1.0, "within": 1.0}
    return settings | {"task": task, "adaptation": adaptation}, fitted

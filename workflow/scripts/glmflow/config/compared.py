"""What a comparison has to know of the runs of a task: what each is, and of which model it is a control."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .blocks import TRAINED
from .models import Model
from .study import Study
from .task_block import TaskBlock
from .views import Run

FEWEST_SEEDS = 3
"""Seeds from which on the spread over them is known (protocol `strict`)."""


def compared_runs(study: Study, task: str) -> list[dict[str, Any]]:
    """Return the runs that are compared with each other, as plain data: those of a task, and those of its controls.

    Returns
    -------
    list of dict
        `folder`; `key` and `label`; `role` (model, baseline, structure, told, control); `control_of` (key of the model that
        it controls); `declared` (a baseline that reads one property in a declared direction); `seeded`; `backbone` and
        `random` (whether it starts from random weights) of models that are trained.
    """
    own = study.runs_of(task)
    found = [_described(study, run) for run in own]
    models = {run[1:3] for run in own if study.models[run.model].baseline is None}
    for other in controls_of(study, task):
        for run in study.runs_of(other):
            if run[1:3] in models:
                row = _described(study, run)
                of = {"role": "control", "control_of": "/".join((task, *run[1:3])), "backbone": None}
                found.append(row | of | {"label": f"{row['label']} on {other}"})
    return found


def few_seeds(study: Study) -> list[str]:
    """Return the trained models of a study, as `task/model/adaptation`, that have fewer than `FEWEST_SEEDS` seeds."""
    found = Counter(
        run["key"]
        for task in study.tasks
        for run in compared_runs(study, task)
        if run["role"] == "model" and run["seeded"]
    )
    return [key for key, seeds in found.items() if seeds < FEWEST_SEEDS]


def controls_of(study: Study, task: str) -> list[str]:
    """Return the labels of the tasks that are controls of a task."""
    block = study.tasks[task]
    whole = _but_for_scores(block, block.model_dump(mode="json"))
    return [
        label
        for label, other in study.tasks.items()
        if (own := other.uncontrolled) is not None and _but_for_scores(other, own) == whole
    ]


def _but_for_scores(task: TaskBlock, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of a task without those that only scores depend on."""
    return {key: value for key, value in settings.items() if key not in task.scoring}


def control_in_words(task: TaskBlock) -> str | None:
    """Return what a task is a control by, such as `permuted people`; None where it is no control."""
    other = task.uncontrolled
    if other is None:
        return None
    return ", ".join(_differing(task.model_dump(mode="json"), other))


def _differing(own: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings that differ in words: their values, or the names of those that are switched on."""
    for key, value in own.items():
        if value == other[key]:
            continue
        if isinstance(value, Mapping):
            yield from _differing(value, other[key])
        else:
            yield (key if value is True else str(value)).replace("_", " ")


def _described(study: Study, run: Run) -> dict[str, Any]:
    """Return what a run is."""
    model, adaptation = study.models[run.model], study.adaptations[run.adaptation]
    block, trained = model.baseline, adaptation.kind in TRAINED
    role = "model" if block is None else "told" if block.told else "structure" if block.structure else "baseline"
    backbone = _backbone(study, run.model) if trained and block is None else None
    random = trained and (adaptation.weights == "random" or model.origin == "new")
    return {
        "folder": run.folder(study.results),
        "key": "/".join(run[:3]),
        "label": run.model if block else f"{run.model} ({run.adaptation})",
        "role": role,
        "control_of": None,
        "declared": bool(block and block.declared),
        "seeded": block is None and (trained or adaptation.weights == "random"),
        "backbone": backbone,
        "random": bool(backbone and random),
    }


def _backbone(study: Study, label: str) -> str:
    """Return the label of the first model of a study that has the same network, whatever its weights."""
    own = _network(study, study.models[label])
    return next(other for other, model in study.models.items() if not model.baseline and _network(study, model) == own)


def _network(study: Study, model: Model) -> str:
    """Return what the network of a model is, whatever its weights."""
    return json.dumps(list(_parts(study, model)), sort_keys=True)


def _parts(study: Study, model: Model) -> Iterator[Any]:
    """Yield what identifies the network of a model."""
    made = model.made
    if made:
        yield from (made.family, made.config)
    elif model.extend:
        yield _network(study, study.models[model.extend.model])
    else:
        yield str(model.checkpoint)

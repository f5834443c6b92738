"""Whether a model fits a task with an adaptation, by what each of them declares."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from glmflow.models.facts import facts_of, family_of_config

from .efficient import EFFICIENT, efficient
from .models import Model
from .published import published
from .syntax import read_yaml
from .views import StudyView

KEPT_FROZEN = (*EFFICIENT, "probe", "zero-shot")
READS = {"sequence": "a sequence", "regions": "regions x motifs"}


def misfit_reason(study: StudyView, task_label: str, model_label: str, adaptation_label: str) -> str | None:
    """Return why a model cannot be fitted to a task in this way, or None where it can."""
    task, model = study.tasks[task_label], study.models[model_label]
    adaptation = study.adaptations[adaptation_label]
    origin, kind = model.origin, adaptation.kind
    if origin in task.refused:
        return task.refused[origin]
    if origin == "baseline" and kind != "baseline":
        return "a baseline has no weights to adapt"
    if kind not in task.adaptations:
        return task.refused.get(kind, f"adaptations of this kind of task are {', '.join(sorted(task.adaptations))}")
    if origin != "baseline" and kind == "baseline":
        return "only baselines are run as they are"
    if model.baseline:
        if not model.baseline.suits(task.target):
            return f"{model.baseline.kind} is a baseline of {model.baseline.targets_in_words()}"
        return next((why for need, why in model.baseline.needs.items() if need not in task.has(study)), None)
    if origin == "new" and kind in KEPT_FROZEN and adaptation.weights != "random":
        return "an untrained model has nothing to keep frozen"
    family = family_of(study, model_label)
    way = efficient(kind)
    if way and family and (reason := way.misfit(facts_of(family), adaptation.efficient)):
        return reason
    if adaptation.train.padding and family and facts_of(family).bases_per_token != 1:
        return f"{family} cannot be padded on the left, which is for models of single bases; leave `train.padding` out"
    needs = task.needs - {"generation"} if may_draw(study, model_label) else task.needs
    return unable(task.reads, needs, family)


def may_draw(study: StudyView, label: str) -> bool:
    """Return whether sequences can be drawn from a model whatever its family says; of a folder only its files can tell."""
    model = study.models[label]
    if model.extend:
        return may_draw(study, model.extend.model)
    return model.pretrain.draws if model.pretrain else model.is_folder


def unable(reads: str, needs: frozenset[str], family: str | None) -> str | None:
    """Return why no model of a family can do what a task asks; None where it can, or the family is not known yet."""
    if family is None:
        return None
    facts = facts_of(family)
    if reads not in facts.inputs:
        return f"{family} reads {READS[facts.inputs[0]]}, and the task gives it {READS[reads]}"
    return next((f"{family}: {reason}" for need in sorted(needs) if (reason := facts.cannot(need))), None)


def words(target: str) -> str:
    """Return a target in words."""
    return target.replace("_", " ")


def family_of(study: StudyView, label: str) -> str | None:
    """Return the family of a model of a study; None where only its download will show it."""
    model = study.models.get(label)
    if model is None:
        return None
    if model.extend:
        return family_of(study, model.extend.model)
    made = model.made
    return made.family if made else family_of_checkpoint(model) if model.checkpoint else None


def family_of_checkpoint(model: Model) -> str | None:
    """Return the family of a published checkpoint or a folder."""
    name = str(model.checkpoint)
    if "/" not in name:
        return published().get(name, {}).get("family")
    return family_of_folder(name)


@lru_cache
def family_of_folder(folder: str) -> str | None:
    """Return the family of a checkpoint folder by its `model.yaml`, or its `config.json`."""
    path = Path(folder)
    if (path / "model.yaml").is_file():
        return read_yaml(path / "model.yaml").get("family")
    try:
        return family_of_config(json.loads((path / "config.json").read_text()))
    except (OSError, ValueError, AttributeError):
        return None  # said where the folder itself is looked at

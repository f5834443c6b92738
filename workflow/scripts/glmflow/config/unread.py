"""Keys that are set and that no run of the study would read: they are refused, so that no setting is silently ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .adaptations import BESIDE_TRAIN, BESIDE_TRAINING, OPTIONAL, READ_WHERE_SOLVED, Adaptation
from .base import Block, Place
from .blocks import TRAINED
from .efficient import keys_of_others
from .fitting import KEPT_FROZEN, words
from .study import Study
from .task_block import TaskBlock
from .validation_metrics import LOSS, REPORTED


def unread_keys(study: Study) -> Iterator[tuple[Place, str]]:
    """Yield the keys of adaptations and tasks that are set and do nothing for a pair of task and adaptation."""
    pairs = dict.fromkeys((run.task, run.adaptation) for run in study.expanded[0])
    for task_label, label in pairs:
        adaptation, task = study.adaptations[label], study.tasks[task_label]
        for key, reason in unread(adaptation, task):
            yield (
                ("adaptations", label, *key.split(".")),
                f"does nothing for task {task_label!r}: {reason}. Leave it out",
            )
    yield from unread_within(study)
    for label, adaptation in study.adaptations.items():
        models = {run.model for run in study.expanded[0] if run.adaptation == label}
        random = adaptation.weights == "random" and adaptation.kind not in KEPT_FROZEN
        if random and models and all(study.models[model].origin == "new" for model in models):
            reason = f"{', '.join(sorted(models))} is `new`, so its weights are random whatever is said"
            yield ("adaptations", label, "weights"), f"does nothing: {reason}. Leave it out"
    for label, task in study.tasks.items():
        kinds = {study.adaptations[adaptation].kind for pair, adaptation in pairs if pair == label}
        if kinds and not kinds & TRAINED:
            for key in sorted(task.training & task.model_fields_set):
                yield ("tasks", label, key), "does nothing: no model is trained on this task. Leave it out"


def unread_within(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield the keys of a block, and of all blocks within it, that do nothing beside its others."""
    if isinstance(value, Block):
        for key, reason in value.unread():
            yield (*place, *key.split(".")), f"does nothing: {reason}. Leave it out"
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from unread_within(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from unread_within(inner, (*place, number))


def unread(adaptation: Adaptation, task: TaskBlock) -> Iterator[tuple[str, str]]:
    """Yield the keys of an adaptation that are set and not read for a task, with the reason."""
    kind = adaptation.kind
    if kind not in TRAINED:
        for key in sorted(adaptation.model_fields_set - BESIDE_TRAINING[kind]):
            yield key, f"nothing is trained with kind {kind}"
        return
    if adaptation.head is not None and adaptation.head.exact:
        own = [f"train.{key}" for key in sorted(adaptation.train.model_fields_set - READ_WHERE_SOLVED)]
        swept = set(adaptation.sweep or {}) - BESIDE_TRAIN
        for key in [*own, *(["loss"] if adaptation.loss else []), *(["sweep"] if swept else [])]:
            yield key, "head.solver: exact computes the head, and trains nothing"
    reported = (LOSS, *REPORTED.get(task.target, ()))
    if adaptation.train.best_by not in reported:
        yield "train.best_by", f"what is reported of {words(task.target)} while it is learned is {', '.join(reported)}"
    elif adaptation.train.best_by != LOSS and adaptation.train.keep != "best" and not adaptation.sweep:
        yield (
            "train.best_by",
            "the last weights are kept whatever they score (`keep: best` chooses), and nothing is swept",
        )
    if adaptation.train.parallel != "ddp" and adaptation.train.gpus * adaptation.train.nodes == 1:
        yield "train.parallel", "one GPU holds the whole model; say on how many it is shared out with `gpus` or `nodes`"
    yield from ((key, why) for key, why in keys_of_others(kind) if key in adaptation.model_fields_set)
    for key in ("head", "loss"):
        block = getattr(adaptation, key)
        if block is not None and not block.suits(task.target):
            own = block.targets_in_words()
            yield key, f"{block.kind} is a {key} for {own}, and the task predicts {words(task.target)}"
    for key in sorted(OPTIONAL - task.option_keys(kind)):
        block, name = key.split(".")
        if name in getattr(adaptation, block).model_fields_set:
            yield (
                key,
                f"kind {task.kind} does not read it"
                if key not in task.options
                else ("the states of a frozen model are computed once, for windows as they are"),
            )

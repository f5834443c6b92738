"""What is wrong with a study only where several of its blocks are seen together; each mistake with its place and how to fix it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .asked import asked_problems
from .base import Place
from .blocks import TRAINED, kind_of
from .contig_lengths import simulated_contigs
from .made_models import made_models
from .public_sets import read_public_sets
from .settings import simulated_samples
from .study import Study, applied_runs
from .tasks import KINDS
from .unread import unread_keys
from .words import suggest

Problems = Iterator[tuple[Place, str]]


def semantic(study: Study, checkpoints: Collection[str] | None) -> Problems:
    """Yield every problem of a study whose blocks are sound one by one.

    `checkpoints` are the names of published checkpoints; not checked where None.
    """
    yield from labels_alike(study)
    yield from genome(study)
    yield from unknown_sets(study)
    for label, task in study.tasks.items():
        yield from ((("tasks", label, *key), text) for key, text in task.checks(study, label))
    yield from foreign_data(study)
    yield from gaps(study)
    yield from copies_left_out(study)
    yield from made_models(study)
    yield from made_texts(study)
    yield from swept(study)
    yield from spent_shares(study)
    yield from long_windows(study)
    yield from predictions(study)
    yield from asked_problems(study)
    yield from unknown_contigs(study)
    yield from long_crops(study)
    yield from unknown_checkpoints(study, checkpoints)
    yield from unread_keys(study)
    yield from nothing_fits(study)


def labels_alike(study: Study) -> Problems:
    """Check that folders named by labels are apart also on disks that do not tell case apart (macOS, Windows)."""
    for block in ("tasks", "models", "adaptations"):
        seen: dict[str, str] = {}
        for label in getattr(study, block):
            other = seen.setdefault(label.casefold(), label)
            if other != label:
                yield (
                    (block, label),
                    f"differs from {other!r} in case only, and some disks take both for one: rename it",
                )


def genome(study: Study) -> Problems:
    """Check that tasks on the genome have one."""
    needing = list(study.genome_tasks)
    if needing and study.data.reference is None:
        yield ("reference",), "a study needs a reference genome: give `reference: {fasta: ...}` or `simulate:`"


def unknown_sets(study: Study) -> Problems:
    """Check that the public data sets are in the list."""
    known = read_public_sets()
    for position, name in enumerate(study.sets):
        if known and name not in known:
            yield ("data", position), f"no data set {name!r} in config/data.yaml{suggest(name, known)}"


def made_texts(study: Study) -> Problems:
    """Check that text models are pretrained on the questions of a task that has some."""
    able = [label for label, task in study.tasks.items() if task.target == "answer_text"]
    for label, text in study.texts.items():
        if text.questions not in able:
            there = f"such tasks: {', '.join(able)}" if able else "there is none"
            yield ("models", label, "text", "questions"), f"no task {text.questions!r} that asks questions; {there}"


def foreign_data(study: Study) -> Problems:
    """Check that all tasks are about the same data, where one brings its own."""
    owners = [label for label, task in study.tasks.items() if task.own_data(study)]
    for label in study.genome_tasks:
        if owners and label not in owners:
            yield (
                ("tasks", label),
                f"the data of this study are those of task {owners[0]!r}: make another study of this task",
            )


def gaps(study: Study) -> Problems:
    """Check that blocks and the gaps between them hold the windows of each task."""
    if study.splits is None or study.splits.by == "contig":
        return
    gap, block = study.splits.gap, study.splits.block
    for label, task in study.genome_tasks.items():
        if block < gap + task.window_bp:
            yield (
                ("splits", "block"),
                f"blocks of {block} with a gap of {gap} hold no window of task {label!r} ({task.window_bp}); use at least "
                f"{gap + task.window_bp}, better several times that",
            )
        if gap < task.window_bp:
            yield (
                ("splits", "gap"),
                f"gap {gap} is shorter than the windows of task {label!r} ({task.window_bp}): train and held-out "
                f"windows would share bases; use at least {task.window_bp}",
            )


def copies_left_out(study: Study) -> Problems:
    """Check that copies can be left out of the examples of every task, where that is asked for."""
    if study.copies == "keep":
        return
    for label, task in study.tasks.items():
        if task.compared == "own":
            text = (
                f"leave_out, but the examples of task {label!r} ({task.kind}) stay as they are: make it another study"
            )
            yield ("copies",), text


def swept(study: Study) -> Problems:
    """Check that there is a validation split where settings, or the weights that are kept, are chosen by its loss."""
    for label, adaptation in study.adaptations.items():
        key = ("sweep",) if adaptation.sweep else ("train", "keep") if adaptation.train.keep == "best" else ()
        if not key:
            continue
        if not getattr(study.splits, "validation", True):
            yield ("adaptations", label, *key), "nothing to choose by: give `splits.validation`"
        run = {name for one in study.runs if label in one.adaptations for name in one.tasks}
        for name, task in study.tasks.items():
            if task.without_validation and run & {name, "all"}:
                text = f"nothing to choose by on task {name!r}: give `tasks.{name}.splits.validation`"
                yield ("adaptations", label, *key), text


def spent_shares(study: Study) -> Problems:
    """Check that the shares held out of blocks leave some to learn from."""
    if study.splits is None or study.splits.by == "contig":
        return
    validation, test = study.splits.validation, study.splits.test
    if validation + test >= 1:
        shares = f"validation {validation:g} and test {test:g}"
        yield ("splits",), f"with {shares} none are left to train on; use shares that add up to less than 1"


def long_windows(study: Study) -> Problems:
    """Check that windows fit on a simulated contig (those of a real genome are known with its file)."""
    contigs = simulated_contigs(study)
    if not contigs:
        return
    name = max(contigs, key=lambda contig: contigs[contig])
    for label, task in study.genome_tasks.items():
        if task.inside_bp > contigs[name]:
            yield (
                ("tasks", label, *task.window_key),
                f"windows of {task.window_bp} are longer than every simulated contig, the longest of which is {name} "
                f"({contigs[name]}); use shorter ones, or simulate longer contigs",
            )


def predictions(study: Study) -> Problems:
    """Check that every prediction has models that can write it, and samples that there are."""
    for label, prediction in study.predict.items():
        problems = [*_unknown_names(study, label), *_unknown_samples(study, label), *_unread_keys(study, label)]
        if not problems and not applied_runs(study, prediction):
            kinds = " or ".join(kind_of(kind) for kind in KINDS if prediction.write in kind.writes)
            trained = ", ".join(sorted(TRAINED))
            text = (
                f"no run that can write it: {prediction.write} takes a model trained on {kinds} ({trained}), and "
                "baselines leave no model"
            )
            named = " and ".join(f"`{key}`" for key in ("tasks", "models") if getattr(prediction, key))
            fix = f"leave {named} out, name others, or add such a run to `runs`" if named else "add one to `runs`"
            problems.append((("predict", label), f"{text}; {fix}"))
        yield from problems


def _unknown_names(study: Study, label: str) -> Problems:
    """Check the tasks and models that a prediction names."""
    prediction = study.predict[label]
    able = [name for name, task in study.tasks.items() if prediction.write in task.writes]
    if not able:
        yield ("predict", label, "write"), f"no task of this study has models that write {prediction.write}"
    for position, task in enumerate(prediction.tasks or []):
        if task not in able:
            text = f"{task!r} is no task whose models write {prediction.write}{suggest(task, able)}"
            yield ("predict", label, "tasks", position), text
    for position, model in enumerate(prediction.models or []):
        if model not in study.models:
            yield ("predict", label, "models", position), f"unknown model {model!r}{suggest(model, study.models)}"


def _unread_keys(study: Study, label: str) -> Problems:
    """Check that the models that are applied read what is said of windows: models of tracks do."""
    prediction = study.predict[label]
    given = sorted(prediction.model_fields_set & {"span", "share"})
    others = {run.task for run in applied_runs(study, prediction) if "tracks" not in study.tasks[run.task].writes}
    if given and others:
        text = f"`{given[0]}` is for models of tracks, {min(others)!r} has none; leave it out, or name `tasks`"
        yield ("predict", label, given[0]), text


def _unknown_samples(study: Study, label: str) -> Problems:
    """Check the samples whose haplotypes a prediction reads against those that the study simulates."""
    prediction, samples = study.predict[label], simulated_samples(study)
    if not samples or prediction.vcf != study.simulated_vcf:
        return
    for position, name in enumerate(prediction.samples or []):
        if name not in samples:
            where = ("predict", label, "sample", *([] if isinstance(prediction.sample, str) else [position]))
            yield where, f"no sample {name!r} is simulated; samples are {samples[0]} to {samples[-1]}"


def unknown_contigs(study: Study) -> Problems:
    """Check the contigs of the splits against those of a simulated genome (a real one is looked at with its file)."""
    if study.reference or not (study.simulate and study.simulate.cohort):
        return
    if study.splits is None or study.splits.by != "contig":
        return
    made = study.simulate.cohort.contigs
    for split in ("train", "validation", "test"):
        for position, name in enumerate(getattr(study.splits, split)):
            if name not in made:
                yield (
                    ("splits", split, position),
                    f"contig {name!r} is not simulated; use one of {', '.join(made)}, or add it to simulate.cohort.contigs",
                )


def long_crops(study: Study) -> Problems:
    """Check that no run trains on crops longer than the windows they are cut from."""
    for run in study.expanded[0]:
        crop, window = study.adaptations[run.adaptation].train.crop, study.tasks[run.task].window_bp
        if crop is not None and crop > window:
            yield (
                ("adaptations", run.adaptation, "train", "crop"),
                f"crop {crop} is longer than the windows of task {run.task!r} ({window}); use at most {window}",
            )


def unknown_checkpoints(study: Study, known: Collection[str] | None) -> Problems:
    """Check that checkpoints are names of the list or paths (which hold a slash)."""
    for label, model in study.models.items():
        name = model.checkpoint
        if known is not None and name and "/" not in name and name not in known:
            yield (
                ("models", label, "checkpoint"),
                f"unknown checkpoint {name!r}{suggest(name, known)} (the names are in config/models.yaml; a path holds a slash)",
            )


def nothing_fits(study: Study) -> Problems:
    """Check that there is a run."""
    runs, misfits = study.expanded
    if not runs:
        reasons = "; ".join(f"{misfit.model} x {misfit.adaptation}: {misfit.reason}" for misfit in misfits)
        yield ("runs",), f"none of the combinations fits: {reasons}"

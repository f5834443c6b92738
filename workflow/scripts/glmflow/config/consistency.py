"""What is wrong with a study only where several of its blocks are seen together; each mistake with its place and mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from .resolve import simulated_contigs, simulated_people, simulated_vcf
from .study import Study, applied_runs

Path_ = tuple[str | int, ...]


def suggest(word: str, known: Iterable[object]) -> str:
    """Return the mend for a misspelt word."""
    names = sorted(map(str, known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; use one of {', '.join(names)}" if names else ""


def spent_shares(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check that the shares held out of blocks, genes and people leave some to learn from."""
    drawn = []
    if study.splits.by == "block":
        drawn.append((("splits",), study.splits.validation, study.splits.test))
    for label, task in study.tasks.items():
        if task.kind != "snp2gex":
            continue
        if task.genes.by == "random" and not task.hackathon:
            drawn.append((("tasks", label, "genes"), task.genes.validation, task.genes.test))
        # Where files or populations say who is unseen, validation is a share of the rest.
        named = task.hackathon or task.people.by == "population"
        drawn.append((("tasks", label, "people"), task.people.validation, 0 if named else task.people.test))
    for place, validation, test in drawn:
        if validation + test >= 1:
            shares = f"validation {validation:g} and test {test:g}" if test else f"validation {validation:g}"
            yield place, f"with {shares} none are left to train on; use shares that add up to less than 1"


def long_windows(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check that windows fit on a simulated contig (those of a real genome are known with its file)."""
    contigs = simulated_contigs(study)
    if not contigs:
        return
    name = max(contigs, key=lambda contig: contigs[contig])
    for label, task in study.tasks.items():
        # Windows of genes may reach past the end of a contig, by their share of N.
        inside = task.window_bp * (1 - task.windows.max_n_fraction if task.kind == "snp2gex" else 1)
        if inside > contigs[name]:
            key = ("contexts",) if task.kind == "context_extension" else ("windows", "size")
            yield (
                ("tasks", label, *key),
                f"windows of {task.window_bp} are longer than every simulated contig, the longest of which is {name} "
                f"({contigs[name]}); use shorter ones, or simulate longer contigs",
            )


def predictions(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check that every prediction has models that can write it, and people that there are."""
    for label, prediction in study.predict.items():
        problems = [*_unknown_names(study, label), *_unknown_people(study, label)]
        if not problems and not applied_runs(study, prediction):
            text = (
                f"no run that can write it: {prediction.write} takes a model trained on {' or '.join(prediction.kinds)} "
                "(full, lora or probe), and baselines leave no model"
            )
            named = " and ".join(f"`{key}`" for key in ("tasks", "models") if getattr(prediction, key))
            mend = f"leave {named} out, name others, or add such a run to `runs`" if named else "add one to `runs`"
            problems.append((("predict", label), f"{text}; {mend}"))
        yield from problems


def _unknown_names(study: Study, label: str) -> Iterator[tuple[Path_, str]]:
    """Check the tasks and models that a prediction names."""
    prediction = study.predict[label]
    able = [name for name, task in study.tasks.items() if task.kind in prediction.kinds]
    if not able:
        yield ("predict", label, "write"), f"no task of this study has models that write {prediction.write}"
    for position, task in enumerate(prediction.tasks or []):
        if task not in able:
            text = f"{task!r} is no task whose models write {prediction.write}{suggest(task, able)}"
            yield ("predict", label, "tasks", position), text
    for position, model in enumerate(prediction.models or []):
        if model not in study.models:
            yield ("predict", label, "models", position), f"unknown model {model!r}{suggest(model, study.models)}"


def _unknown_people(study: Study, label: str) -> Iterator[tuple[Path_, str]]:
    """Check the people whose haplotypes a prediction reads against those that the study simulates."""
    prediction, people = study.predict[label], simulated_people(study)
    if not people or prediction.vcf != simulated_vcf(study):
        return
    for position, name in enumerate(prediction.samples or []):
        if name not in people:
            where = ("predict", label, "sample", *([] if isinstance(prediction.sample, str) else [position]))
            yield where, f"nobody named {name!r} is simulated; people are {people[0]} to {people[-1]}"

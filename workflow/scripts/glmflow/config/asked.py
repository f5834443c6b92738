"""Which models of a study are asked as they are, with which files, and what is wrong with such a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from glmflow.models.facts import facts_of

from .base import Place
from .fitting import family_of
from .score_names import OBJECTIVES
from .study import Study
from .task_block import Files
from .words import suggest
from .zero_shot_blocks import Asked, DependencyMaps, Mutagenesis, VariantScores

QUESTIONS = {
    "variant_scores": VariantScores.command,
    "mutagenesis": Mutagenesis.command,
    "dependency_maps": DependencyMaps.command,
}
"""Commands by the keys of a study that ask models as they are, which are folders of its results too."""


def questions(study: Study) -> Iterator[tuple[str, str, Asked]]:
    """Yield key, label and block of everything that models are asked as they are."""
    for key in QUESTIONS:
        for label, block in getattr(study, key).items():
            yield key, label, block


def asked_models(study: Study, block: Asked) -> list[tuple[str, int]]:
    """Return the models that are asked, with their seeds: of a model made here all with which runs use it, else 1."""
    able = [label for label in study.models if cannot(study, block, label) is None]
    found = []
    for label in block.models or able:
        users = {label, *(name for name, model in study.models.items() if model.extend and model.extend.model == label)}
        seeds = sorted({run.seed for run in study.expanded[0] if run.model in users}) or [1]
        found += [(label, seed) for seed in (seeds[:1] if study.models[label].checkpoint else seeds)]
    return found


def asked_results(study: Study, key: str) -> list[str]:
    """Return the files and folders that the questions of a key are answered in."""
    return [
        f"{study.results}/{key}/{label}/{model}/seed{seed}{block.suffix}"
        for label, block in getattr(study, key).items()
        for model, seed in asked_models(study, block)
    ]


def asked_files(study: Study, block: Asked) -> Files:
    """Return the input files of a question beside its models, named as arguments of the command; `index` is of the genome."""
    files: Files = {**block.named_files}
    if block.own_genome and "fasta" not in files and study.data.reference:
        fasta = f"{study.results}/reference/genome.fa"
        files |= {"fasta": fasta, "index": f"{fasta}.fai"}
    return files


def cannot(study: Study, block: Asked, label: str) -> str | None:
    """Return why a model cannot be asked; None where it can, or where only its download will show it."""
    model = study.models[label]
    if model.baseline:
        return "a baseline gives no probabilities of bases"
    if model.new:
        return "nothing was learned: it starts from random weights"
    family = family_of(study, label)
    for need in ("likelihood", block.needs) if family else ():
        if reason := facts_of(str(family)).cannot(need):
            return f"{family}: {reason}"
    objective = objective_of(study, label)
    lacking = [name for name in block.scored if objective and OBJECTIVES[name] not in (None, objective)]
    return f"{lacking[0]} needs a {OBJECTIVES[lacking[0]]} model, and it is {objective}" if lacking else None


def objective_of(study: Study, label: str) -> str | None:
    """Return whether a model is `causal` or `masked`; None where only its folder, or its download, will show it."""
    model = study.models[label]
    if model.extend:  # of what is not there, `consistency.extended` says so
        return objective_of(study, model.extend.model) if model.extend.model in study.models else None
    config: Mapping = model.pretrain.config if model.pretrain else {}
    if "causal" in config:
        return "causal" if config["causal"] else "masked"
    family = None if model.is_folder else family_of(study, label)
    return facts_of(family).objective if family else None


def asked_problems(study: Study) -> Iterator[tuple[Place, str]]:
    """Check that every question has models that can answer it, and the genome that it is about."""
    for key, label, block in questions(study):
        place = (key, label)
        for position, name in enumerate(block.models or []):
            where = (*place, "models", position)
            if name not in study.models:
                yield where, f"unknown model {name!r}{suggest(name, study.models)}"
            elif reason := cannot(study, block, name):
                yield where, f"{name!r} cannot be asked: {reason}; name another"
        if not block.models and not asked_models(study, block):
            reasons = "; ".join(f"{name}: {cannot(study, block, name)}" for name in study.models)
            yield place, f"no model of this study can be asked ({reasons})"
        if block.own_genome and not getattr(block, "table", None) and "fasta" not in asked_files(study, block):
            yield place, "no genome: give `fasta`, or the study a `reference`"

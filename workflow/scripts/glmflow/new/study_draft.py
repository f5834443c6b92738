"""From files to a whole study: the blocks that every kind shares, and what each kind proposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glmflow.config.load import ON_GENOME
from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.modules import module, module_names

from . import proposals
from .divisions import SHORTEST_WINDOW, divide
from .draft import Draft, merged, without_models
from .found_files import FoundFiles
from .machine import Machine, too_large

ORDER = ("study", "data", "reference", "cohort", "tracks", "splits", "tasks", "models", "adaptations", "runs")


def study_draft(name: str, found: FoundFiles, machine: Machine, kinds: list[str] | None = None) -> Draft:
    """Return the study that some files make, of every kind that they fit.

    Parameters
    ----------
    name
        Name of the study.
    found
        The files.
    machine
        The GPU that models have to fit.
    kinds
        Kinds of task to propose; all that fit where None.

    Raises
    ------
    InputError
        A file is not what it is given for, or the files fit no kind.
    """
    known = module_names(proposals)
    for kind in kinds or ():
        if kind not in known:
            raise InputError(f"no kind {kind!r} can be proposed", fix=f"Use one of {', '.join(known)}.")
    fitting = {kind: module(proposals.__name__, kind).propose(found, machine) for kind in kinds or known}
    drafts, others = chosen({kind: draft for kind, draft in fitting.items() if draft is not None}, bool(kinds))
    if not drafts:
        asked = " and ".join(kinds) if kinds else "any kind of task"
        takes = [takes_of(kind) for kind in kinds or known]
        raise InputError(f"the files do not make {asked}", fix=f"{' '.join(takes)} Or start from a --preset.")
    whole = merged([_data(name, found, merged(drafts).settings), *drafts, Draft({}, {}, others)])
    settings = {key: whole.settings[key] for key in ORDER if key in whole.settings}
    whole = whole._replace(settings=settings)
    reasons = too_large(settings, whole.candidates, machine.gpu) if whole.candidates else {}
    kept = [label for label in whole.candidates if label not in reasons]
    guesses = [*whole.guesses, f"models are planned for: {machine.gpu or 'the CPU'} ({machine.known_by})"]
    if kept:
        guesses.append(f"published models that fit: {', '.join(kept)}; `snakemake -c1 prefetch` downloads them")
    for reason, labels in by_reason(reasons).items():
        guesses.append(f"left out {', '.join(labels)}: {reason}")
    return without_models(whole._replace(guesses=guesses), reasons)


def takes_of(kind: str) -> str:
    """Return the sentence that says from which files a kind is proposed: the first paragraph of its proposal."""
    return " ".join(str(module(proposals.__name__, kind).__doc__).split("\n\n")[0].split())


def chosen(fitting: Mapping[str, Draft], asked: bool) -> tuple[list[Draft], list[str]]:
    """Return the drafts of the kinds that files are taken for, and a sentence for each kind that they could be as well.

    Parameters
    ----------
    fitting
        The draft of each kind that the files fit.
    asked
        Whether the kinds were named: all of them are taken then.
    """
    first = {kind: draft for kind, draft in fitting.items() if asked or not draft.second}
    taken = first or dict(fitting)
    others = [
        f"the files could also be {draft.second}: `--kind {kind}` makes that study instead"
        for kind, draft in fitting.items()
        if kind not in taken
    ]
    return list(taken.values()), others


def _data(name: str, found: FoundFiles, settings: Mapping[str, Any]) -> Draft:
    """Return the blocks of the data: genome, genotypes and splits, as far as the tasks read them."""
    blocks: dict[str, Any] = {"study": name}
    comments: dict[tuple[str, ...], str] = {}
    guesses: list[str] = []
    tasks = settings["tasks"].values()
    pretrained = any("pretrain" in model for model in settings["models"].values())
    on_genome = pretrained or any(task["kind"] in ON_GENOME for task in tasks)
    if found.fasta:
        blocks["reference"] = {"fasta": found.fasta}
        if found.genes_here:
            blocks["reference"]["annotation"] = found.gtf
    if found.samples:
        blocks["cohort"] = {"vcf": found.vcf if len(found.vcf) > 1 else found.vcf[0]}
        guesses.append(f"genotypes: {len(found.samples):,} samples, {found.samples[0]} to {found.samples[-1]}")
    if on_genome and found.fasta:
        window = max(task_block(task).window_bp for task in tasks) or SHORTEST_WINDOW
        division = divide(found.contigs, window)
        if division.contigs:
            blocks["reference"]["contigs"] = division.contigs
            comments["reference", "contigs"] = "Contigs that are used; the others are left out."
        blocks["splits"] = division.splits
        comments["splits",] = "What is learned from and what is held out: no base is in two of them."
        guesses += division.guesses
    return Draft(blocks, comments, guesses)


def by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the labels that are left out for each reason."""
    found: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        found.setdefault(reason, []).append(label)
    return found

"""A table of what every run of a study will need, before anything is queued. Plain arithmetic, no torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from glmflow.config import Run, Study, expand_runs, resolve_data, study_of_trial, tracks_of, trials
from glmflow.config.adaptations import Adaptation, Head
from glmflow.config.models import Model
from glmflow.config.predictions import Prediction

from .plan_cohort import genes_and_people
from .resources import (
    CONTEXT_MB,
    GPUS,
    MB,
    Gpu,
    Need,
    Shape,
    expression_parameters,
    mends,
    need,
    need_of_passes,
    sequences_at_once,
    shape_of,
    shape_of_folder,
    shape_of_listed,
)

LONGEST_MINUTES = 48 * 60
"""Walltime of an attempt at most, where the profile names no other: queues refuse what is longer."""
MARGIN = 1.5
"""Of the walltime over the expected time."""
UNKNOWN_MINUTES = 720
PREDICTION_MINUTES = 240
"""Walltime of a prediction at least: tracks and tables are written besides."""
UNKNOWN_HOST_MB = 16_000
"""Main memory of a job whose size, or whose number of people, is not known."""
COPIES = 6
"""Of a batch of predicted tracks in main memory: both strands, one turned, their mean and what is written. So many are
reckoned with of the sequences of a gene as well: as read, distinct, turned, and those of a pass."""
VARIANT_BP = 300
"""Bases between two variants that are common enough for their effects to be predicted."""


class Job(NamedTuple):
    """One run of training, or of a tuned model, its size (None where the checkpoint is not there to be looked at) and need."""

    name: str
    task: str | None
    adaptation: Adaptation
    length: int
    tracks: int
    updates: int | None
    shape: Shape | None
    need: Need | None
    where: str = "adaptations.*.train"
    """Part of the configuration in which it is mended where it does not fit."""


def plan(study: Study, checkpoints: Mapping[str, Mapping[str, Any]], gpu_model: str | None) -> list[Job]:
    """Return the runs of a study that take a GPU, those that make its models first."""
    gpu = gpu_of(gpu_model)
    runs = [run for run in expand_runs(study)[0] if study.models[run.model].origin != "baseline"]
    made = {(run.model, run.seed) for run in runs}
    extended = {(model, seed) for model, seed in made if study.models[model].extend}
    made = {(model, seed) for model, seed in made | {(base_of(study, model), seed) for model, seed in extended}}
    pretrained = sorted((model, seed) for model, seed in made if study.models[model].pretrain)
    jobs = [pretraining(study, model, seed, gpu) for model, seed in pretrained]
    jobs += [extending(study, model, seed, checkpoints, gpu) for model, seed in sorted(extended)]
    for run in runs:
        if study.tasks[run.task].kind == "context_extension":
            jobs.append(asking(study, run, checkpoints, gpu))
        if study.adaptations[run.adaptation].kind == "zero-shot":
            continue
        tries = range(1, 1 + len(trials(study.adaptations[run.adaptation])))
        for trial in tries:
            job = finetuning(study_of_trial(study, run.adaptation, trial), run, checkpoints, gpu)
            jobs.append(job._replace(name=f"{job.name}/trial{trial}"))
        if not tries:
            jobs.append(finetuning(study, run, checkpoints, gpu))
        jobs.append(predicting(study, run, checkpoints, gpu))
    return jobs


DEFAULT_GPU = "l40"


def known_gpu(name: str | None) -> str | None:
    """Return the GPU of the table that a name means, or None.

    A cluster's own name (`NVIDIA_L40`) means the GPU it holds as a word.
    """
    words = re.split(r"[^a-z0-9]+", (name or "").lower())
    return next((gpu for gpu in GPUS if gpu in words), None)


def gpu_of(name: str | None) -> Gpu:
    """Return the GPU that is reckoned with: an L40 where the name means none of the table."""
    return GPUS[known_gpu(name) or DEFAULT_GPU]


def finetuning(study: Study, run: Run, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that fits a model to a task."""
    task, adaptation = study.tasks[run.task], study.adaptations[run.adaptation]
    if task.kind == "snp2gex":
        return personal_finetuning(study, run, checkpoints, gpu)
    training = adaptation.train
    length = training.crop or task.windows.size
    windows = training_windows(study, task.windows.size, task.windows.overlap)
    updates = training.steps or (windows and max(1, round(training.epochs * windows / training.batch)))
    tracks = len(tracks_of(study, run.task))
    shape = run_shape(study, run.model, checkpoints)
    found = need(shape, adaptation, length, tracks, updates, gpu) if shape else None
    return Job(run.label, run.task, adaptation, length, tracks, updates, shape, found)


SEQUENCES_OF_A_GENE = 64
"""Distinct haplotypes of a gene in a batch of everyone: what a few kb have in some hundred people."""


def personal_finetuning(study: Study, run: Run, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that fits a model to personal expression: an example is a gene with its distinct haplotypes."""
    task, adaptation = study.tasks[run.task], study.adaptations[run.adaptation]
    train, people = adaptation.train, adaptation.personal.people
    sequences = 2 * people if people else SEQUENCES_OF_A_GENE
    shape = run_shape(study, run.model, checkpoints)
    found = None
    if shape:
        at_once = train.micro_batch * sequences
        if adaptation.kind == "probe":
            at_once = sequences_at_once(adaptation, task.windows.size)
        counted = {"batch": train.batch * sequences, "micro_batch": at_once}
        alike = {"train": train.model_copy(update=counted), "head": Head(kind="linear")}
        head = expression_parameters(shape.hidden, adaptation.head)
        found = need(shape, adaptation.model_copy(update=alike), task.windows.size, 1, train.steps, gpu, head)
    return Job(run.label, run.task, adaptation, task.windows.size, 1, train.steps, shape, found)


PREDICTING = "predict/"
"""Before the name of a run: its tuned model is applied to what was held out."""


def predicting(study: Study, run: Run, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that applies the tuned model of a run: forward passes on one GPU, on both strands if it learned both.

    Of personal expression the hours are those of both haplotypes of everyone in every gene, the most it can be: each
    distinct one is computed once, the people of seen genes that were learned from are left out, and variants are few
    beside them.
    """
    task, adaptation = study.tasks[run.task], study.adaptations[run.adaptation]
    train, length, tracks = adaptation.train, task.windows.size, 1
    sequences, at_once, cohort = None, train.micro_batch, None
    if task.kind == "snp2gex":
        at_once, cohort = sequences_at_once(adaptation, length), genes_and_people(study, run.task)
        both = train.reverse_complement and adaptation.kind != "probe"
        sequences = cohort and cohort[0] * cohort[1] * 2 * (2 if both else 1)
    else:
        tracks = len(tracks_of(study, run.task))
        windows = held_out_windows(study, length, task.windows.overlap)
        sequences = windows and windows * (2 if train.reverse_complement else 1)
    shape = model_shape(study.models[base_of(study, run.model)], checkpoints)
    forward = {"batch": at_once, "micro_batch": at_once, "gpus": 1, "nodes": 1, "parallel": "ddp", "workers": 0}
    once = train.model_copy(update={**forward, "bf16": False, "gradient_checkpointing": False, "crop": None})
    head = Head(kind="linear") if task.kind == "snp2gex" else adaptation.head
    alike = adaptation.model_copy(update={"kind": "probe", "train": once, "head": head})
    updates = sequences and math.ceil(sequences / at_once)
    personal = task.kind == "snp2gex" and shape is not None
    weights = expression_parameters(shape.hidden, adaptation.head) if personal else None
    found = need(shape, alike, length, tracks, updates, gpu, weights) if shape else None
    if found:
        if personal and not cohort:
            host = max(UNKNOWN_HOST_MB, found.host_mb)
        elif personal:  # everyone's haplotypes of a gene with their states, or its common variants
            at_hand = 2 * cohort[1] + length // VARIANT_BP
            sequence = length + 4 * adaptation.head.bins * shape.hidden
            host = found.host_mb + math.ceil(COPIES * at_hand * sequence / MB)
        else:  # predicted windows are kept on disk; one copy of a batch is reckoned with already
            host = found.host_mb + math.ceil((COPIES - 1) * 4 * length * tracks * at_once / MB)
        nothing = {"trainable": 0, "gradients_mb": 0, "optimizer_mb": 0, "disk_mb": 0}
        found = found._replace(host_mb=host, gpu_mb=found.weights_mb + found.activations_mb + CONTEXT_MB, **nothing)
    return Job(PREDICTING + run.label, run.task, alike, length, tracks, None, shape, found)


def pretraining(study: Study, model: str, seed: int, gpu: Gpu) -> Job:
    """Return the job that pretrains a model."""
    block = study.models[model].pretrain
    assert block is not None
    adaptation = Adaptation(kind="full", train=block.training(), head=Head(kind="linear"))
    shape = shape_of(block.config, block.family)
    tracks = 8  # the language-model head
    found = need(shape, adaptation, block.length, tracks, block.steps, gpu)
    return Job(f"models/{model}/seed{seed}", None, adaptation, block.length, tracks, block.steps, shape, found)


def base_of(study: Study, model: str) -> str:
    """Return the label of the model whose context is extended, or of the model itself."""
    extend = study.models[model].extend
    return extend.model if extend else model


def extending(study: Study, model: str, seed: int, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that extends a model; without steps it is a matter of minutes on any machine."""
    block = study.models[model].extend
    assert block is not None
    adaptation = Adaptation(kind=block.kind, rank=block.rank, train=block.training(), head=Head(kind="linear"))
    shape = run_shape(study, model, checkpoints)
    found = need(shape, adaptation, block.length, 8, block.steps, gpu) if shape else None
    if found and not block.steps:
        found = found._replace(
            trainable=0, gradients_mb=0, optimizer_mb=0, activations_mb=0, gpu_mb=found.weights_mb, hours=0
        )
    name = f"models/{model}/seed{seed}"
    return Job(name, None, adaptation, block.length, 8, block.steps, shape, found, f"models.{model}.extend")


def asking(study: Study, run: Run, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that asks a model for the losses of a context task: passes without gradients, one GPU."""
    task, shape = study.tasks[run.task], run_shape(study, run.model, checkpoints)
    recalled = task.recall.trials * (1 + len(task.recall.distances) * len(task.recall.variants))
    sequences = [(context, task.examples) for context in task.contexts] + [(task.window_bp, recalled)]
    found = need_of_passes(shape, sequences, gpu) if shape else None
    where = f"tasks.{run.task}"
    return Job(run.label, run.task, study.adaptations[run.adaptation], task.window_bp, 0, 0, shape, found, where)


def run_shape(study: Study, model: str, checkpoints: Mapping[str, Mapping[str, Any]]) -> Shape | None:
    """Return the size of a model of a study; an extended one is its base with the context that it is to reach."""
    extend = study.models[model].extend
    shape = model_shape(study.models[base_of(study, model)], checkpoints)
    original = extend and (extend.original_length or (shape and shape.context))
    return shape._replace(context=round(extend.factor * original)) if shape and extend and original else shape


def model_shape(model: Model, checkpoints: Mapping[str, Mapping[str, Any]]) -> Shape | None:
    """Return the size of a model: from its settings, its folder, or the list of published checkpoints."""
    block = model.new or model.pretrain
    if block is not None:
        return shape_of(block.config, block.family)
    assert model.checkpoint is not None
    folder = Path(model.checkpoint if "/" in model.checkpoint else f"resources/models/{model.checkpoint}")
    if (folder / "config.json").is_file():
        return shape_of_folder(folder)
    # A folder that is not there yet has the size of the published model that its name begins with (genos-1.2b-8k).
    names = [name for name in checkpoints if folder.name.startswith(name)]
    return shape_of_listed(checkpoints[max(names, key=len)]) if names else None


def training_windows(study: Study, size: int, overlap: int) -> int | None:
    """Return about how many windows are learned from; None where the lengths of the contigs are not known yet."""
    lengths = contig_lengths(study)
    if lengths is None:
        return None
    if study.splits.by == "contig":
        return windows_on([lengths[name] for name in study.splits.train if name in lengths], size, overlap)
    share = 1 - study.splits.validation - study.splits.test
    return round(share * windows_on(lengths.values(), size, overlap))


def held_out_windows(study: Study, size: int, overlap: int) -> int | None:
    """Return about how many windows are predicted: all that are not learned from; None as above."""
    learned, lengths = training_windows(study, size, overlap), contig_lengths(study)
    if learned is None or lengths is None:
        return None
    return windows_on(lengths.values(), size, overlap) - learned


def windows_on(lengths: Iterable[int], size: int, overlap: int) -> int:
    """Return the number of windows on contigs of these lengths, the last of each flush with its end."""
    step = size - overlap
    return sum(max(1, math.ceil((length - size) / step) + 1) for length in lengths)


def contig_lengths(study: Study) -> dict[str, int] | None:
    """Return the lengths of the contigs, from the simulation's settings or from the index beside the FASTA."""
    if study.simulate and not study.simulate.overlay:
        return dict(study.simulate.settings.contigs)
    reference = resolve_data(study).reference
    places = [f"{study.results}/reference/genome.fa.fai"]
    places += [f"{reference.fasta}.fai"] if reference else []
    if study.simulate and study.simulate.overlay:
        places.append(f"{study.simulate.overlay.fasta}.fai")
    index = next((Path(place) for place in places if Path(place).is_file()), None)
    if index is None:
        return None
    rows = (line.split("\t") for line in index.read_text().splitlines())
    wanted = reference.contigs if reference else None
    return {row[0]: int(row[1]) for row in rows if not wanted or row[0] in wanted}


def minutes(job: Job, attempt: int = 1, longest: int = LONGEST_MINUTES) -> int:
    """Return the walltime of an attempt: longer each time, and never longer than a queue allows.

    An attempt at training goes on where the last one ended, so that none of them has to take the whole time.
    """
    if job.need is None or job.need.hours is None:
        return min(longest, attempt * UNKNOWN_MINUTES)
    least = PREDICTION_MINUTES if job.name.startswith(PREDICTING) else 0
    return min(longest, attempt * max(least, 60 + math.ceil(60 * MARGIN * job.need.hours)))


def memory_mb(job: Job) -> int:
    """Return the main memory of a node that a first attempt asks for."""
    return job.need.host_mb if job.need else UNKNOWN_HOST_MB


PARSING_MB = 2000
"""Main memory in which the genotypes of a contig are parsed."""


def applying_mb(study: Study, prediction: Prediction, job: Job) -> int:
    """Return the main memory that a prediction of `predict:` asks for first, given the plan of what was held out.

    Beside what that takes, people's genotypes are parsed, and means of whole contigs are summed base by base.
    """
    parsed = PARSING_MB if prediction.samples or prediction.write == "expression" else 0
    if prediction.write != "means" or prediction.bed:
        return memory_mb(job) + parsed
    lengths = contig_lengths(study)
    if lengths is None or prediction.fasta:
        return max(UNKNOWN_HOST_MB, memory_mb(job) + parsed)
    summed = 8 * (2 * job.tracks + 1) * max(lengths.values())  # coverage, its mean, and how many windows are in it
    return memory_mb(job) + parsed + math.ceil(summed / MB)


def threads(job: Job) -> int:
    """Return the cores of a node: one for each process on a GPU and each of its data loaders."""
    return job.adaptation.train.gpus * (1 + job.adaptation.train.workers)


def problems(jobs: list[Job], gpu_model: str | None) -> Iterator[str]:
    """Yield the jobs that cannot fit into the GPU, each with what would make it fit; one line for the same settings."""
    gpu = gpu_of(gpu_model)
    said = set()
    for job in jobs:
        if job.shape is None or job.need is None or job.need.gpu_mb <= gpu.memory_mb or job.name.startswith(PREDICTING):
            continue
        mend = " | ".join(ways_to_fit(job, gpu)) or "a smaller model, or a GPU with more memory"
        line = (
            f"needs about {job.need.gpu_mb / 1024:.0f} GB of GPU memory ({breakdown(job.need)}), and an "
            f"{(known_gpu(gpu_model) or DEFAULT_GPU).upper()} has {gpu.memory_mb / 1024:.0f} GB; in {job.where}: {mend}"
        )
        settings = job.name.rpartition("/")[0]
        if settings not in said:
            said.add(settings)
            yield f"{settings}: {line}"


def ways_to_fit(job: Job, gpu: Gpu) -> list[str]:
    """Return the changes that make a job fit, in the words of the block that holds its settings."""
    assert job.shape is not None
    if job.where.startswith("tasks."):
        return ["shorter `contexts`"]
    if job.where.startswith("models."):  # one GPU, and the key of the length has another name
        ways = mends(job.shape, job.adaptation, job.length, job.tracks, gpu, largest=1)
        return [way.replace("crop:", "length:") for way in ways]
    return mends(job.shape, job.adaptation, job.length, job.tracks, gpu)


def breakdown(need: Need) -> str:
    """Return what the memory of a GPU is used for."""
    parts = ("weights", "gradients", "optimizer", "activations")
    return ", ".join(f"{part} {getattr(need, f'{part}_mb') / 1024:.1f}" for part in parts)


COLUMNS = (
    *("job", "parameters", "trained", "gpu_gb", "weights_gb", "gradients_gb", "optimizer_gb", "activations_gb"),
    *("gpu", "gpu_has_gb", "gpus", "nodes", "memory_gb", "disk_gb", "updates", "hours", "fits"),
)


def reckoned_with(gpu_model: str | None) -> str:
    """Return the GPU that the plan reckons with, in one word that says where it is an assumption."""
    known = known_gpu(gpu_model)
    return known.upper() if known else f"{DEFAULT_GPU.upper()}(assumed)"


def heading(gpu_model: str | None) -> str:
    """Say what the numbers of the plan hold for."""
    if known_gpu(gpu_model):
        return f"Memory of a GPU and hours are those of an {reckoned_with(gpu_model)}."
    return (
        f"Memory of a GPU and hours are those of an {DEFAULT_GPU.upper()}, which is assumed: no profile names a GPU that is "
        "known (`planned_gpu` in its default-resources). On a CPU the same takes many times as long."
    )


def table(jobs: list[Job], gpu_model: str | None) -> list[list[str]]:
    """Return the plan as rows of text, the header first; `?` is what cannot be known before the inputs are there."""
    gpu = gpu_of(gpu_model)
    rows = [list(COLUMNS)]
    for job in jobs:
        train, found = job.adaptation.train, job.need
        updates = "-" if job.name.startswith(PREDICTING) else "?" if job.updates is None else str(job.updates)
        if found is None:
            sizes, last = ["?"] * 7, ["?", "?", updates, "?", "?"]
        else:
            memory = (found.gpu_mb, found.weights_mb, found.gradients_mb, found.optimizer_mb, found.activations_mb)
            sizes = [f"{found.parameters:,}", f"{found.trainable / found.parameters:.2%}", *map(gigabytes, memory)]
            hours = "?" if found.hours is None else f"{max(found.hours, 0.01):.2f}"
            fits = "yes" if found.gpu_mb <= gpu.memory_mb else "no"
            last = [gigabytes(found.host_mb), gigabytes(found.disk_mb), updates, hours, fits]
        shape = [reckoned_with(gpu_model), gigabytes(gpu.memory_mb), str(train.gpus), str(train.nodes)]
        rows.append([job.name, *sizes, *shape, *last])
    return rows


def gigabytes(megabytes: float) -> str:
    """Return megabytes as gigabytes with one decimal."""
    return f"{megabytes / 1024:.1f}"


def layout(rows: list[list[str]]) -> str:
    """Return rows as text in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)

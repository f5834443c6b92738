"""A table of what every run of a study will need, before anything is queued. Plain arithmetic, no torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from glmflow.config import Run, Study, Work, asked_models, expand_runs, questions, study_of_trial, trials
from glmflow.config.adaptations import Adaptation
from glmflow.config.blocks import HeadBlock
from glmflow.config.contig_lengths import contig_lengths
from glmflow.config.heads.coverage_heads import LinearHead
from glmflow.config.models import Model
from glmflow.config.prediction_block import Prediction
from glmflow.config.zero_shot_blocks import Asked

from .resources import (
    CONTEXT_MB,
    GPUS,
    MB,
    Gpu,
    Need,
    Shape,
    need,
    need_of_passes,
    shape_of_folder,
    shape_of_listed,
    shape_of_made,
    ways_to_fit,
)
from .seen_data import Seen

LONGEST_MINUTES = 48 * 60
"""Walltime of an attempt at most, where the profile names no other: queues refuse what is longer."""
MARGIN = 1.5
"""Of the walltime over the expected time."""
UNKNOWN_MINUTES = 720
PREDICTION_MINUTES = 240
"""Walltime of a prediction at least: tracks and tables are written besides."""
UNKNOWN_HOST_MB = 16_000
"""Main memory of a job whose size, or whose number of samples, is not known."""
COPIES = 6
"""Copies in main memory of what is predicted at a time: both strands, one reversed, their mean and what is written; of the
sequences of a gene, those read, distinct, reversed, and in a pass."""
LANGUAGE_HEAD = LinearHead(kind="linear")
LETTERS = 8
"""Stands for the language-model head: a linear layer to 8 values."""


class Job(NamedTuple):
    """One job on a GPU, the size of its model (None where the checkpoint is not there to be looked at) and what it needs."""

    name: str
    task: str | None
    adaptation: Adaptation
    head: HeadBlock
    work: Work
    updates: int | None
    shape: Shape | None
    need: Need | None
    where: str = "adaptations.*.train"
    """Part of the configuration that has to change where the job does not fit."""
    reach: tuple[int, int] | None = None
    """Of a model that is pretrained: the bases that gradients go back through, and those over which its state is carried."""


def plan(study: Study, checkpoints: Mapping[str, Mapping[str, Any]], gpu_model: str | None) -> list[Job]:
    """Return the runs of a study that take a GPU, those that make its models first."""
    gpu = gpu_of(gpu_model)
    runs = [run for run in expand_runs(study)[0] if study.models[run.model].origin != "baseline"]
    asked = [
        (f"{key}/{label}", block, *model)
        for key, label, block in questions(study)
        for model in asked_models(study, block)
    ]
    made = {(run.model, run.seed) for run in runs}
    made |= {(model, seed) for *_, model, seed in asked if not study.models[model].checkpoint}
    judges = {model for label, task in study.tasks.items() for model in task.judges(study, label).values()}
    made |= {(model, seed) for model, seed in judges if not study.models[model].checkpoint}
    extended = {(model, seed) for model, seed in made if study.models[model].extend}
    made = {(model, seed) for model, seed in made | {(base_of(study, model), seed) for model, seed in extended}}
    pretrained = sorted((model, seed) for model, seed in made if study.models[model].pretrain)
    jobs = [pretraining(study, model, seed, gpu) for model, seed in pretrained]
    jobs += [extending(study, model, seed, checkpoints, gpu) for model, seed in sorted(extended)]
    cells: dict[tuple[str, ...], tuple[Run, list[Job]]] = {}
    for run in runs:
        cell = run[:-1]  # all seeds need the same
        if cell not in cells:
            cells[cell] = run, jobs_of(study, run, checkpoints, gpu)
        first, found = cells[cell]
        jobs += [job._replace(name=job.name.replace(first.label, run.label)) for job in found]
    return jobs + [answering(study, *one, checkpoints, gpu) for one in asked]


def jobs_of(study: Study, run: Run, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> list[Job]:
    """Return the jobs of a run that take a GPU: each trial of its sweep, or its one training, and the prediction."""
    if study.adaptations[run.adaptation].kind == "zero-shot":
        return [asking(study, run, checkpoints, gpu)]
    tried = range(1, 1 + len(trials(study.adaptations[run.adaptation])))
    jobs = [finetuning(study_of_trial(study, run.adaptation, trial), run, checkpoints, gpu) for trial in tried]
    jobs = [job._replace(name=f"{job.name}/trial{trial}") for job, trial in zip(jobs, tried)]
    return [*(jobs or [finetuning(study, run, checkpoints, gpu)]), predicting(study, run, checkpoints, gpu)]


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
    training, work = adaptation.train, task.work(study, run.task, adaptation)
    head = adaptation.head_for(task.target).planned(study.results, study.texts)
    updates = training.steps or (work.examples and training.updates(work.examples))
    shape = run_shape(study, run.model, checkpoints)
    found = None
    if shape:
        at_once = work.at_once if adaptation.kind == "probe" else None
        found = need(shape, adaptation, work.length, work.outputs, updates, gpu, head, work.sequences, at_once)
    return Job(run.label, run.task, adaptation, head, work, updates, shape, found)


PREDICTING = "predict/"
"""Before the name of a run: its tuned model is applied to what was held out."""


def predicting(study: Study, run: Run, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that applies the tuned model of a run: forward passes on one GPU.

    Hours are those of the most that can be predicted (`Work.predicted`).
    """
    task, adaptation = study.tasks[run.task], study.adaptations[run.adaptation]
    work = task.work(study, run.task, adaptation)
    head = adaptation.head_for(task.target).planned(study.results, study.texts)
    shape = model_shape(study.models[base_of(study, run.model)], checkpoints)
    forward = {
        "batch": work.at_once,
        "micro_batch": work.at_once,
        "gpus": 1,
        "nodes": 1,
        "parallel": "ddp",
        "workers": 0,
    }
    once = adaptation.train.model_copy(update={**forward, "bf16": False, "gradient_checkpointing": False, "crop": None})
    alike = adaptation.model_copy(update={"kind": "probe", "train": once})
    passes = work.predicted and math.ceil(work.predicted / work.at_once)
    found = need(shape, alike, work.window, work.outputs, passes, gpu, head) if shape else None
    if found and shape:
        if work.held is None:
            host = max(UNKNOWN_HOST_MB, found.host_mb)
        else:
            held = COPIES * work.held * (work.held_bytes + 4 * work.held_states * shape.hidden)
            held -= 4 * work.window * work.outputs * work.at_once  # one copy of a batch, which `need` has counted
            host = found.host_mb + math.ceil(max(0, held) / MB)
        nothing = {"trainable": 0, "gradients_mb": 0, "optimizer_mb": 0, "disk_mb": 0}
        found = found._replace(host_mb=host, gpu_mb=found.weights_mb + found.activations_mb + CONTEXT_MB, **nothing)
    return Job(PREDICTING + run.label, run.task, alike, head, work, None, shape, found)


def pretraining(study: Study, model: str, seed: int, gpu: Gpu) -> Job:
    """Return the job that pretrains a model."""
    block = study.models[model].pretrain
    assert block is not None
    adaptation = Adaptation(kind="full", train=block.training())
    shape, work = shape_of_made(block), Work(block.length, block.length, outputs=LETTERS)
    found = need(shape, adaptation, block.length, LETTERS, block.steps, gpu, LANGUAGE_HEAD)
    name, where = f"models/{model}/seed{seed}", f"models.{model}.pretrain"
    reach = (block.length, block.carried)
    return Job(name, None, adaptation, LANGUAGE_HEAD, work, block.steps, shape, found, where, reach)


def base_of(study: Study, model: str) -> str:
    """Return the label of the model whose context is extended, or of the model itself."""
    extend = study.models[model].extend
    return extend.model if extend else model


def extending(study: Study, model: str, seed: int, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that extends a model; without steps it is a matter of minutes on any machine."""
    block = study.models[model].extend
    assert block is not None
    adaptation = Adaptation(kind=block.kind, rank=block.rank, train=block.training())
    shape, work = run_shape(study, model, checkpoints), Work(block.length, block.length, outputs=LETTERS)
    found = need(shape, adaptation, block.length, LETTERS, block.steps, gpu, LANGUAGE_HEAD) if shape else None
    if found and not block.steps:
        found = found._replace(
            trainable=0, gradients_mb=0, optimizer_mb=0, activations_mb=0, gpu_mb=found.weights_mb, hours=0
        )
    name = f"models/{model}/seed{seed}"
    return Job(name, None, adaptation, LANGUAGE_HEAD, work, block.steps, shape, found, f"models.{model}.extend")


def asking(study: Study, run: Run, checkpoints: Mapping[str, Mapping[str, Any]], gpu: Gpu) -> Job:
    """Return the job that applies a model as it is (zero-shot): passes without gradients on one GPU."""
    task, adaptation = study.tasks[run.task], study.adaptations[run.adaptation]
    work, shape = task.work(study, run.task, adaptation), run_shape(study, run.model, checkpoints)
    found = need_of_passes(shape, work.asked, gpu) if shape and work.asked else None
    return Job(PREDICTING + run.label, run.task, adaptation, LANGUAGE_HEAD, work, 0, shape, found, f"tasks.{run.task}")


def answering(
    study: Study,
    question: str,
    block: Asked,
    model: str,
    seed: int,
    checkpoints: Mapping[str, Mapping[str, Any]],
    gpu: Gpu,
) -> Job:
    """Return the job that asks a model beside the tasks; how many passes that takes is known when its files are read."""
    length = getattr(block, "window", None) or 512
    work, shape = Work(length=length, window=length), run_shape(study, model, checkpoints)
    found = need_of_passes(shape, ((length, 1),), gpu)._replace(hours=None, flop=None) if shape else None
    name = f"{PREDICTING}{question}/{model}/seed{seed}"
    return Job(name, None, Adaptation(kind="zero-shot"), LANGUAGE_HEAD, work, 0, shape, found)


def run_shape(study: Study, model: str, checkpoints: Mapping[str, Mapping[str, Any]]) -> Shape | None:
    """Return the size of a model of a study; an extended one is its base with the context that it is to reach."""
    extend = study.models[model].extend
    shape = model_shape(study.models[base_of(study, model)], checkpoints)
    original = extend and (extend.original_length or (shape and shape.context))
    return shape._replace(context=round(extend.factor * original)) if shape and extend and original else shape


def model_shape(model: Model, checkpoints: Mapping[str, Mapping[str, Any]]) -> Shape | None:
    """Return the size of a model: from its settings, its folder, or the list of published checkpoints."""
    if model.made is not None:
        return shape_of_made(model.made)
    assert model.checkpoint is not None
    folder = Path(model.checkpoint if model.is_folder else f"resources/models/{model.checkpoint}")
    if (folder / "config.json").is_file():
        return shape_of_folder(folder)
    # A folder that is not there yet has the size of the published model that its name begins with (genos-1.2b-8k).
    names = [name for name in checkpoints if folder.name.startswith(name)]
    return shape_of_listed(checkpoints[max(names, key=len)]) if names else None


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

    Beside what that takes, genotypes of samples are parsed, and means of whole contigs are summed base by base.
    """
    parsed = PARSING_MB if prediction.parses_genotypes else 0
    if prediction.write != "means" or prediction.bed:
        return memory_mb(job) + parsed
    lengths = contig_lengths(study)
    if lengths is None or prediction.fasta:
        return max(UNKNOWN_HOST_MB, memory_mb(job) + parsed)
    summed = (
        8 * (2 * job.work.outputs + 1) * max(lengths.values())
    )  # coverage, its mean, and how many windows are in it
    return memory_mb(job) + parsed + math.ceil(summed / MB)


def threads(job: Job) -> int:
    """Return the cores of a node: one for each process on a GPU and each of its data loaders."""
    return job.adaptation.train.gpus * (1 + job.adaptation.train.workers)


def problems(jobs: list[Job], gpu_model: str | None) -> Iterator[str]:
    """Yield the jobs that cannot fit into the GPU, each with what would make it fit; one line for the same settings."""
    gpu = gpu_of(gpu_model)
    said = set()
    for job in jobs:
        if job.shape is None or job.need is None or job.need.gpu_mb <= gpu.memory_mb or _is_tuned(job):
            continue
        settings = job.name.rpartition("/")[0]
        if settings in said:
            continue
        said.add(settings)
        fix = " | ".join(fixes(job, gpu)) or "a smaller model, or a GPU with more memory"
        yield (
            f"{settings}: needs about {job.need.gpu_mb / 1024:.0f} GB of GPU memory ({breakdown(job.need)}), and an "
            f"{(known_gpu(gpu_model) or DEFAULT_GPU).upper()} has {gpu.memory_mb / 1024:.0f} GB; in {job.where}: {fix}"
        )


def _is_tuned(job: Job) -> bool:
    """Whether a job applies a model that was tuned before: its training needed more."""
    return job.name.startswith(PREDICTING) and not job.where.startswith("tasks.")


def fixes(job: Job, gpu: Gpu) -> list[str]:
    """Return the changes that make a job fit, in the words of the block that holds its settings."""
    assert job.shape is not None
    if job.where.startswith("tasks."):
        return ["shorter `contexts`"]
    if job.where.startswith("models."):  # one GPU, and the key of the length has another name
        ways = ways_to_fit(job.shape, job.adaptation, job.work, job.head, gpu, largest=1)
        trained_whole = job.where.endswith(".pretrain")  # what has no weights yet has nothing to adapt
        return [way.replace("crop:", "length:") for way in ways if not (trained_whole and "lora" in way)]
    return ways_to_fit(job.shape, job.adaptation, job.work, job.head, gpu, croppable=job.work.sequences == 1)


def breakdown(need: Need) -> str:
    """Return what the memory of a GPU is used for."""
    parts = ("weights", "gradients", "optimizer", "activations")
    return ", ".join(f"{part} {getattr(need, f'{part}_mb') / 1024:.1f}" for part in parts)


COLUMNS = (
    *("job", "parameters", "trained", "gpu_gb", "weights_gb", "gradients_gb", "optimizer_gb", "activations_gb"),
    *("gpu", "gpu_has_gb", "gpus", "nodes", "memory_gb", "disk_gb", "updates", "hours", "gpu_hours", "flop"),
    *("epochs", "trained_through_bp", "carried_bp", "fits"),
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
        "known (`planned_gpu` in its default-resources). On a CPU the same takes many times as long: there, read memory_gb, "
        "disk_gb, updates and flop."
    )


def table(jobs: list[Job], gpu_model: str | None, seen: Mapping[str, Seen] | None = None) -> list[list[str]]:
    """Return the plan as rows of text, the header first; `?` is what cannot be known before the inputs are there.

    Parameters
    ----------
    seen
        How often models see what they are pretrained on, by label (`seen_data`).
    """
    gpu = gpu_of(gpu_model)
    rows = [list(COLUMNS)]
    for job in jobs:
        train, found, fitting = job.adaptation.train, job.need, "?"
        updates = "-" if job.name.startswith(PREDICTING) else "?" if job.updates is None else str(job.updates)
        if found is None:
            sizes, last = ["?"] * 7, ["?", "?", updates, *["?"] * 3]
        else:
            memory = (found.gpu_mb, found.weights_mb, found.gradients_mb, found.optimizer_mb, found.activations_mb)
            sizes = [f"{found.parameters:,}", f"{found.trainable / found.parameters:.2%}", *map(gigabytes, memory)]
            hours = "?" if found.hours is None else f"{max(found.hours, 0.01):.2f}"
            fitting = "yes" if found.gpu_mb <= gpu.memory_mb else "no"
            in_all = "?" if found.hours is None else f"{max(found.hours * found.gpus, 0.01):.2f}"
            flop = "?" if found.flop is None else f"{found.flop:.1e}"
            last = [gigabytes(found.host_mb), gigabytes(found.disk_mb), updates, hours, in_all, flop]
        shape = [reckoned_with(gpu_model), gigabytes(gpu.memory_mb), str(train.gpus), str(train.nodes)]
        reach = map(str, job.reach or ("-", "-"))
        rows.append([job.name, *sizes, *shape, *last, epochs(job, seen or {}), *reach, fitting])
    return rows


def epochs(job: Job, seen: Mapping[str, Seen]) -> str:
    """Return how often a pretraining sees its data, as text; `?` where that is not known yet, and `-` of other jobs."""
    if job.reach is None:
        return "-"
    found = seen.get(job.name.split("/")[1])
    return "?" if found is None or found.times is None else f"{found.times:.2g}"


def gigabytes(megabytes: float) -> str:
    """Return megabytes as gigabytes with one decimal."""
    return f"{megabytes / 1024:.1f}"


def layout(rows: list[list[str]]) -> str:
    """Return rows as text in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)

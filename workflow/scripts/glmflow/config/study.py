"""A study: one YAML file that says what is to be computed."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from .adaptations import Adaptation, trials, tried
from .base import Block, Label
from .data import Cohort, Reference, Splits, Tracks
from .models import Model
from .predictions import Prediction
from .simulation import Simulation
from .tasks import Task


class RunSet(Block):
    """Every task x model x adaptation x seed of these lists is a run."""

    tasks: Annotated[list[Label], Field(min_length=1)] = Field(description="Labels of `tasks`.")
    models: Annotated[list[Label], Field(min_length=1)] = Field(description="Labels of `models`.")
    adaptations: Annotated[list[Label], Field(min_length=1)] = Field(description="Labels of `adaptations`.")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        default_factory=lambda: [1], description="Seeds; the report gives mean and spread over them."
    )


class ReportSettings(Block):
    """What the report shows first."""

    title: str = Field("", description="Title; the study's name where left out.")
    genes: list[str] = Field(default_factory=list, description="Genes (id or name) shown first in the genome browser.")
    n_genes: Annotated[int, Field(ge=1, le=200)] = Field(20, description="Genes in the genome browser.")


class Study(Block):
    """The whole configuration."""

    study: Label = Field(description="Name of the study: results go to `results/{study}/`.")
    simulate: Simulation | None = Field(
        None, description="Simulate the data; then `reference`, `cohort` and `tracks` are the simulated ones."
    )
    reference: Reference | None = Field(None, description="Reference genome.")
    cohort: Cohort | None = Field(None, description="People with phased genotypes.")
    tracks: Tracks = Field(default_factory=dict, description="Signals by name.")
    splits: Splits = Field(description="What is learned from and what is held out.")
    tasks: dict[Label, Task] = Field(description="Tasks by label.")
    models: dict[Label, Model] = Field(description="Models by label.")
    adaptations: dict[Label, Adaptation] = Field(description="Adaptations by label.")
    runs: Annotated[list[RunSet], Field(min_length=1)] = Field(description="Which of them to run with each other.")
    predict: dict[Label, Prediction] = Field(
        default_factory=dict, description="What tuned models are applied to beside what was held out, by label."
    )
    monitor: Literal["tensorboard", "trackio", "wandb", "none"] = Field(
        "tensorboard",
        description="Where training curves go beside `metrics.jsonl` (`wandb`: offline). Changing it reruns nothing.",
    )
    report: ReportSettings = Field(default_factory=ReportSettings, description="The report.")

    @property
    def results(self) -> str:
        """Folder of the study's results."""
        return f"results/{self.study}"


class Run(NamedTuple):
    """One cell of the study: a model fitted to a task in one way from one seed."""

    task: str
    model: str
    adaptation: str
    seed: int

    @property
    def label(self) -> str:
        """Name of the run, as it stands in paths."""
        return f"{self.task}/{self.model}/{self.adaptation}/seed{self.seed}"

    def folder(self, results: str) -> str:
        """Return the folder of the run below the study's results."""
        return f"{results}/runs/{self.label}"


class Misfit(NamedTuple):
    """A combination that was asked for and makes no sense, with the reason."""

    task: str
    model: str
    adaptation: str
    reason: str


def expand_runs(study: Study) -> tuple[list[Run], list[Misfit]]:
    """Return the runs of a study, each once and in order, and the combinations that do not fit."""
    runs: dict[Run, None] = {}
    misfits: dict[Misfit, None] = {}
    for entry in study.runs:
        for task in entry.tasks:
            for model in entry.models:
                for adaptation in entry.adaptations:
                    reason = misfit_reason(study, task, model, adaptation)
                    if reason:
                        misfits[Misfit(task, model, adaptation, reason)] = None
                    else:
                        runs.update({Run(task, model, adaptation, seed): None for seed in entry.seeds})
    return list(runs), list(misfits)


def applied_runs(study: Study, prediction: Prediction) -> list[Run]:
    """Return the runs whose models a prediction is written by: of its tasks and models, those that leave one."""
    return [
        run
        for run in expand_runs(study)[0]
        if study.tasks[run.task].kind in prediction.kinds
        and study.adaptations[run.adaptation].kind in ("full", "lora", "probe")
        and (not prediction.tasks or run.task in prediction.tasks)
        and (not prediction.models or run.model in prediction.models)
    ]


def study_of_trial(study: Study, adaptation: str, trial: int) -> Study:
    """Return the study with an adaptation's settings exchanged for those of one trial of its sweep (the first is 1)."""
    swept = study.adaptations[adaptation]
    settled = tried(swept, trials(swept)[trial - 1])
    return study.model_copy(update={"adaptations": {**study.adaptations, adaptation: settled}})


def misfit_reason(study: Study, task: str, model: str, adaptation: str) -> str | None:
    """Return why a model cannot be fitted to a task in this way, or None where it can."""
    origin = study.models[model].origin
    kind = study.adaptations[adaptation].kind
    if study.tasks[task].kind == "context_extension":
        if origin in ("baseline", "new"):
            return "there is no trained language model whose context could be measured"
        return None if kind == "zero-shot" else "context is measured as the model is: tune it with `extend`"
    if origin == "baseline" and kind != "baseline":
        return "a baseline has no weights to adapt"
    if origin != "baseline" and kind == "baseline":
        return "only baselines are run as they are"
    baseline = study.models[model].baseline
    if baseline and baseline.predicts != study.tasks[task].kind:
        return f"{baseline.kind} is a baseline of {baseline.predicts}"
    random = study.adaptations[adaptation].weights == "random"
    if origin == "new" and kind in ("lora", "probe", "zero-shot") and not random:
        return "an untrained model has nothing to keep frozen"
    if kind == "zero-shot" and study.tasks[task].kind == "rnaseq_tracks":
        return "coverage cannot be read off a language model without a trained head"
    if kind == "zero-shot":
        # A likelihood says that a haplotype is unusual, not whether its gene is expressed more or less.
        return "expression cannot be read off a language model without a trained head; a `probe` trains nothing else"
    return None

"""A study: one YAML file that says what is to be computed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from glmflow.errors import InputError

from .adaptations import Adaptation, trials, tried
from .base import Block, Label
from .blocks import TRAINED
from .corpus_blocks import CorpusBlock
from .data import Cohort, Data, Names, Reference, Splits, Track, Tracks
from .fitting import misfit_reason
from .models import Model
from .prediction_block import Prediction
from .simulation import Simulation
from .task_block import TaskBlock
from .tasks import Task
from .text_blocks import TextPretraining
from .views import Run
from .written_short import written_out
from .zero_shot_blocks import DependencyMaps, Mutagenesis, VariantScores

LABELS = {"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


class RunSet(Block):
    """Every task x model x adaptation x seed of these lists is a run."""

    tasks: Annotated[list[Label], Field(min_length=1), WithJsonSchema(LABELS)] = Field(
        description="Labels of `tasks`, or `all`."
    )
    models: Annotated[list[Label], Field(min_length=1), WithJsonSchema(LABELS)] = Field(
        description="Labels of `models`, or `all`: all baselines where the adaptations are of kind baseline, else all others."
    )
    adaptations: Annotated[list[Label], Field(min_length=1)] = Field(description="Labels of `adaptations`.")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = Field(
        None,
        description="Seeds; the report gives mean and spread over them. `[1]` where left out, or 1 to 10 where the task is a "
        "control that each seed draws again.",
    )


class ReportSettings(Block):
    """What the report shows first."""

    title: str = Field("", description="Title; the study's name where left out.")
    note: str = Field("", description="What a reader has to know of the study; it stands under the title.")
    genes: list[str] = Field(default_factory=list, description="Genes (id or name) shown first in the genome browser.")
    n_genes: Annotated[int, Field(ge=1, le=200)] = Field(20, description="Genes in the genome browser.")


class Study(Block):
    """The whole configuration."""

    model_config = ConfigDict(serialize_by_alias=True)  # what is written out can be read again

    study: Label = Field(description="Name of the study: results go to `results/{study}/`.")
    sets: Names = Field(
        default_factory=list,
        alias="data",
        description="Public data sets that the study reads (config/data.yaml): `snakemake -c1 fetch` downloads them to "
        "resources/.",
    )
    simulate: Simulation | None = Field(
        None, description="Simulate the data; then `reference`, `cohort` and `tracks` are the simulated ones."
    )
    reference: Reference | None = Field(None, description="Reference genome.")
    cohort: Cohort | None = Field(None, description="Samples with phased genotypes.")
    tracks: Tracks = Field(default_factory=dict, description="Signals by name.")
    splits: Splits | None = Field(
        None, description="What is learned from and what is held out, of the genome; tasks on tables bring their own."
    )
    corpora: dict[Label, CorpusBlock] = Field(
        default_factory=dict, description="Genomes that language models are pretrained on, by name."
    )
    tasks: dict[Label, Task] = Field(description="Tasks by label.")
    models: dict[Label, Model] = Field(description="Models by label.")
    texts: dict[Label, TextPretraining] = Field(
        default_factory=dict,
        description="Small text models that are pretrained here; written as entries of `models`: "
        "`words: {text: {questions: TASK}}`, which heads name by their label (`head: {kind: text_answers, text: words}`).",
    )
    adaptations: dict[Label, Adaptation] = Field(description="Adaptations by label.")
    runs: Annotated[list[RunSet], Field(min_length=1)] = Field(description="Which of them to run with each other.")
    predict: dict[Label, Prediction] = Field(
        default_factory=dict, description="What tuned models are applied to beside what was held out, by label."
    )
    variant_scores: dict[Label, VariantScores] = Field(
        default_factory=dict, description="Variants without labels that models score as they are, by label."
    )
    mutagenesis: dict[Label, Mutagenesis] = Field(
        default_factory=dict, description="Intervals whose every base is changed, for models as they are, by label."
    )
    dependency_maps: dict[Label, DependencyMaps] = Field(
        default_factory=dict, description="Sequences that models as they are map the dependencies of, by label."
    )
    monitor: Literal["tensorboard", "trackio", "wandb", "none"] = Field(
        "tensorboard",
        description="Where training curves go beside `metrics.jsonl` (`wandb`: offline). Changing it reruns nothing.",
    )
    copies: Literal["keep", "leave_out"] = Field(
        "keep",
        description="Held-out windows that hold sequence of training windows (5 % of their bases or more, on any contig and "
        "strand): scored with the others, and without them as `no_near_copy`; or left out of the examples.",
    )
    fail_on: Literal["never", "leak", "warning"] = Field(
        "never",
        description="What stops a study when its examples are audited: a leak (an audit that ends in FAIL), a warning too, "
        "or nothing: then all is said in the log and in the report. Changing it reruns nothing.",
    )
    report: ReportSettings = Field(default_factory=ReportSettings, description="The report.")

    @model_validator(mode="before")
    @classmethod
    def _written_out(cls, value: Any) -> Any:
        """Read adaptations that are written short."""
        if not isinstance(value, Mapping):
            return value
        try:
            return written_out(value)
        except InputError as error:
            raise ValueError(str(error)) from None

    @property
    def results(self) -> str:
        """Folder of the study's results."""
        return f"results/{self.study}"

    @cached_property
    def data(self) -> Data:
        """Where the data lie: those that a task brings along, else the simulated ones where none are given."""
        for task in self.tasks.values():
            if own := task.own_data(self):
                return own
        if self.simulate is None:
            return Data(self.reference, self.cohort, self.tracks)
        folder = f"{self.results}/simulated"
        if self.simulate.genome_alone:
            return Data(self.reference or Reference(fasta=f"{folder}/genome.fa"), self.cohort, self.tracks)
        reference = Reference(fasta=f"{folder}/genome.fa", annotation=f"{folder}/genes.gtf")
        cohort = Cohort(vcf=[self.simulated_vcf], samples=f"{folder}/samples.tsv")
        return Data(self.reference or reference, self.cohort or cohort, self.tracks or self._simulated_tracks(folder))

    def _simulated_tracks(self, folder: str) -> dict[str, Track]:
        """Return the tracks of a simulation: both strands of each biosample."""
        settings = self.simulate.settings
        numbers = range(1, settings.tracks.replicates + 1)
        return {
            f"{biosample}_{name}": Track(
                biosample=biosample,
                strand=strand,
                replicates=[f"{folder}/tracks/{biosample}.{name}.rep{n}.bw" for n in numbers],
            )
            for biosample in settings.promoter.biosamples
            for name, strand in STRANDS.items()
        }

    @property
    def simulated_vcf(self) -> str:
        """Where the genotypes of simulated samples are written."""
        return f"{self.results}/simulated/cohort.vcf.gz"

    @property
    def genome_tasks(self) -> dict[str, TaskBlock]:
        """Tasks whose examples are cut from the genome."""
        return {label: task for label, task in self.tasks.items() if task.genome}

    @cached_property
    def expanded(self) -> tuple[list[Run], list[Misfit]]:
        """Runs, each once and in order, and the combinations that do not fit."""
        runs: dict[Run, None] = {}
        misfits: dict[Misfit, None] = {}
        reasons: dict[tuple[str, str, str], str | None] = {}
        for entry in self.runs:
            for cell in product(entry.tasks, entry.models, entry.adaptations):
                if cell not in reasons:
                    reasons[cell] = misfit_reason(self, *cell)
                if reason := reasons[cell]:
                    misfits[Misfit(*cell, reason)] = None
                else:
                    runs.update({Run(*cell, seed): None for seed in self._seeds(entry, cell[0])})
        return list(runs), list(misfits)

    def _seeds(self, entry: RunSet, task: str) -> list[int]:
        """Return the seeds of a list of runs: those it names, else as many as the task is drawn with."""
        return entry.seeds or list(range(1, 1 + self.tasks[task].control_draws))

    @cached_property
    def runs_by_task(self) -> dict[str, list[Run]]:
        """Runs by the label of their task."""
        found: dict[str, list[Run]] = {}
        for run in self.expanded[0]:
            found.setdefault(run.task, []).append(run)
        return found

    def runs_of(self, task: str) -> list[Run]:
        """Return the runs of a task."""
        return self.runs_by_task.get(task, [])

    @cached_property
    def worked_out(self) -> dict[Any, Any]:
        """What other functions have worked out from the study and are asked for again, for every job."""
        return {}

    def model_copy(self, **settings: Any) -> Study:
        """Return a copy with some keys changed; what was worked out from the old ones is forgotten."""
        copied = super().model_copy(**settings)
        for name in ("data", "expanded", "runs_by_task", "worked_out"):
            copied.__dict__.pop(name, None)
        return copied


STRANDS = {"plus": "+", "minus": "-"}


class Misfit(NamedTuple):
    """A combination that was asked for and makes no sense, with the reason."""

    task: str
    model: str
    adaptation: str
    reason: str


def expand_runs(study: Study) -> tuple[list[Run], list[Misfit]]:
    """Return the runs of a study, each once and in order, and the combinations that do not fit."""
    return study.expanded


def applied_runs(study: Study, prediction: Prediction) -> list[Run]:
    """Return the runs whose models a prediction is written by: of its tasks and models, those that leave one."""
    return [
        run
        for run in study.expanded[0]
        if prediction.write in study.tasks[run.task].writes
        and study.adaptations[run.adaptation].kind in TRAINED
        and (not prediction.tasks or run.task in prediction.tasks)
        and (not prediction.models or run.model in prediction.models)
    ]


def study_of_trial(study: Study, adaptation: str, trial: int) -> Study:
    """Return the study with an adaptation's settings exchanged for those of one trial of its sweep (the first is 1)."""
    if (adaptation, trial) not in study.worked_out:
        swept = study.adaptations[adaptation]
        settled = tried(swept, trials(swept)[trial - 1])
        adaptations = {**study.adaptations, adaptation: settled}
        study.worked_out[adaptation, trial] = study.model_copy(update={"adaptations": adaptations})
    return study.worked_out[adaptation, trial]

"""What a kind of task, and what judges its runs, see of a study: a run, and the parts of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from .adaptations import Adaptation
from .corpus_blocks import CorpusBlock
from .data import BlockSplits, Cohort, ContigSplits, Data, Reference, Track
from .models import Model
from .simulation import Simulation
from .text_blocks import TextPretraining


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


class StudyView(Protocol):
    """A study (`glmflow.config.Study`) as its tasks see it; see there for each part."""

    study: str
    simulate: Simulation | None
    reference: Reference | None
    cohort: Cohort | None
    tracks: Mapping[str, Track]
    splits: ContigSplits | BlockSplits | None
    corpora: Mapping[str, CorpusBlock]
    texts: Mapping[str, TextPretraining]
    tasks: Mapping[str, Any]
    models: Mapping[str, Model]
    adaptations: Mapping[str, Adaptation]
    predict: Mapping[str, Any]

    @property
    def results(self) -> str:
        """Folder of the study's results."""

    @property
    def data(self) -> Data:
        """Where the data lie."""

    @property
    def simulated_vcf(self) -> str:
        """Where the genotypes of simulated samples are written."""

    def runs_of(self, task: str) -> list[Run]:
        """Return the runs of a task."""

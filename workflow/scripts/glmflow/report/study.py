"""All tables of a study, read once, with the names and colours its runs go by."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from . import charts, tables
from .inputs import BASELINES, ReportInputs, read_json
from .metrics import OTHER_LEVELS, describe
from .palette import colours
from .personal import judge_personal
from .pretraining import hardly_learned, pretrained_models, read_pretraining
from .verdict import Verdict, judge, other_levels, run_label, unequal_training


class Study:
    """The tables of a study.

    Attributes
    ----------
    metrics
        One row a value, as scored.
    summary
        One row a model x adaptation in every cell, seeds put together; `mark` is how charts tell them apart.
    costs, curves, genes, personal, windows, counts, leakage, checks, replicates, statistics, variants, pretraining,
    warnings
        What their names say; empty tables where the study has none.
    cells
        By task, the ranked rows its verdict is about.

    The tables of runs hold `label` (how a run is called), `key` (task, model and adaptation) and `origin`.
    """

    def __init__(self, inputs: ReportInputs):
        self.inputs = inputs
        self.provenance = read_json(inputs.provenance)
        self.tasks = list(dict.fromkeys(run.task for run in inputs.runs))
        self.colours = colours(run.model for run in inputs.runs)
        origins = {run.name: run.origin for run in inputs.runs}

        self.metrics = tables.read_metrics(inputs.runs)
        self.costs = _name_runs(tables.read_costs(inputs.runs), origins)
        self.curves = _name_runs(tables.add_shown(tables.read_curves(inputs.runs)), origins)
        self.genes = _name_runs(tables.read_genes(inputs.runs, inputs.split), origins)
        self.summary = _name_runs(tables.summarise(self.metrics), origins)
        told = self.summary["origin"] == "told"
        self.summary["mark"] = self.summary["adaptation"].mask(told, charts.TOLD)
        self.windows, self.counts = tables.read_by_task(inputs.windows), tables.read_by_task(inputs.counts)
        self.leakage, self.checks = tables.read_leakage(inputs.leakage)
        self.personal = _name_runs(tables.read_personal(inputs.runs), origins)
        self.replicates = tables.optional_table(inputs.replicates)
        self.statistics = tables.optional_table(inputs.track_statistics)
        self.variants = tables.optional_table(inputs.variants)
        pretraining = read_pretraining(inputs.pretraining)
        self.pretraining = pretraining[pretraining["model"].isin(pretrained_models(inputs.runs))]
        self.warnings = tables.read_warnings(inputs, self.provenance)

        self.headlines = {
            task: tables.headline_metric(self.metrics, task, inputs.headline.get(task)) for task in self.tasks
        }
        self.cells = {
            task: tables.headline_cell(self.summary, task, inputs.split, metric)
            for task, metric in self.headlines.items()
        }
        baselines = {run.adaptation for run in inputs.runs if run.origin in BASELINES}
        adaptations = list(dict.fromkeys(run.adaptation for run in inputs.runs))
        self.look = charts.Look(self.colours, charts.shapes(adaptations, baselines, told.any()))

    @property
    def title(self) -> str:
        """Title of the pages."""
        return self.inputs.title or self.inputs.study

    @property
    def simulated(self) -> str:
        """What is simulated, in words; empty where nothing is."""
        simulated = self.provenance.get("simulated")
        return simulated if isinstance(simulated, str) else "the data" if simulated else ""

    @property
    def only_personal(self) -> bool:
        """Whether every task is of personal expression, so that what is said of tracks and windows applies to none."""
        return set(self.tasks) <= set(self.personal["task"])

    @property
    def labels(self) -> list[str]:
        """How the runs are called, best first (in the first task that each was run on)."""
        ranked = [label for task in self.tasks for label in self.cells[task]["label"]]
        return list(dict.fromkeys([*ranked, *self.costs["label"]]))

    @property
    def labels_by_name(self) -> dict[tuple[str, str, str], str]:
        """How each run is called, by task, model and adaptation."""
        names = zip(self.costs["task"], self.costs["model"], self.costs["adaptation"])
        return dict(zip(names, self.costs["label"]))

    def verdict(self, task: str) -> Verdict:
        """Return the answer of a task."""
        found = self._verdict(task)
        models = pretrained_models([run for run in self.inputs.runs if run.task == task])
        return replace(found, notes=(*found.notes, *hardly_learned(self.pretraining, models)))

    def _verdict(self, task: str) -> Verdict:
        """Return the answer of a task, as its scores give it."""
        if len(self.personal) and task in set(self.personal["task"]):
            return judge_personal(self.personal, task)
        cell = self.cells[task]
        found = judge(cell, self.headlines[task], cell["split"].iloc[0])
        bases = self.costs.set_index("key")["trained_bases"]
        return replace(
            found,
            notes=(*other_levels(cell, self.other_cells(task)), *unequal_training(cell, bases), *found.notes),
        )

    def other_cells(self, task: str) -> list[tuple[str, pd.DataFrame]]:
        """Return the ranked rows of one metric of each level that the verdict of a task is not about."""
        headline, known = self.headlines[task], set(self.summary.loc[self.summary["task"] == task, "metric"])
        split = self.cells[task]["split"].iloc[0]
        return [
            (metric, tables.headline_cell(self.summary, task, split, metric))
            for metric in OTHER_LEVELS
            if metric in known and describe(metric).level != describe(headline).level
        ]

    def leader(self, task: str) -> str:
        """Return the label of the run that is first in a task's verdict, which leaves aside what is told where genes lie."""
        cell = self.cells[task]
        rivals = cell[cell["origin"] != "told"]
        return (rivals if len(rivals) else cell)["label"].iloc[0]


def _name_runs(table: pd.DataFrame, origins: dict[tuple[str, str, str], str]) -> pd.DataFrame:
    """Add `origin`, `label` and `key` to a table of runs."""
    names = list(zip(table["task"], table["model"], table["adaptation"]))
    return table.assign(
        origin=[origins[name] for name in names],
        label=[run_label(model, adaptation, origins[task, model, adaptation]) for task, model, adaptation in names],
        key=["/".join(name) for name in names],
    )

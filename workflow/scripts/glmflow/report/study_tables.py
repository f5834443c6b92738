"""All tables of a study, read once, with the names and colours its runs go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from . import charts, run_tables
from .comparison_tables import read_compared, with_limits
from .kinds import Kind, by_kind, find_kind
from .language_models import hardly_learned, models_behind, read_trainings
from .palette import colours
from .report_inputs import ReportInputs
from .run_folder import BASELINES, RunFolder, read_json
from .verdict import (
    ADDED,
    Verdict,
    board,
    judge,
    notes_of,
    other_levels,
    run_label,
    scratch_notes,
    unequal_training,
    what_of,
)
from .wording import Metric


class Study:
    """The tables of a study.

    Attributes
    ----------
    kinds
        By task, its kind (`glmflow.report.kinds`).
    metrics
        One row a value, as scored.
    summary
        One row a model x adaptation in every cell, seeds put together; `mark` is how charts tell them apart.
    costs, curves, counts, leakage, statistics, variants, trainings, warnings
        What their names say; empty tables if the study has none.
    compared
        By task, how its runs compare with each other (`comparison_tables.Compared`).
    headlines, cells
        By task, the metric that its verdict is about and the ranked rows.

    The tables of runs hold `label` (how a run is called), `key` (task, model and adaptation) and `origin`.
    """

    def __init__(self, inputs: ReportInputs, unscored: tuple[RunFolder, ...] = ()):
        self.inputs = inputs
        self.unscored = unscored
        self.provenance = read_json(inputs.provenance)
        self.tasks = list(dict.fromkeys(run.task for run in inputs.runs))
        self.kinds = kinds_of(inputs.runs)
        self.colours = colours(run.model for run in inputs.runs)
        self._origins = {run.name: run.origin for run in inputs.runs}
        self._once: dict[tuple, Any] = {}

        self.metrics = run_tables.read_metrics(inputs.runs)
        self.costs = self.name_runs(run_tables.read_costs(inputs.runs, self.kinds))
        self.curves = self.name_runs(run_tables.add_shown(run_tables.read_curves(inputs.runs)))
        self.compared = {task: read_compared(inputs.comparisons.get(task)) for task in self.tasks}
        self.summary = with_limits(self.name_runs(run_tables.summarise(self.metrics)), self.compared)
        informed = self.summary["origin"] == "informed"
        self.summary["mark"] = self.summary["adaptation"].mask(informed, charts.INFORMED)
        self.counts = run_tables.read_by_task(inputs.counts, self.tasks)
        self.leakage = run_tables.graded(run_tables.read_by_task(inputs.leakage, self.tasks))
        self.variants = run_tables.optional_table(inputs.variants)
        trainings = read_trainings(inputs.trainings)
        self.trainings = trainings[trainings["model"].isin(models_behind(inputs.runs))]

        self.headlines: dict[str, Metric] = {
            task: run_tables.headline_metric(self.metrics, task, self.kinds[task], inputs.headline.get(task))
            for task in self.tasks
        }
        self.cells = {
            task: run_tables.headline_cell(self.summary, task, inputs.split, metric)
            for task, metric in self.headlines.items()
        }
        baselines = {run.adaptation for run in inputs.runs if run.origin in BASELINES}
        adaptations = list(dict.fromkeys(run.adaptation for run in inputs.runs))
        self.look = charts.Look(self.colours, charts.shapes(adaptations, baselines, informed.any()))
        self.warnings = run_tables.count_warnings(self._warnings())

    def _warnings(self) -> list[tuple[str, str]]:
        """Return all warnings of the study, as (where, sentence)."""
        found = run_tables.read_warnings(self.inputs, self.provenance, self.leakage)
        found += [(task, text) for task, compared in self.compared.items() for text in compared.said()]
        for task in dict.fromkeys(run.task for run in self.unscored):
            count = sum(run.task == task for run in self.unscored)
            runs = "1 run has" if count == 1 else f"{count} runs have"
            found.append((task, f"{runs} no score: no held-out example has a known target."))
        for kind, tasks in by_kind(self.kinds):
            found += kind.call("warnings", self, tasks, default=[])
        return found + run_tables.undeclared(self.metrics, self.kinds)

    def name_runs(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of runs (task, model, adaptation) with `origin`, `label` and `key`."""
        names = list(zip(table["task"], table["model"], table["adaptation"]))
        origins = [self._origins[name] for name in names]
        return table.assign(
            origin=origins,
            label=[run_label(model, adaptation, origin) for (_, model, adaptation), origin in zip(names, origins)],
            key=["/".join(name) for name in names],
        )

    def once(self, read: Callable[..., Any], *arguments: Any) -> Any:
        """Return `read(self, *arguments)`, computed at the first call alone."""
        if (read, arguments) not in self._once:
            self._once[read, arguments] = read(self, *arguments)
        return self._once[read, arguments]

    def runs(self, *tasks: str) -> tuple[RunFolder, ...]:
        """Return the runs of some tasks, in the order of the study."""
        return tuple(run for run in self.inputs.runs if run.task in tasks)

    def like(self, task: str) -> list[str]:
        """Return the tasks of the same kind as one of them, itself included."""
        return [other for other in self.tasks if self.kinds[other] is self.kinds[task]]

    def rows(self, table: pd.DataFrame, task: str) -> pd.DataFrame:
        """Return the rows of one task."""
        return table[table["task"] == task]

    @property
    def title(self) -> str:
        """Title of the pages."""
        return self.inputs.title or self.inputs.study

    @property
    def simulated(self) -> str:
        """What is simulated, in words; empty if nothing is."""
        simulated = self.provenance.get("simulated")
        return simulated if isinstance(simulated, str) else "the data" if simulated else ""

    @property
    def kinds_of_pages(self) -> dict[str, Kind]:
        """Kind by task, of the tasks without any score too."""
        return kinds_of(self.unscored) | self.kinds

    @property
    def pages(self) -> dict[str, str]:
        """Name of each task's page: those that were asked for, and one for every other task whose kind has pages."""
        return pages_of(self.inputs, self.kinds_of_pages)

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

    @property
    def given(self) -> dict[str, str]:
        """What baselines are given beside the sequence, by key; those that are given nothing are left out."""
        return {run.key: run.given for run in self.inputs.runs if run.given}

    def verdict(self, task: str) -> Verdict:
        """Return the answer of a task."""
        return self.once(Study._verdict, task)

    def _verdict(self, task: str) -> Verdict:
        """Return the answer of a task: that of its kind or the general one, with a note on models that learned nothing."""
        found = self.kinds[task].call("verdict", self, task) or self.general_verdict(task)
        models = models_behind(self.runs(task))
        return replace(
            found,
            notes=(*found.notes, *hardly_learned(self.trainings, models)),
            warnings=(*run_tables.failed(self.rows(self.leakage, task)), *self.compared[task].said(), *found.warnings),
        )

    def general_verdict(self, task: str) -> Verdict:
        """Return the answer of a task as its headline metric gives it."""
        metric, split = self.headlines[task], self.split(task)
        what = what_of(metric, split)
        cell, notes = self.compared[task].cell(metric.name, split)
        sentence = judge(cell, metric, what)
        if cell.empty:
            return Verdict(sentence)
        bases = self.costs.set_index("key")["trained_bases"]
        others = self.other_cells(task)
        beside = [*other_levels(cell, others), *unequal_training(cell, bases)]
        beside += [*scratch_notes(cell, self.origins), *notes_of(cell, notes, self.given)]
        added = [note for note in beside if note.startswith(ADDED)]
        for other, _ in others:
            found = self.compared[task].cell(other.name, split)[1]
            added += [note.replace(ADDED, f"{ADDED} on {other.title}", 1) for note in found if note.startswith(ADDED)]
        return Verdict(sentence, tuple(dict.fromkeys([*added, *beside])), boards=(board(cell, what),))

    @property
    def origins(self) -> dict[str, str]:
        """Where the model of each run comes from, by key."""
        return {"/".join(name): origin for name, origin in self._origins.items()}

    def split(self, task: str) -> str:
        """Return the split that a task's verdict is about."""
        return str(self.cells[task]["split"].iloc[0])

    def other_cells(self, task: str) -> list[tuple[Metric, pd.DataFrame]]:
        """Return the compared rows of one metric of each level that the verdict of a task is not about."""
        kind, headline = self.kinds[task], self.headlines[task]
        others = [kind.metric(name) for name in kind.further]
        cells = [
            (metric, self.compared[task].cell(metric.name, self.split(task))[0])
            for metric in others
            if metric.words.level != headline.words.level
        ]
        return [(metric, rows) for metric, rows in cells if len(rows)]

    def leader(self, task: str) -> str:
        """Return the label of the run that is first in a task's verdict, which leaves aside baselines that are given more."""
        cell = self.cells[task]
        rivals = cell[cell["origin"] != "informed"]
        return (rivals if len(rivals) else cell)["label"].iloc[0]


def kinds_of(runs: tuple[RunFolder, ...]) -> dict[str, Kind]:
    """Return the kind of each task, from the first of its runs that recorded it."""
    names: dict[str, str] = {}
    for run in runs:
        if not names.get(run.task):
            names[run.task] = str(run.task_settings.get("kind") or "")
    return {task: find_kind(name) for task, name in names.items()}


def pages_of(inputs: ReportInputs, kinds: dict[str, Kind]) -> dict[str, str]:
    """Return the file name of each task's page."""
    others = [task for task, kind in kinds.items() if kind.has_pages and task not in inputs.pages]
    return dict(inputs.pages) | {task: f"task.{task}.html" for task in others}

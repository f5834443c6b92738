"""Write the report of a study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd

from glmflow.files import atomic_path

from .data_tables import write_data
from .figures import write_figures
from .index_page import index_page
from .models_page import models_page
from .rendering import render
from .report_inputs import ReportInputs
from .run_folder import RunFolder, read_json
from .search_index import Entry, page_entries, search_script
from .study_tables import Study, kinds_of, pages_of


def write_report(inputs: ReportInputs, output: str | Path) -> None:
    """Write the pages, `data/` and `figures/` into the folder `output`, replacing what was there.

    `index.html` and `models.html` are always there, and a page for every task that `inputs.pages` names or whose kind has
    pages; if there is nothing to show, the page says so. Runs without any score (no target is known) are left out and
    counted among the warnings.

    The pages hold all they need (scripts, styles, data) and open by double click without a network; the index of the search
    over all of them lies in `data/search.js`, without which a page searches nothing.

    Raises
    ------
    InputError
        A table lacks a column, or the headline metric was not computed.
    """
    scored, unscored = split_scored(inputs.runs)
    if not scored:
        pages = pages_of(inputs, kinds_of(unscored))
        with atomic_path(output) as folder:
            folder.mkdir()
            for name in ("index.html", "models.html", *pages.values()):
                (folder / name).write_text(unscored_page(inputs, unscored), encoding="utf-8")
        return
    study = Study(replace(inputs, runs=scored), unscored)
    with atomic_path(output) as folder:
        folder.mkdir()
        data_files = write_data(study, folder / "data")
        figures = write_figures(study, folder / "figures")
        pages = {file: task_page(study, task) for task, file in study.pages.items()}
        pages |= {"models.html": models_page(study), "index.html": index_page(study, figures, data_files)}
        for file, html in pages.items():
            (folder / file).write_text(html, encoding="utf-8")
        (folder / "data/search.js").write_text(search_script(entries(study, pages), study.title), encoding="utf-8")


def entries(study: Study, pages: Mapping[str, str]) -> Iterator[Entry]:
    """Yield what can be found on the pages of a study: its tasks first, then what each page shows."""
    for task in study.kinds_of_pages:
        own = study.pages.get(task)
        yield Entry(task, "task", own or "index.html", "" if own else urlencode({"task": task}))
    every = {
        table: found._replace(what=f"{found.what}, all scores", address="")
        for kind in study.kinds.values()
        for table, found in kind.findable.items()
    }
    task_of = {file: task for task, file in study.pages.items()}
    for file, html in pages.items():
        kind = study.kinds_of_pages.get(task_of.get(file, ""))
        yield from page_entries(html, file, kind.findable if kind else every if file == "index.html" else {})


def split_scored(runs: Iterable[RunFolder]) -> tuple[tuple[RunFolder, ...], tuple[RunFolder, ...]]:
    """Return the runs that have a score, and those whose table of metrics is empty."""
    runs = tuple(runs)
    has_rows = [len(pd.read_csv(run.folder / "metrics.tsv", sep="\t", nrows=1)) > 0 for run in runs]
    return (
        tuple(run for run, scored in zip(runs, has_rows) if scored),
        tuple(run for run, scored in zip(runs, has_rows) if not scored),
    )


def task_page(study: Study, task: str) -> str:
    """Return the page of a task: that of its kind, or one that says why there is nothing to show."""
    own = tuple(run for run in study.unscored if run.task == task)
    if task not in study.tasks and own:
        return unscored_page(study.inputs, own)
    html = study.kinds[task].call("page", study, task) if task in study.tasks else None
    return html or render("nothing.html", study=study, task=task, runs=len(study.runs(task)))


def unscored_page(inputs: ReportInputs, runs: tuple[RunFolder, ...]) -> str:
    """Return the page of runs whose targets are not known, with the files they left."""
    provenance = read_json(inputs.provenance)
    header = {"title": inputs.title or inputs.study, "simulated": provenance.get("simulated")}
    folders = [run.folder.relative_to(inputs.results) for run in runs]
    notes = dict.fromkeys(kind.unscored for kind in kinds_of(runs).values() if kind.unscored)
    return render("unscored.html", study=header, folders=folders, notes=list(notes))

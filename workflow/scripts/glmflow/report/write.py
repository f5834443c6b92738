"""Write the report of a study."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from glmflow.files import atomic_path

from .context_page import context_page
from .figures import write_figures
from .index_page import index_page
from .inputs import ReportInputs, RunFolder, read_json
from .models_page import models_page
from .page import render
from .personal_page import personal_page
from .study import Study
from .tables import optional_table
from .tracks_page import TracksPage, tracks_pages

LARGE_TABLE = 100_000  # rows; longer tables are compressed


def write_report(inputs: ReportInputs, output: str | Path) -> None:
    """Write the pages, `data/` and `figures/` into the folder `output`, replacing what was there.

    Runs without any score, as where nobody's target is known, are left out; where none has one, the pages say so.

    `index.html` and `models.html` are always there, `tracks.html` where the study has signals, `tracks.{task}.html` for
    further tasks with tracks, `personal.html` and `context.html` where a task is of personal expression or of context.

    The pages hold all they need (scripts, styles, data) and open by double click without a network.

    Raises
    ------
    InputError
        Where a table lacks a column, or the headline metric was not computed.
    """
    scored, unscored = split_scored(inputs.runs)
    if not scored:
        with atomic_path(output) as folder:
            folder.mkdir()
            further = {"tracks": bool(inputs.tracks), "personal": any(map(is_personal, unscored))}
            for name in ("index", "models", *(name for name, there in further.items() if there)):
                write_unscored(inputs, unscored, folder / f"{name}.html")
        return
    study = Study(replace(inputs, runs=scored))
    pages = tracks_pages(study)
    personal = personal_page(study)
    with atomic_path(output) as folder:
        write_data(study, pages, folder / "data")
        figures = write_figures(study, pages, folder / "figures")
        for task in inputs.contexts[:1]:
            (folder / "context.html").write_text(context_page(study, task), encoding="utf-8")
        (folder / "models.html").write_text(models_page(study), encoding="utf-8")
        if personal:
            (folder / "personal.html").write_text(personal, encoding="utf-8")
        elif any(map(is_personal, unscored)):
            write_unscored(inputs, unscored, folder / "personal.html")
        for page in pages.values():
            (folder / page.file).write_text(page.html, encoding="utf-8")
        data_files = sorted(path.name for path in (folder / "data").iterdir())
        index = index_page(study, pages, figures, data_files, (folder / "personal.html").exists())
        (folder / "index.html").write_text(index, encoding="utf-8")


def split_scored(runs: tuple[RunFolder, ...]) -> tuple[tuple[RunFolder, ...], tuple[RunFolder, ...]]:
    """Return the runs that have a score, and those whose table of metrics is empty."""
    has_rows = [len(pd.read_csv(run.folder / "metrics.tsv", sep="\t", nrows=1)) > 0 for run in runs]
    return (
        tuple(run for run, scored in zip(runs, has_rows) if scored),
        tuple(run for run, scored in zip(runs, has_rows) if not scored),
    )


def is_personal(run: RunFolder) -> bool:
    """Whether a run is of personal expression, whose scores are a page of their own."""
    return (run.settings.get("task") or {}).get("kind") == "snp2gex"


def write_unscored(inputs: ReportInputs, runs: tuple[RunFolder, ...], path: Path) -> None:
    """Write the page of runs that predicted what nobody knows, with the files they left."""
    provenance = read_json(inputs.provenance)
    header = {"title": inputs.title or inputs.study, "simulated": provenance.get("simulated")}
    folders = [run.folder.relative_to(inputs.results) for run in runs]
    path.write_text(render("unscored.html", study=header, folders=folders), encoding="utf-8")


def write_data(study: Study, pages: dict[str, TracksPage], folder: Path) -> None:
    """Write the table behind every figure."""
    folder.mkdir(parents=True)
    tables = {
        "metrics": study.metrics,
        "summary": study.summary.drop(columns=["key", "mark"]),
        "leaderboard": pd.concat(study.cells.values()).drop(columns=["key", "mark"]),
        "costs": study.costs.drop(columns="key"),
        "training": study.curves.drop(columns=["key", "shown", "above"]),
        "genes": study.genes.drop(columns="key"),
        "tracks": study.statistics,
        "replicates": study.replicates,
        "windows": study.windows,
        "leakage": study.leakage,
        "personal": study.personal.drop(columns=["key", "twin", "kin"]),
        "counts": study.counts,
        "checks": study.checks,
        "variants": study.variants,
        "pretraining": study.pretraining,
        "warnings": study.warnings,
        **{f"context.{task}": optional_table(path) for task, path in study.inputs.comparisons.items()},
        "browser_regions": pd.DataFrame(
            [(task, *region) for task, page in pages.items() for region in page.regions],
            columns=["task", "chrom", "start", "end"],
        ),
    }
    for name, table in tables.items():
        if len(table):
            large = len(table) > LARGE_TABLE
            path = folder / (f"{name}.tsv.gz" if large else f"{name}.tsv")
            compression = {"method": "gzip", "mtime": 0} if large else None
            table.to_csv(path, sep="\t", index=False, float_format="%.6g", compression=compression)
    if study.provenance:
        (folder / "provenance.json").write_text(json.dumps(study.provenance, indent=1, ensure_ascii=False) + "\n")

"""Write the report of a study."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from glmflow.files import atomic_path

from .context_page import context_page
from .figures import write_figures
from .index_page import index_page
from .inputs import ReportInputs
from .models_page import models_page
from .personal_page import personal_page
from .study import Study, read_table
from .tracks_page import TracksPage, tracks_page

LARGE_TABLE = 100_000  # rows; longer tables are compressed


def write_report(inputs: ReportInputs, output: str | Path) -> None:
    """Write the pages, `data/` and `figures/` into the folder `output`, replacing what was there.

    `index.html`, `tracks.html` and `models.html` are always there, `context.html` where a task measures context.

    The pages hold all they need (scripts, styles, data) and open by double click without a network.

    Raises
    ------
    InputError
        Where a table lacks a column, or the headline metric was not computed.
    """
    study = Study(inputs)
    browser = tracks_page(study)
    personal = personal_page(study)
    with atomic_path(output) as folder:
        write_data(study, browser, folder / "data")
        figures = write_figures(study, browser, folder / "figures")
        index = index_page(
            study, set(browser.genes["gene_id"]), figures, sorted(p.name for p in (folder / "data").iterdir())
        )
        for task in inputs.contexts[:1]:
            (folder / "context.html").write_text(context_page(study, task), encoding="utf-8")
        (folder / "models.html").write_text(models_page(study), encoding="utf-8")
        if personal:
            (folder / "personal.html").write_text(personal, encoding="utf-8")
        (folder / "tracks.html").write_text(browser.html, encoding="utf-8")
        (folder / "index.html").write_text(index, encoding="utf-8")


def write_data(study: Study, browser: TracksPage, folder: Path) -> None:
    """Write the table behind every figure."""
    folder.mkdir(parents=True)
    tables = {
        "metrics": study.metrics,
        "summary": study.summary.drop(columns="key"),
        "leaderboard": pd.concat(study.cells.values()).drop(columns="key"),
        "costs": study.costs.drop(columns="key"),
        "training": study.curves.drop(columns="key"),
        "genes": study.genes.drop(columns="key"),
        "tracks": study.statistics,
        "replicates": study.replicates,
        "windows": study.windows,
        "leakage": study.leakage,
        "personal": study.personal.drop(columns=["key", "twin"]),
        "counts": study.counts,
        "checks": study.checks,
        "variants": study.variants,
        "warnings": study.warnings,
        **{f"context.{task}": read_table(path) for task, path in study.inputs.comparisons.items()},
        "browser_regions": pd.DataFrame(browser.regions, columns=["chrom", "start", "end"]),
    }
    for name, table in tables.items():
        if len(table):
            large = len(table) > LARGE_TABLE
            path = folder / (f"{name}.tsv.gz" if large else f"{name}.tsv")
            compression = {"method": "gzip", "mtime": 0} if large else None
            table.to_csv(path, sep="\t", index=False, float_format="%.6g", compression=compression)
    if study.provenance:
        (folder / "provenance.json").write_text(json.dumps(study.provenance, indent=1, ensure_ascii=False) + "\n")

"""What the report says of tasks with signals along the genome."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glmflow.report.kinds import Section
from glmflow.report.run_folder import RunFolder
from glmflow.report.run_tables import optional_table
from glmflow.report.search_index import Findable
from glmflow.report.signals import index_sections
from glmflow.report.signals.browser_page import BrowserPage, browser_page, gene_links
from glmflow.report.signals.gene_tables import read_genes
from glmflow.report.signals.signal_figures import gene_figure, track_figure
from glmflow.report.signals.signal_words import LEVELS as LEVELS
from glmflow.report.signals.signal_words import LOGGED as LOGGED
from glmflow.report.signals.signal_words import METRICS as METRICS
from glmflow.report.study_tables import Study

HEADLINE = ("base_log1p_pearson", "base_pearson", "gene_log1p_pearson", "gene_pearson")
FURTHER = ("gene_log1p_pearson", "fold_change_pearson")
LINK = "Genome browser"
FINDABLE = {"genes": Findable("gene", "gene_name", "gene={gene_id}", "gene_id")}


def page(study: Study, task: str) -> str | None:
    """Return the genome browser of a task; None if no run has predicted tracks and scored genes."""
    found = study.once(_browser, task)
    return found.html if found else None


def _browser(study: Study, task: str) -> BrowserPage | None:
    return browser_page(study, task, "rnaseq_tracks.html")


def figures(study: Study, task: str) -> dict:
    """Return the figures of genes and of signals around one of them."""
    return {"genes": gene_figure(study, task), "tracks": track_figure(study, task, study.once(_browser, task))}


def sections(study: Study, tasks: Sequence[str]) -> list[Section]:
    """Return what the index page shows: genes, windows, tracks and replicates."""
    links = {task: gene_links(study, task, study.once(_browser, task)) for task in tasks}
    return [
        index_sections.gene_section(study, tasks, links, "rnaseq_tracks.genes.html"),
        index_sections.window_section(study, tasks, "rnaseq_tracks.windows.html"),
        index_sections.track_section(study, "rnaseq_tracks.signals.html"),
    ]


def tables(study: Study, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the tables of `data/`: genes, tracks, replicates, and the regions of the genome browser."""
    pages = {task: study.once(_browser, task) for task in tasks}
    regions = [(task, *region) for task, found in pages.items() if found for region in found.regions]
    return {
        "genes": study.once(read_genes, *tasks).drop(columns="key"),
        "tracks": optional_table(study.inputs.track_statistics),
        "replicates": optional_table(study.inputs.replicates),
        "browser_regions": pd.DataFrame(regions, columns=["task", "chrom", "start", "end"]),
    }


def warnings(study: Study, tasks: Sequence[str]) -> list[tuple[str, str]]:
    """Return what the tracks warn of, as (where, sentence)."""
    return list(index_sections.track_warnings(study))


def trained_bases(run: RunFolder) -> int | None:
    """Return the bases of sequence that a run was fitted on, each counted as often as it was seen; None if not known."""
    training = (run.settings.get("adaptation") or {}).get("train") or {}
    length = training.get("crop") or (run.task_settings.get("windows") or {}).get("size")
    updates = run.cost.get("updates")
    return updates * training["batch"] * length if length and updates and training.get("batch") else None

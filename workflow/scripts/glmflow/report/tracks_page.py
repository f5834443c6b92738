"""The genome browser page: true and predicted signals around held-out genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from glmflow.errors import InputError

from . import browser
from .inputs import BASELINES
from .page import datatables, embed, igv, records, render
from .palette import TRUTH
from .study import Study
from .tables import optional_table

FIRST = "tracks.html"


@dataclass(frozen=True)
class TracksPage:
    """The page and the name of its file, the genes it shows and the regions it holds."""

    html: str
    file: str
    genes: pd.DataFrame
    regions: list[browser.Region]


def tracks_pages(study: Study) -> dict[str, TracksPage]:
    """Return a page for each task with predicted tracks and scored genes; where there is none, one that says so.

    A study without signals has no page.
    """
    inputs = study.inputs
    if not inputs.tracks:
        return {}
    scored = set(study.genes["task"]) if len(study.genes) else set()
    tasks = [task for task in study.tasks if task in scored and browser.shown_runs(inputs.runs, task)]
    if not tasks:
        reason = "no run has predicted tracks and scored genes"
        html = render("tracks.html", study=study, missing=reason, task="", files={})
        return {"": TracksPage(html, FIRST, pd.DataFrame({"gene_id": []}), [])}
    files = {task: f"tracks.{task}.html" if place else FIRST for place, task in enumerate(tasks)}
    return {task: tracks_page(study, task, files) for task in tasks}


def tracks_page(study: Study, task: str, files: dict[str, str]) -> TracksPage:
    """Return the page of a task; `files` are those of all tasks that have one."""
    inputs = study.inputs
    runs = browser.shown_runs(inputs.runs, task)
    contigs = browser.contig_lengths(inputs)
    candidates = gene_errors(study, task)
    check_genes(candidates, contigs)
    chosen = browser.choose_genes(candidates[candidates["chrom"].isin(contigs)], inputs.genes_first, inputs.n_genes)
    not_scored = browser.not_among(candidates, inputs.genes_first)
    regions = browser.regions_around(chosen, contigs)
    predicted = {
        run.name: {name: path for name, path in run.predicted.items() if name in inputs.tracks} for run in runs
    }
    slices = browser.slice_signals(inputs.tracks, predicted, regions, contigs)
    data = page_data(study, task, chosen, slices) | {
        "fasta": browser.slice_sequence(inputs.genome, regions, contigs),
        "features": browser.gene_features(
            optional_table(inputs.genes) if inputs.genes else chosen, optional_table(inputs.exons), regions
        ),
    }
    html = render(
        "tracks.html", study=study, missing="", task=task, files=files, not_scored=not_scored, leader=study.leader(task),
        bin=slices.bin,
        seeds=sorted({run.seed for run in runs}), tables=datatables(), igv=igv(), data=embed(data),
    )  # fmt: skip
    return TracksPage(html, files[task], chosen, regions)


def check_genes(genes: pd.DataFrame, contigs: dict[str, int]) -> None:
    """Refuse genes that end past their contig: the runs were scored on another genome than the tracks lie on."""
    beyond = genes[genes["end"] > genes["chrom"].map(contigs)]
    if len(beyond):
        gene = beyond.iloc[0]
        raise InputError(
            f"gene {gene['gene_id']} ends at {gene['end']:,}, past the end of {gene['chrom']} in the tracks",
            where="genes.tsv",
            mend="The runs were scored on another genome: score them again.",
        )


def gene_errors(study: Study, task: str) -> pd.DataFrame:
    """Return one row a held-out gene: largest observed signal, and the leading run's error of log1p over its tracks."""
    genes = study.genes[study.genes["task"] == task]
    leading = genes[genes["label"] == study.leader(task)]
    genes = leading if len(leading) else genes
    held_out = genes[genes["split"] == study.inputs.split]
    genes = held_out if len(held_out) else genes
    error = np.log1p(genes["predicted"].clip(lower=0)) - np.log1p(genes["observed"].clip(lower=0))
    keys = ["gene_id", "gene_name", "chrom", "start", "end", "strand", "split"]
    return (
        genes.assign(error=error.abs())
        .groupby(keys, as_index=False)
        .agg(observed=("observed", "max"), error=("error", "mean"))
    )


def page_data(study: Study, task: str, chosen: pd.DataFrame, slices: browser.Slices) -> dict[str, Any]:
    """Return what the page's script needs, but for the reference."""
    labels = dict(zip(study.costs["key"], study.costs["label"]))
    values = study.genes[study.genes["gene_id"].isin(chosen["gene_id"]) & (study.genes["task"] == task)]
    rank = {label: place for place, label in enumerate(study.labels)}
    described = study.statistics.set_index("track") if len(study.statistics) else pd.DataFrame()
    return {
        "genes": records(chosen[["gene_id", "gene_name", "chrom", "start", "end", "strand", "split"]]),
        "values": records(values[["gene_id", "label", "track", "observed", "predicted"]]),
        "tracks": [
            {
                "name": name,
                "strand": str(described["strand"].get(name, "")) if "strand" in described else "",
                "true": uri,
            }
            for name, uri in slices.true.items()
        ],
        "runs": [
            {"label": labels["/".join(name)], "colour": study.colours[name[1]], "predicted": uris}
            for name, uris in sorted(slices.predicted.items(), key=lambda item: rank[labels["/".join(item[0])]])
        ],
        "first": first_runs(study, task),
        "truth": TRUTH,
    }


def first_runs(study: Study, task: str) -> list[str]:
    """Return the labels of the runs that are shown at first: the leading one and, where it is a baseline, the best model."""
    cell = study.cells[task]
    models = cell.loc[~cell["origin"].isin(BASELINES), "label"]
    return list(dict.fromkeys([study.leader(task), *models[:1]]))

"""The genome browser page: true and predicted signals around held-out genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from glmflow.errors import InputError
from glmflow.report.palette import TRUTH
from glmflow.report.rendering import datatables, embed, igv, records, render
from glmflow.report.run_folder import BASELINES
from glmflow.report.run_tables import optional_table
from glmflow.report.study_tables import Study

from . import gene_regions as around
from .gene_tables import gene_errors, read_genes
from .signal_slices import Region, Slices, contig_lengths, slice_signals

PAGE_SIZE = 5_980_000
"""Characters of a page: what the rest leaves of them is the signals', which get coarser until they fit."""


@dataclass(frozen=True)
class BrowserPage:
    """The page, the genes it shows and the regions it holds."""

    html: str
    genes: pd.DataFrame
    regions: list[Region]


def browser_page(study: Study, task: str, template: str) -> BrowserPage | None:
    """Return the page of a task, filled into a template; None if no run has predicted tracks and scored genes."""
    inputs = study.inputs
    runs = around.shown_runs(study.runs(task))
    if not inputs.tracks or not runs or study.once(read_genes, task).empty:
        return None
    contigs = contig_lengths(next(iter(inputs.tracks.values())))
    candidates = gene_errors(study, task)
    check_genes(candidates, contigs)
    chosen = around.choose_genes(candidates[candidates["chrom"].isin(contigs)], inputs.genes_first, inputs.n_genes)
    not_scored = around.not_among(candidates, inputs.genes_first)
    regions = around.regions_around(chosen, contigs)
    predicted = {
        run.name: {name: path for name, path in around.predicted_tracks(run).items() if name in inputs.tracks}
        for run in runs
    }
    known = {
        "fasta": around.slice_sequence(inputs.genome, regions, contigs),
        "features": around.gene_features(
            optional_table(inputs.genes) if inputs.genes else chosen, optional_table(inputs.exons), regions
        ),
    }

    def filled(slices: Slices) -> str:
        return render(
            template, study=study, task=task, files={other: study.pages[other] for other in study.like(task)},
            not_scored=not_scored, leader=study.leader(task), bin=slices.bin, seeds=sorted({run.seed for run in runs}),
            tables=datatables(), igv=igv(), data=embed(page_data(study, task, chosen, slices) | known),
        )  # fmt: skip

    empty = Slices(1, dict.fromkeys(inputs.tracks, ""), {run: dict.fromkeys(own, "") for run, own in predicted.items()})
    room = PAGE_SIZE - len(filled(empty))
    return BrowserPage(filled(slice_signals(inputs.tracks, predicted, regions, contigs, room)), chosen, regions)


def gene_links(study: Study, task: str, page: BrowserPage | None) -> dict[str, str]:
    """Return the address of each gene that a task's page shows, by id."""
    return {gene: f"{study.pages[task]}#gene={quote(gene)}" for gene in page.genes["gene_id"]} if page else {}


def check_genes(genes: pd.DataFrame, contigs: dict[str, int]) -> None:
    """Refuse genes that end past their contig (`InputError`): the runs were scored on another genome than that of the tracks."""
    beyond = genes[genes["end"] > genes["chrom"].map(contigs)]
    if len(beyond):
        gene = beyond.iloc[0]
        raise InputError(
            f"gene {gene['gene_id']} ends at {gene['end']:,}, past the end of {gene['chrom']} in the tracks",
            where="genes.tsv",
            fix="The runs were scored on another genome: score them again.",
        )


def page_data(study: Study, task: str, chosen: pd.DataFrame, slices: Slices) -> dict[str, Any]:
    """Return what the page's script needs, but for the reference."""
    labels = dict(zip(study.costs["key"], study.costs["label"]))
    genes = study.once(read_genes, task)
    values = genes[genes["gene_id"].isin(chosen["gene_id"])]
    rank = {label: place for place, label in enumerate(study.labels)}
    statistics = optional_table(study.inputs.track_statistics)
    described = statistics.set_index("track") if len(statistics) else pd.DataFrame()
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
    """Return the labels of the runs that are shown at first: the leading one and, if it is a baseline, the best model."""
    cell = study.cells[task]
    models = cell.loc[~cell["origin"].isin(BASELINES), "label"]
    return list(dict.fromkeys([study.leader(task), *models[:1]]))

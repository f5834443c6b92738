"""Figures of signals for papers: genes observed and predicted, and signals around one gene."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from glmflow.report.figures import Drawing
from glmflow.report.palette import TRUTH
from glmflow.report.study_tables import Study

from . import gene_regions as around
from .browser_page import BrowserPage
from .gene_tables import read_genes
from .signal_slices import binned_signals

PANELS = 6
"""Runs that a figure of genes has panels for."""


def gene_figure(study: Study, task: str) -> Drawing | None:
    """Return predicted against observed signal of the held-out genes, a panel a run, in the order of the leaderboard."""
    table = study.once(read_genes, task)
    table = table[table["split"] == study.inputs.split]
    order = [label for label in study.cells[task]["label"] if label in set(table["label"])][:PANELS]
    if not order:
        return None
    columns = min(3, len(order))
    lines = -(-len(order) // columns)
    figure, grid = plt.subplots(
        lines, columns, figsize=(2.1 * columns, 2.2 * lines), sharex=True, sharey=True, squeeze=False
    )
    for panel in grid.flat[len(order) :]:
        panel.set_visible(False)
    for panel, label in zip(grid.flat, order):
        rows = table[table["label"] == label]
        x, y = (np.log10(1 + rows[side].clip(lower=0)) for side in ("observed", "predicted"))
        colour = study.colours[rows["model"].iloc[0]]
        panel.scatter(x, y, s=5, alpha=0.5, lw=0, color=colour, rasterized=len(rows) > 2000)
        panel.axline((0, 0), slope=1, color="#8a93a0", lw=0.7, ls="--")
        panel.set_title(label)
    figure.supxlabel("observed, log10(1 + signal)", fontsize=8)
    figure.supylabel("predicted, log10(1 + signal)", fontsize=8)
    drawn = table[table["label"].isin(order)]
    return Drawing(figure, drawn[["label", "track", "gene_id", "gene_name", "observed", "predicted"]])


def track_figure(study: Study, task: str, page: BrowserPage | None) -> Drawing | None:
    """Return the true signal and the three best runs' around the shown gene of median error, on the gene's own tracks."""
    runs = {run.name: run for run in around.shown_runs(study.runs(task))}
    cell = study.cells[task]
    best = [run for run in zip(cell["task"], cell["model"], cell["adaptation"]) if run in runs]
    if page is None or page.genes.empty or not best:
        return None
    ordered = page.genes.sort_values(["error", "gene_id"])
    gene = ordered.iloc[len(ordered) // 2]
    genes = study.once(read_genes, task)
    own = set(genes.loc[genes["gene_id"] == gene["gene_id"], "track"])
    names = [name for name in study.inputs.tracks if name in own][:4]
    best = [run for run in best if set(names) <= set(around.predicted_tracks(runs[run]))][:3]
    if not names or not best:
        return None
    region = next(r for r in page.regions if r[0] == gene["chrom"] and r[1] <= gene["start"] < r[2])
    width = max(1, (region[2] - region[1]) // 800)
    figure, grid = plt.subplots(
        1 + len(best), len(names), figsize=(2.6 * len(names) + 0.8, 0.85 * (1 + len(best)) + 0.6),
        sharex=True, sharey="col", squeeze=False,
    )  # fmt: skip
    starts = np.arange(region[1], region[2], width)
    x, values = starts / 1000, []
    labels = study.labels_by_name
    for column, name in enumerate(names):
        lines = [("observed", TRUTH, study.inputs.tracks[name])]
        lines += [(labels[run], study.colours[run[1]], around.predicted_tracks(runs[run])[name]) for run in best]
        for panel, (label, colour, path) in zip(grid[:, column], lines):
            (signal,) = binned_signals(path, [region], width)
            place = {"track": name, "label": label, "chrom": region[0], "start": starts, "bases": width}
            values.append(pd.DataFrame({**place, "signal": signal}))
            panel.fill_between(x, signal, color=colour, lw=0, step="post")
            panel.axvspan(gene["start"] / 1000, gene["end"] / 1000, color="#8a93a0", alpha=0.12, lw=0)
            if column == 0:
                panel.set_ylabel(label, rotation=0, ha="right", va="center")
        grid[0, column].set_title(name)
    figure.supxlabel(f"{gene['chrom']} (kb); grey: {gene['gene_name']} ({gene['strand']})", fontsize=8)
    return Drawing(figure, pd.concat(values, ignore_index=True))

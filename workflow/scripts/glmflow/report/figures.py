"""Static figures for papers, as PNG and SVG."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyBigWig
from matplotlib.figure import Figure

from . import browser
from .inputs import BASELINES
from .metrics import describe
from .palette import TRUTH
from .study import Study
from .tracks_page import TracksPage

STYLE = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.titlesize": 8,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "glmflow",
    "savefig.dpi": 200,
}
PANELS = 6


def write_figures(study: Study, pages: dict[str, TracksPage], folder: Path) -> list[str]:
    """Draw what there are data for and return the names of the figures, each written as `{name}.png` and `{name}.svg`."""
    folder.mkdir(parents=True)
    names = []
    with plt.rc_context(STYLE):
        for task in study.tasks:
            drawn = {
                "leaderboard": leaderboard(study, task),
                "training": training(study, task),
                "genes": genes(study, task),
                "tracks": tracks(study, pages[task], task) if task in pages else None,
            }
            for name, figure in drawn.items():
                if figure is not None:
                    _save(figure, folder / f"{name}.{task}" if len(study.tasks) > 1 else folder / name)
                    names.append(f"{name}.{task}" if len(study.tasks) > 1 else name)
    return names


def leaderboard(study: Study, task: str) -> Figure:
    """Draw the headline metric of every run with its interval; open diamonds are baselines, a star is told the genes."""
    rows = study.cells[task].iloc[::-1]
    figure, axes = plt.subplots(figsize=(5, 0.6 + 0.28 * len(rows)))
    for place, row in enumerate(rows.itertuples()):
        colour, filled = study.colours[row.model], row.origin not in BASELINES
        mark, size = {"baseline": ("D", 5), "told": ("*", 8)}.get(row.origin, ("o", 5))
        axes.plot([row.ci_low, row.ci_high], [place, place], color=colour, lw=1.6, solid_capstyle="round")
        axes.plot(row.value, place, mark, ms=size, color=colour, mfc=colour if filled else "white")
    axes.set_yticks(range(len(rows)), rows["label"])
    axes.set_xlabel(f"{describe(study.headlines[task]).title} ({rows['split'].iloc[0]} split)")
    axes.grid(axis="x", color="#e6e9ee", lw=0.7)
    axes.set_axisbelow(True)
    return figure


def training(study: Study, task: str) -> Figure | None:
    """Draw the training loss of every run, a line a seed; triangles at the upper edge stand for higher values."""
    curves = study.curves[(study.curves["task"] == task) & (study.curves["quantity"] == "loss")]
    if curves.empty:
        return None
    figure, axes = plt.subplots(figsize=(5, 3))
    styles = dict(zip(dict.fromkeys(curves["adaptation"]), ["-", "--", ":", "-."] * 9))
    for (label, _), line in curves.groupby(["label", "seed"], sort=False):
        first = line.iloc[0]
        known = label in axes.get_legend_handles_labels()[1]
        axes.plot(
            line["step"], line["shown"], styles[first["adaptation"]], color=study.colours[first["model"]],
            lw=1, label=None if known else label,
        )  # fmt: skip
        above = line[line["above"]]
        axes.plot(above["step"], above["shown"], "^", color=study.colours[first["model"]], ms=4, clip_on=False)
    axes.set(xlabel="step", ylabel="training loss")
    axes.legend(frameon=False, fontsize=7)
    return figure


def genes(study: Study, task: str) -> Figure | None:
    """Draw predicted against observed signal of the held-out genes, a panel a run, in the order of the leaderboard."""
    table = study.genes[(study.genes["task"] == task) & (study.genes["split"] == study.inputs.split)]
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
        panel.scatter(
            x,
            y,
            s=5,
            alpha=0.5,
            lw=0,
            color=study.colours[rows["model"].iloc[0]],
            rasterized=len(rows) > 2000,
        )
        panel.axline((0, 0), slope=1, color="#8a93a0", lw=0.7, ls="--")
        panel.set_title(label)
    figure.supxlabel("observed, log10(1 + signal)", fontsize=8)
    figure.supylabel("predicted, log10(1 + signal)", fontsize=8)
    return figure


def tracks(study: Study, page: TracksPage, task: str) -> Figure | None:
    """Draw the true signal and the three best runs' around the shown gene of median error, on the gene's own tracks."""
    runs = {run.name: run for run in browser.shown_runs(study.inputs.runs, task)}
    cell = study.cells[task]
    best = [run for run in zip(cell["task"], cell["model"], cell["adaptation"]) if run in runs][:3]
    if page.genes.empty or not best:
        return None
    ordered = page.genes.sort_values(["error", "gene_id"])
    gene = ordered.iloc[len(ordered) // 2]
    shown = study.genes[(study.genes["gene_id"] == gene["gene_id"]) & (study.genes["task"] == task)]
    names = [name for name in study.inputs.tracks if name in set(shown["track"])][:4]
    region = next(r for r in page.regions if r[0] == gene["chrom"] and r[1] <= gene["start"] < r[2])
    width = max(1, (region[2] - region[1]) // 800)
    figure, grid = plt.subplots(
        1 + len(best), len(names), figsize=(2.6 * len(names) + 0.8, 0.85 * (1 + len(best)) + 0.6),
        sharex=True, sharey="col", squeeze=False,
    )  # fmt: skip
    x = np.arange(region[1], region[2], width) / 1000
    for column, name in enumerate(names):
        lines = [("observed", TRUTH, study.inputs.tracks[name])]
        lines += [(_label(study, run), study.colours[run[1]], runs[run].predicted[name]) for run in best]
        for panel, (label, colour, path) in zip(grid[:, column], lines):
            with pyBigWig.open(str(path)) as bigwig:
                panel.fill_between(x, browser.binned_signal(bigwig, region, width), color=colour, lw=0, step="post")
            panel.axvspan(gene["start"] / 1000, gene["end"] / 1000, color="#8a93a0", alpha=0.12, lw=0)
            if column == 0:
                panel.set_ylabel(label, rotation=0, ha="right", va="center")
        grid[0, column].set_title(name)
    figure.supxlabel(f"{gene['chrom']} (kb); grey: {gene['gene_name']} ({gene['strand']})", fontsize=8)
    return figure


def _label(study: Study, run: browser.RunName) -> str:
    return pd.Series(study.costs["label"].values, index=study.costs["key"])["/".join(run)]


def _save(figure: Figure, stem: Path) -> None:
    """Write a figure as PNG and SVG, the same bytes for the same data."""
    figure.savefig(f"{stem}.png")
    figure.set_layout_engine("none")  # the layout that was found holds for the SVG too
    figure.savefig(f"{stem}.svg", metadata={"Date": None})
    plt.close(figure)

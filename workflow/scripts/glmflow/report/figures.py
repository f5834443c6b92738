"""Static figures for papers, as PNG and SVG, each with its values as TSV."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from glmflow.files import write_table

from .run_folder import BASELINES
from .study_tables import Study

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


class Drawing(NamedTuple):
    """A figure, and the values that it draws."""

    figure: Figure
    values: pd.DataFrame


def write_figures(study: Study, folder: Path) -> list[str]:
    """Draw what there are data for and return the names of the figures, each written as `{name}.png`, `.svg` and `.tsv`."""
    folder.mkdir(parents=True)
    names = []
    with plt.rc_context(STYLE):
        for task in study.tasks:
            drawn = {"leaderboard": leaderboard(study, task), "training": training(study, task)}
            drawn |= study.kinds[task].call("figures", study, task, default={})
            for name, drawing in drawn.items():
                if drawing is not None:
                    name = f"{name}.{task}" if len(study.tasks) > 1 else name
                    _save(drawing.figure, folder / name)
                    write_table(drawing.values, folder / f"{name}.tsv")
                    names.append(name)
    return names


def leaderboard(study: Study, task: str) -> Drawing:
    """Return the headline metric of every run with its interval; diamonds are baselines, stars those that are given more."""
    rows = study.cells[task].iloc[::-1]
    figure, axes = plt.subplots(figsize=(5, 0.6 + 0.28 * len(rows)))
    for place, row in enumerate(rows.itertuples()):
        colour, filled = study.colours[row.model], row.origin not in BASELINES
        mark, size = {"baseline": ("D", 5), "informed": ("*", 8)}.get(row.origin, ("o", 5))
        axes.plot([row.ci_low, row.ci_high], [place, place], color=colour, lw=1.6, solid_capstyle="round")
        axes.plot(row.value, place, mark, ms=size, color=colour, mfc=colour if filled else "white")
    axes.set_yticks(range(len(rows)), rows["label"])
    axes.set_xlabel(f"{study.headlines[task].title} ({rows['split'].iloc[0]} split)")
    axes.grid(axis="x", color="#e6e9ee", lw=0.7)
    axes.set_axisbelow(True)
    return Drawing(figure, study.cells[task][["label", "metric", "split", "value", "ci_low", "ci_high", "n"]])


def training(study: Study, task: str) -> Drawing | None:
    """Return the training loss of every run, a line a seed; triangles at the upper edge stand for higher values."""
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
    return Drawing(figure, curves[["label", "seed", "step", "value"]])


def _save(figure: Figure, stem: Path) -> None:
    """Write a figure as PNG and SVG: the same data give the same bytes."""
    figure.savefig(f"{stem}.png")
    figure.set_layout_engine("none")  # the layout that was found holds for the SVG too
    figure.savefig(f"{stem}.svg", metadata={"Date": None})
    plt.close(figure)

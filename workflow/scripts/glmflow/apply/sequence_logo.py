"""Letters drawn as high as they weigh, and the look that pictures of sequences share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from glmflow.files import atomic_path

BASES = "ACGT"
COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.titlesize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "glmflow",
    "savefig.dpi": 200,
}
LETTERED = 150
"""Longest sequence whose bases are written along an axis; along longer ones, positions are."""


def information(probabilities: NDArray) -> NDArray[np.float64]:
    """Return the weights of a logo, `float64[L, 4]`: p (2 - H) with the entropy H in bits; 0 where nothing is known."""
    p = np.nan_to_num(np.asarray(probabilities, np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(p > 0, p * np.log2(p), 0).sum(1)
    return np.where(p.sum(1, keepdims=True) > 0, p * (2 - entropy)[:, None], 0)


@cache
def _glyph(base: str) -> TextPath:
    """Return the outline of a letter in a square of side 1."""
    path = TextPath((0, 0), base, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-box.x0, -box.y0).scale(1 / box.width, 1 / box.height))


def draw_logo(axes: Axes, heights: NDArray, first: int = 0) -> None:
    """Draw letters, stacked by height; negative ones below the axis.

    Parameters
    ----------
    heights
        `[L, 4]`: of A, C, G and T.
    first
        Position of the first base.
    """
    heights = np.nan_to_num(heights)
    for base, letter in enumerate(BASES):
        patches = []
        for place, row in enumerate(heights):
            height = row[base]
            if abs(height) < 1e-9:
                continue
            smaller = (np.abs(row) < abs(height)) | ((np.abs(row) == abs(height)) & (np.arange(4) < base))
            below = row[(row > 0) & smaller].sum() if height > 0 else row[(row < 0) & smaller].sum()
            move = Affine2D().scale(0.92, height).translate(first + place - 0.46, below)
            patches.append(PathPatch(_glyph(letter).transformed(move)))
        axes.add_collection(PatchCollection(patches, facecolor=COLOURS[letter], edgecolor="none"))
    totals = (
        np.where(heights > 0, heights, 0).sum(1).max(initial=0),
        np.where(heights < 0, heights, 0).sum(1).min(initial=0),
    )
    axes.set_xlim(first - 0.5, first + len(heights) - 0.5)
    axes.set_ylim(min(1.05 * totals[1], 0), max(1.05 * totals[0], 1e-6))


def draw_bars(axes: Axes, heights: NDArray, first: int = 0) -> None:
    """Draw what `draw_logo` draws as bars, where there are too many letters to be read."""
    totals = np.nan_to_num(heights).sum(1)
    axes.fill_between(first + np.arange(len(totals)), totals, step="mid", color="#4a4f57", linewidth=0)
    axes.set_xlim(first - 0.5, first + len(totals) - 0.5)
    axes.set_ylim(min(0, 1.05 * totals.min(initial=0)), max(1e-6, 1.05 * totals.max(initial=0)))


def write_letters(axes: Axes, codes: NDArray[np.uint8], which: str = "x", first: int = 0) -> None:
    """Write the bases along an axis, up to `LETTERED` of them; else leave its positions."""
    if len(codes) > LETTERED:
        return
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(first + np.arange(len(codes)), [chr(code) for code in codes])
    axis.set_tick_params(length=0, labelsize=max(2.5, min(7, 700 / max(len(codes), 1))))


def save(figure: Figure, stem: Path, kinds: Sequence[str] = ("png", "svg")) -> None:
    """Write a figure as PNG and SVG."""
    for kind in kinds:
        with atomic_path(stem.with_name(f"{stem.name}.{kind}")) as temporary:
            metadata = {"Date": None} if kind == "svg" else {}
            figure.savefig(temporary, format=kind, metadata=metadata)

"""Pictures of dependency maps: a heat map with logo, profiles and annotation; and one to point at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import altair as alt
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from glmflow.apply.sequence_logo import LETTERED, STYLE, draw_bars, draw_logo, information, save, write_letters
from glmflow.files import atomic_path

from .dependency_maps import DependencyMap
from .map_marks import Mark
from .map_summaries import block_mean, receivers

HOVERED = 300
"""Bases up to which a map is written as a page to point at; beyond, the cells are too many."""
CELLS = 1000
"""Cells of a side that are drawn; longer maps are drawn as means."""
COLOURS = "magma_r"
GREY = "#d5d8dc"


def draw_map(
    found: DependencyMap,
    stem: Path,
    title: str,
    unit: str,
    marks: Sequence[Mark] = (),
    zoom: tuple[int, int] | None = None,
) -> None:
    """Write `{stem}.png` and `{stem}.svg`: map, colour bar, logo above, receiver profile at the side, boxes of marks.

    Parameters
    ----------
    unit
        What a cell is, for the colour bar.
    zoom
        First and last base (excluded) of a panel of its own.
    """
    panels = 2 if zoom else 1
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(7.2 * panels, 7.4), layout="constrained")
        grid = figure.add_gridspec(1, panels)
        top = _colour_top(found)
        _panel(figure, grid[0], found, title, unit, marks, (0, len(found.codes)), top, zoom)
        if zoom:
            _panel(figure, grid[1], found, f"{title}: {zoom[0]}-{zoom[1]}", unit, marks, zoom, top, None)
        save(figure, stem)
        plt.close(figure)


def _colour_top(found: DependencyMap) -> float:
    """Return the value of the darkest colour: all but one of a thousand cells lie below."""
    cells = found.values[np.isfinite(found.values)]
    return max(float(np.percentile(cells, 99.9)), 1e-6) if cells.size else 1.0


def _panel(figure, place, found: DependencyMap, title, unit, marks, span, top, zoom) -> None:
    """Draw one map with what belongs around it."""
    first, last = span
    values = found.values[first:last, first:last]
    step = -(-len(values) // CELLS)
    shown = block_mean(values, step) if step > 1 else values
    inner = place.subgridspec(2, 2, height_ratios=(1, 6), width_ratios=(6, 1))
    main = figure.add_subplot(inner[1, 0])
    colours = plt.get_cmap(COLOURS).with_extremes(bad=GREY)
    edges = (first - 0.5, first - 0.5 + step * len(shown), first - 0.5 + step * len(shown), first - 0.5)
    image = main.imshow(shown, cmap=colours, vmin=0, vmax=top, extent=edges, interpolation="nearest", aspect="auto")
    main.set_xlim(first - 0.5, last - 0.5)
    main.set_ylim(last - 0.5, first - 0.5)
    main.set_xlabel("affected base")
    main.set_ylabel("changed base")
    for which in "xy":
        write_letters(main, found.codes[first:last], which, first)
    logo = figure.add_subplot(inner[0, 0], sharex=main if last - first > LETTERED else None)
    draw = draw_logo if last - first <= LETTERED else draw_bars
    draw(logo, information(found.probabilities[first:last]), first)
    logo.set_title(title)
    logo.set_ylabel("bits")
    logo.tick_params(labelbottom=False)
    side = figure.add_subplot(inner[1, 1])
    side.barh(first + np.arange(last - first), receivers(found.values)[first:last], height=1, color="#4a4f57")
    side.set_ylim(last - 0.5, first - 0.5)
    side.tick_params(labelleft=False)
    side.set_xlabel("dependence\n(mean of column)")
    _boxes(main, marks, span)
    if zoom:
        main.add_patch(
            Rectangle((zoom[0] - 0.5, zoom[0] - 0.5), zoom[1] - zoom[0], zoom[1] - zoom[0], fill=False, ls=":")
        )
    figure.colorbar(image, ax=side, label=unit, fraction=0.5, pad=0.1)


def _boxes(axes: Axes, marks: Sequence[Mark], span: tuple[int, int]) -> None:
    """Draw a box around each mark, with its name."""
    for mark in marks:
        if mark.start >= span[1] or mark.end <= span[0]:
            continue
        size = mark.end - mark.start
        axes.add_patch(Rectangle((mark.start - 0.5,) * 2, size, size, fill=False, color="#0072B2", linewidth=0.9))
        axes.annotate(mark.name, (mark.end - 0.5, mark.start - 0.5), fontsize=6, color="#0072B2", va="bottom")


def hover_page(found: DependencyMap, path: Path, title: str, unit: str) -> None:
    """Write a page with the map, on which a cell tells its bases and value; it needs no network."""
    i, j = np.indices(found.values.shape)
    letters = np.array([chr(code) for code in found.codes])
    table = pd.DataFrame(
        {
            "i": i.reshape(-1),
            "j": j.reshape(-1),
            "changed": letters[i.reshape(-1)],
            "affected": letters[j.reshape(-1)],
            "value": found.values.reshape(-1).round(4),
        }
    )
    side = max(240, min(900, 6 * len(letters)))
    chart = (
        alt.Chart(table, title=title, width=side, height=side)
        .mark_rect()
        .encode(
            alt.X("j:O", title="affected base", axis=alt.Axis(labelOverlap=True)),
            alt.Y("i:O", title="changed base", axis=alt.Axis(labelOverlap=True)),
            alt.Color("value:Q", title=unit, scale=alt.Scale(scheme="magma", reverse=True, domainMin=0)),
            [alt.Tooltip(name) for name in ("i", "changed", "j", "affected", "value")],
        )
    )
    with alt.data_transformers.enable("default", max_rows=None), atomic_path(path) as temporary:
        temporary.write_text(chart.to_html(inline=True))

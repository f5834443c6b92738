"""Tables, tracks, hot spots and pictures of in-silico mutagenesis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from glmflow.apply.sequence_logo import BASES, LETTERED, STYLE, draw_bars, draw_logo, save, write_letters
from glmflow.bigwig.merging import runs_of
from glmflow.bigwig.track_file import write_bigwig
from glmflow.effects.token_rows import BASE
from glmflow.files import atomic_path
from glmflow.genome.annotation import Annotation

from .base_effects import BaseEffects

PERCENTILE = 95
GENE, EXON = "#4a4f57", "#0072B2"


@dataclass(frozen=True)
class Region:
    """A stretch of a contig, 0-based half-open, and what was found there."""

    chrom: str
    start: int
    end: int
    effects: BaseEffects


def mean_effect(scores: NDArray[np.float64], codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return minus the mean of the three changes of each base, `float64[L]`: high where a model likes the base as it is."""
    known = BASE[codes] >= 0
    total = np.where(known, scores.sum(1) / 3, np.nan)  # the base itself adds 0
    return -total


def table_of(region: Region, names: Sequence[str]) -> pd.DataFrame:
    """Return a row a change: `chrom`, `pos` (from 1), `ref`, `alt` and the scores."""
    effects = region.effects
    place, letter = np.nonzero(np.arange(4) != BASE[effects.codes][:, None])
    known = BASE[effects.codes[place]] >= 0
    place, letter = place[known], letter[known]
    table = {
        "chrom": region.chrom,
        "pos": region.start + place + 1,
        "ref": [chr(code) for code in effects.codes[place]],
        "alt": [BASES[one] for one in letter],
    }
    return pd.DataFrame(table | {name: effects.scores[row, place, letter] for row, name in enumerate(names)})


def write_track(
    path: Path,
    contigs: Mapping[str, int],
    pieces: Iterable[tuple[str, int, NDArray[np.float64]]],
    bedgraph: bool = False,
) -> None:
    """Write a bigWig (and a bedGraph beside it) of values a base; bases without a value are left out.

    Parameters
    ----------
    pieces
        Contig, first base and values of neighbouring bases, in the order of the contigs.
    """

    def intervals() -> Iterator[tuple[str, NDArray, NDArray, NDArray]]:
        for chrom, start, values in pieces:
            known = np.flatnonzero(np.isfinite(values))
            found = runs_of(start + known, values[known].astype(np.float32))
            if len(found.starts):
                yield chrom, *found

    some = list(intervals())
    write_bigwig(path, contigs, some)
    if bedgraph:
        with atomic_path(path.with_suffix(".bedgraph")) as temporary, temporary.open("w") as file:
            for chrom, starts, ends, values in some:
                for start, end, value in zip(starts.tolist(), ends.tolist(), values.tolist()):
                    file.write(f"{chrom}\t{start}\t{end}\t{value:.6g}\n")


def hot_spots(region: Region, scores: NDArray[np.float64], name: str) -> pd.DataFrame:
    """Return the runs of bases whose mean effect lies above the region's 95th percentile, the strongest first."""
    mean = mean_effect(scores, region.effects.codes)
    columns = ["chrom", "start", "end", "bases", "score", "mean", "largest"]
    if not np.isfinite(mean).any():
        return pd.DataFrame(columns=columns)
    above = np.nan_to_num(mean, nan=-np.inf) > np.nanpercentile(mean, PERCENTILE)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above.astype(np.int8), [0]])))
    rows = [
        {
            "chrom": region.chrom,
            "start": region.start + first,
            "end": region.start + last,
            "bases": region.effects.codes[first:last].tobytes().decode(),
            "score": name,
            "mean": mean[first:last].mean(),
            "largest": mean[first:last].max(),
        }
        for first, last in edges.reshape(-1, 2)
    ]
    return pd.DataFrame(rows, columns=columns).sort_values("largest", ascending=False, kind="stable")


def draw_region(
    region: Region, scores: NDArray[np.float64], name: str, words: str, annotation: Annotation | None, stem: Path
) -> None:
    """Write `{stem}.png` and `{stem}.svg`: the bases as high as their mean effect, all changes, genes below."""
    effects, first = region.effects, region.start
    L = len(effects.codes)
    mean = mean_effect(scores, effects.codes)
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(max(7.2, min(0.11 * L, 24)), 3.6), layout="constrained")
        ratios = (2, 2, 0.6 if annotation is not None else 0.01)
        top, heat, strip = figure.subplots(3, 1, height_ratios=ratios)
        heights = np.zeros((L, 4))
        known = BASE[effects.codes] >= 0
        heights[known, BASE[effects.codes[known]]] = mean[known]
        (draw_logo if L <= LETTERED else draw_bars)(top, heights, first)
        top.set_title(f"{region.chrom}:{first + 1:,}-{region.end:,}  {words}")
        top.set_ylabel("-mean effect")
        top.tick_params(labelbottom=False)
        _heat_map(figure, heat, scores, effects.codes, first, name)
        _genes(strip, annotation, region)
        save(figure, stem)
        plt.close(figure)


def _heat_map(figure, axes: Axes, scores: NDArray, codes: NDArray, first: int, name: str) -> None:
    """Draw the four changes of each base; the base itself is marked."""
    largest = float(np.nanpercentile(np.abs(scores), 99.5)) if np.isfinite(scores).any() else 1.0
    colours = plt.get_cmap("RdBu").with_extremes(bad="#d5d8dc")
    edges = (first - 0.5, first + len(codes) - 0.5, 3.5, -0.5)
    image = axes.imshow(
        scores.T, cmap=colours, vmin=-max(largest, 1e-6), vmax=max(largest, 1e-6), extent=edges, aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    known = np.flatnonzero(BASE[codes] >= 0)
    axes.plot(first + known, BASE[codes[known]], ".", color="#4a4f57", markersize=max(0.8, min(3, 300 / len(codes))))
    axes.set_yticks(range(4), list(BASES))
    write_letters(axes, codes, "x", first)
    figure.colorbar(image, ax=axes, label=name, pad=0.01)


def _genes(axes: Axes, annotation: Annotation | None, region: Region) -> None:
    """Draw genes as lines and exons as boxes."""
    axes.set_xlim(region.start - 0.5, region.end - 0.5)
    axes.set_ylim(0, 1)
    axes.axis("off")
    if annotation is None:
        return
    here = [
        table[(table["chrom"] == region.chrom) & (table["start"] < region.end) & (table["end"] > region.start)]
        for table in (annotation.genes, annotation.exons)
    ]
    for gene in here[0].itertuples():
        left, right = max(gene.start, region.start), min(gene.end, region.end)
        axes.plot([left - 0.5, right - 0.5], [0.6, 0.6], color=GENE, linewidth=0.8)
        arrow = "→" if gene.strand == "+" else "←"
        axes.text(
            (left + right) / 2, 0.0, f"{gene.gene_name} {arrow}", ha="center", va="bottom", fontsize=6, color=GENE
        )
    for exon in here[1].itertuples():
        left, right = max(exon.start, region.start), min(exon.end, region.end)
        axes.add_patch(Rectangle((left - 0.5, 0.4), right - left, 0.4, color=EXON, linewidth=0))

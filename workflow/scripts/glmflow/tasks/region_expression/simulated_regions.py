"""Regions and expression whose truth is known.

TFs act in all lineages of cells or in one or two. A region is open as a promoter, in some lineages, or where an active pioneer
has its site. What a region drives is its accessibility times what its sites add (activators more, a few repressors less). A
promoter expresses what itself and the regions around it drive, the nearer the more; nothing else is known of a cell: what its
TFs do shows in what is open.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.binding.motif_files import Motif
from glmflow.binding.motif_scan import best_sites
from glmflow.binding.simulated_sites import LETTERS, background, expressed, factors_of, occupied, planted
from glmflow.genome.packed import Packed

CONTIGS = {"chr1": "train", "chr2": "train", "chr3": "validation", "chr4": "test"}
SHARES = (0.35, 0.3, 0.1, 0.25)
SPACING = 50_000
"""Bases between regions."""
NEIGHBOURS = 3
"""Regions on each side that a promoter hears."""
DEPTH = 40
"""Reads of an open region."""
NOISE = 0.08


class SimulatedRegions(NamedTuple):
    """Regions of a simulation.

    Attributes
    ----------
    regions
        `chrom`, `start`, `end`, `split`, in the order of the genome.
    sequences
        Their bases.
    motifs, clusters
        Motifs, and the cluster of each by name.
    cells
        Names of the cells.
    counts
        Reads, `[regions, cells]`.
    promoters
        `[regions, 2]`, by strand.
    expression, truth
        log10(TPM + 1) with and without noise, `[regions, cells, 2]`, 0 where no gene starts.
    """

    regions: pd.DataFrame
    sequences: Packed
    motifs: list[Motif]
    clusters: dict[str, str]
    cells: list[str]
    counts: NDArray[np.int64]
    promoters: NDArray[np.bool_]
    expression: NDArray[np.float32]
    truth: NDArray[np.float32]


def simulate_expression(regions: int, cells: int, tfs: int, width: int, seed: int) -> SimulatedRegions:
    """Return simulated regions with accessibility and expression."""
    rng = np.random.default_rng(seed)
    factors = factors_of(tfs, rng)
    on, table = expressed(cells, [factor.motif.tf for factor in factors], rng)
    promoter = rng.random(regions) < 1 / 3
    codes = planted(background(promoter, width, rng), factors, rng)
    packed = Packed(LETTERS[codes].ravel(), np.arange(regions + 1) * width)
    occupancy = occupied(best_sites(packed, [factor.motif.log_odds() for factor in factors]), factors)
    place = located(regions, width, rng)
    open_ = opened(promoter, occupancy, on, [factor.pioneer for factor in factors], rng)
    effect = np.where(rng.random(tfs) < 0.2, -0.8, 1.0) * rng.gamma(2, 0.5, tfs)
    drive = open_ * (0.3 + occupancy @ effect)[:, None]
    heard = around(np.clip(drive, 0, None), place["chrom"].to_numpy())
    level = np.log1p(heard)  # [regions, cells]
    strands = rng.random((regions, 2)) < 0.55
    promoters = promoter[:, None] & np.where(strands.any(axis=1, keepdims=True), strands, True)
    truth = np.where(promoters[:, None, :], level[:, :, None], 0)
    noisy = np.clip(truth + NOISE * rng.normal(size=truth.shape), 0, None)
    measured = np.where(promoters[:, None, :], noisy, 0)
    return SimulatedRegions(
        regions=place,
        sequences=packed,
        motifs=[factor.motif for factor in factors],
        clusters={factor.motif.name: factor.family for factor in factors},
        cells=table.index.tolist(),
        counts=rng.poisson(DEPTH * open_),
        promoters=promoters,
        expression=measured.astype(np.float32),
        truth=truth.astype(np.float32),
    )


def located(count: int, width: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return where regions lie, in the order of the genome."""
    contig = np.sort(rng.choice(list(CONTIGS), count, p=SHARES))
    number = pd.Series(contig).groupby(contig).cumcount().to_numpy()
    start = (number + 1) * SPACING
    return pd.DataFrame(
        {"chrom": contig, "start": start, "end": start + width, "split": [CONTIGS[name] for name in contig]}
    )


def opened(
    promoter: NDArray[np.bool_],
    occupancy: NDArray[np.float64],
    on: NDArray[np.float64],
    pioneer: list[bool],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return how open regions are in cells, `[regions, cells]`, 0 to 1."""
    lineage = np.arange(len(on)) // 2
    some = (rng.random((len(promoter), lineage[-1] + 1)) < 0.25)[:, lineage]
    before = np.where(promoter[:, None], np.where(some, 0.7, 0.45), np.where(some, 0.5, 0.02))
    own = np.flatnonzero(pioneer)
    sites = occupancy[:, None, own] * on[None, :, own]
    return 1 - (1 - before) * (1 - 0.8 * sites).prod(axis=2)


def around(drive: NDArray[np.float64], chrom: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return what each region hears of itself and its neighbours on the contig, by 1 / (1 + places between them)."""
    heard = drive.copy()
    for apart in range(1, NEIGHBOURS + 1):
        same = (chrom[apart:] == chrom[:-apart])[:, None] / (1 + apart)
        heard[apart:] += same * drive[:-apart]
        heard[:-apart] += same * drive[apart:]
    return heard

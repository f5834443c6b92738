"""Binding whose truth is known.

TFs of a family share a motif; a TF is expressed everywhere or in one or two lineages of cells. Regions hold planted sites,
often with a partner nearby, and a quarter of them are promoters. What no scan sees: some TFs want AT-rich flanks, some a
partner within 50 bp, and a few bind through another one's site. Regions are accessible as promoters, or where an expressed
pioneer has its site. Binding is steep in expression x accessibility x occupancy. Widths of regions are those of merging:
the more keys bind one, the wider it is.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from glmflow.binding.binding_data import BindingData
from glmflow.binding.keys import key_of
from glmflow.binding.motif_scan import BestSites, best_sites
from glmflow.binding.simulated_sites import LETTERS, Tf, background, expressed, factors_of, occupied, planted
from glmflow.genome.packed import Packed

CONTIGS = {"chr19": "train", "chr20": "train", "chr21": "validation", "chr22": "test"}
SHARES = (0.3, 0.35, 0.1, 0.25)
SPACING = 20_000
"""Bases between regions."""
LEAST = 10
"""Regions that a key binds at least; others are not among the keys."""
HILL, HALF = 6, 0.42


def simulate_binding(regions: int, cells: int, tfs: int, width: int, seed: int) -> BindingData:
    """Return simulated binding with its probabilities (`truth`); regions that no key binds are left out."""
    rng = np.random.default_rng(seed)
    factors = factors_of(tfs, rng)
    on, expression = expressed(cells, [factor.motif.tf for factor in factors], rng)
    promoter = rng.random(regions) < 0.25
    codes = planted(background(promoter, width, rng), factors, rng)
    letters = LETTERS[codes].ravel()
    packed = Packed(letters, np.arange(regions + 1) * width)
    sites = best_sites(packed, [factor.motif.log_odds() for factor in factors])
    occupancy = occupied(sites, factors)
    helped = np.stack([cofactor(place, factors, sites, occupancy, codes) for place in range(tfs)], axis=1)
    bound_through = [factor.tethered if factor.tethered >= 0 else place for place, factor in enumerate(factors)]
    effective = (occupancy * helped)[:, bound_through]
    open_ = accessible(promoter, occupancy, on, factors, rng)
    base = 0.06 + 0.12 * promoter[:, None] + 0.85 * effective  # [regions, tfs]
    drive = open_[:, None, :] * on.T[None] * base[:, :, None]  # [regions, tfs, cells]
    probability = drive**HILL / (drive**HILL + HALF**HILL)
    labels = rng.random(probability.shape) < probability
    measured = np.log1p(20 * open_ * rng.lognormal(0, 0.5, open_.shape) + rng.exponential(0.5, open_.shape))
    return assembled(factors, expression, packed, codes, labels, probability, measured, rng)


def cofactor(
    place: int, factors: list[Tf], sites: BestSites, occupancy: NDArray[np.float64], codes: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return what flanks and partner make of a TF's occupancy, `[regions]`, at most 1."""
    factor = factors[place]
    helped = np.ones(len(codes))
    if factor.wants_at:
        around = (
            sites.position[:, place, None]
            + np.r_[np.arange(-10, 0), np.arange(factor.motif.width, factor.motif.width + 10)]
        )
        bases = np.take_along_axis(codes, np.clip(around, 0, codes.shape[1] - 1), axis=1)
        share = np.isin(bases, (0, 3)).mean(axis=1)
        helped *= 0.6 + 0.4 / (1 + np.exp(-15 * (share - 0.6)))
    if factor.partner >= 0:
        near = np.abs(sites.position[:, place] - sites.position[:, factor.partner]) <= 50
        helped *= np.where(near & (occupancy[:, factor.partner] > 0.5), 1.0, 0.75)
    return helped


def accessible(
    promoter: NDArray[np.bool_],
    occupancy: NDArray[np.float64],
    on: NDArray[np.float64],
    factors: list[Tf],
    rng: Generator,
) -> NDArray[np.float64]:
    """Return accessibility of regions in cells, `[regions, cells]`, 0 to 1.

    Promoters are open everywhere, an enhancer in a fifth of the lineages, and any region where an expressed pioneer sits.
    """
    pioneers = [place for place, factor in enumerate(factors) if factor.pioneer]
    lineages = -(-len(on) // 2)
    enhancer = (rng.random((len(promoter), lineages)) < 0.2)[:, np.arange(len(on)) // 2]
    before = np.where(promoter[:, None], 0.6, np.where(enhancer, 0.5, 0.08))
    opened = occupancy[:, None, pioneers] * on[None, :, pioneers]
    return 1 - (1 - before) * (1 - 0.85 * opened).prod(axis=2)


def assembled(factors, expression, packed, codes, labels, probability, measured, rng) -> BindingData:
    """Return the data of the regions that some key binds and the keys that bind some."""
    names, cells = [factor.motif.tf for factor in factors], expression.index.tolist()
    enough = [
        (cell, tf) for cell in range(len(cells)) for tf in range(len(names)) if labels[:, tf, cell].sum() >= LEAST
    ]
    enough.sort(key=lambda pair: key_of(cells[pair[0]], names[pair[1]]))
    keys = pd.DataFrame(
        [(key_of(cells[c], names[t]), cells[c], names[t]) for c, t in enough], columns=["key", "cell", "tf"]
    )
    bound = np.stack([labels[:, tf, cell] for cell, tf in enough])
    used = bound.any(axis=0)
    bound = bound[:, used]
    count = bound.sum(axis=0)
    size = np.rint(180 * (1 + count) ** 0.35 * rng.lognormal(0, 0.25, len(count))).astype(np.int64)
    contig = rng.choice(list(CONTIGS), len(count), p=SHARES)
    order = np.argsort(contig, kind="stable")
    number = pd.Series(contig[order]).groupby(contig[order]).cumcount().to_numpy()
    middle = (number + 1) * SPACING
    texts = [packed.text(row) for row in np.flatnonzero(used)[order]]
    start = middle - size[order] // 2
    columns = {"chrom": contig[order], "start": start, "end": start + size[order], "sequence": texts}
    regions = pd.DataFrame(columns)
    truth = np.stack([probability[:, tf, cell] for cell, tf in enough])[:, used][:, order]
    tfs = sorted(set(keys["tf"]))
    open_ = pd.DataFrame(measured[used][order].T.astype(np.float32), index=pd.Index(cells, name="cell"))
    return BindingData(
        regions=regions,
        keys=keys,
        labels=bound[:, order],
        motifs={factor.motif.tf: [factor.motif] for factor in factors if factor.motif.tf in tfs},
        expression=expression,
        accessibility=open_,
        families={factor.motif.tf: factor.family for factor in factors},
        splits=np.array([CONTIGS[name] for name in contig[order]], object),
        truth=truth.astype(np.float32),
        notes={"regions drawn": len(used), "regions that no key binds": int((~used).sum())},
    )

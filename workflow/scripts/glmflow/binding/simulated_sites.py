"""Regions with planted sites whose truth is known: TFs of families, cells of lineages, sites with partners and flanks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from .motif_files import Motif
from .motif_scan import BestSites, threshold_of

GENES = 400
LETTERS = np.frombuffer(b"ACGT", np.uint8)


class Tf(NamedTuple):
    """A TF: its motif and family, and what its binding depends on beside its site."""

    motif: Motif
    family: str
    wants_at: bool
    partner: int
    tethered: int
    pioneer: bool


def factors_of(count: int, rng: Generator) -> list[Tf]:
    """Return TFs in families of one to four; siblings differ at some positions of their family's motif."""
    families: list[int] = []
    while sum(families) < count:
        families.append(min(int(rng.choice([1, 2, 3, 4], p=[0.45, 0.2, 0.2, 0.15])), count - sum(families)))
    found, names = [], []
    for number, size in enumerate(families):
        width = int(rng.integers(8, 13))
        core = rng.dirichlet([0.12] * 4, width)
        for sibling in range(size):
            share = 0.0 if sibling == 0 else 0.3
            own = (1 - share) * core + share * rng.dirichlet([0.3] * 4, width)
            name = f"TF{number:02d}{'ABCD'[sibling]}"
            names.append((Motif(f"M{number:02d}{sibling}.1", name, np.rint(own * 500) + 0.25), f"F{number:02d}"))
    pioneers = set(rng.choice(count, max(2, count // 7), replace=False).tolist())
    tethered = dict(zip(rng.choice(count, min(4, count // 8), replace=False).tolist(), rng.permutation(count).tolist()))
    for place, (motif, family) in enumerate(names):
        partner = int(rng.integers(count)) if rng.random() < 0.5 else -1
        through = tethered.get(place, -1)
        found.append(
            Tf(motif, family, rng.random() < 0.6, partner, through if through != place else -1, place in pioneers)
        )
    return found


def expressed(cells: int, tfs: list[str], rng: Generator) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Return how far each TF acts in each cell, `[cells, tfs]`, and log1p of expression, cells x genes."""
    lineage = np.arange(cells) // 2
    count = int(lineage[-1]) + 1
    chosen = np.stack([
        np.ones(count, bool) if rng.random() < 0.4 else np.isin(np.arange(count), rng.choice(count, rng.integers(1, 3), False))
        for _ in tfs
    ])  # fmt: skip
    here = chosen[:, lineage].T
    level = np.where(here, rng.normal(3.5, 0.4, here.shape), np.abs(rng.normal(0.3, 0.2, here.shape)))
    marks = rng.normal(0, 1, (count, GENES))[lineage] + rng.normal(0, 0.5, (cells, GENES))
    others = np.clip(2 + marks, 0, None)
    names = [f"cell{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number // 2]}{number % 2 + 1}" for number in range(cells)]
    genes = [*tfs, *(f"GENE{number}" for number in range(GENES))]
    table = pd.DataFrame(np.concatenate([level, others], axis=1), index=pd.Index(names, name="cell"), columns=genes)
    return 1 / (1 + np.exp(-3 * (level - 2))), table


def background(promoter: NDArray[np.bool_], width: int, rng: Generator) -> NDArray[np.uint8]:
    """Return random bases, `[regions, width]`; promoters are rich in G and C."""
    gc = np.where(promoter, 0.62, 0.42) + rng.normal(0, 0.04, len(promoter))
    strong = rng.random((len(promoter), width)) < gc[:, None]
    second = rng.random(strong.shape) < 0.5
    return np.where(strong, np.where(second, 1, 2), np.where(second, 0, 3)).astype(np.uint8)


def planted(codes: NDArray[np.uint8], factors: list[Tf], rng: Generator) -> NDArray[np.uint8]:
    """Plant sites, about five a region, 40 % of those of a TF with a partner with the partner's 2 to 25 bp behind."""
    width = codes.shape[1]
    for row, count in enumerate(rng.poisson(5, len(codes))):
        for place in rng.integers(0, len(factors), count):
            at = int(rng.integers(10, width - 60))
            at = _plant(codes[row], factors[place].motif, at, rng)
            partner = factors[place].partner
            if partner >= 0 and rng.random() < 0.4:
                _plant(codes[row], factors[partner].motif, at + int(rng.integers(2, 26)), rng)
            if factors[place].wants_at and rng.random() < 0.5:
                flank = codes[row, at : at + 10]
                flank[:] = np.where(rng.random(len(flank)) < 0.85, rng.choice([0, 3], len(flank)), flank)
    return codes


def _plant(row: NDArray[np.uint8], motif: Motif, at: int, rng: Generator) -> int:
    """Write a site drawn from a motif, on either strand; return where it ends."""
    drawn = (rng.random(motif.width)[:, None] > np.cumsum(motif.probabilities, axis=1)[:, :3]).sum(axis=1)
    site = drawn if rng.random() < 0.5 else 3 - drawn[::-1]
    end = min(at + motif.width, len(row))
    row[at:end] = site[: end - at]
    return end


def occupied(sites: BestSites, factors: list[Tf]) -> NDArray[np.float64]:
    """Return the occupancy of the best site, `[regions, tfs]`: a half where one word of 10,000 scores as high."""
    found = np.empty(sites.score.shape)
    for place, factor in enumerate(factors):
        half = threshold_of(factor.motif.log_odds(), 1e-4)
        found[:, place] = 1 / (1 + np.exp(-1.2 * (sites.score[:, place] - half)))
    return found

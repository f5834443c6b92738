"""Labelled windows of a simulated genome: promoters and windows of like GC content elsewhere, and how active promoters are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.simulate.outputs import SimulatedContig, stream
from glmflow.simulate.promoters import CORE_BP, covered
from glmflow.simulate.sequence import N

WINDOW_BP = 200
CANDIDATES = 60
"""Windows among which the one of the nearest GC content is taken."""


def write_windows(folder: Path, contigs: Sequence[SimulatedContig], promoter_bp: int, seed: int) -> None:
    """Write windows.bed (name: promoter or other) and promoters.bed (name: gene; score: log activity, first biosample).

    A window is the part of a promoter next to its core, where motifs act most; the core is left out, for its TATA box
    alone would tell. For every promoter there is a window of the same strand and of nearly its GC content that shares no
    base with a promoter.
    """
    size = min(WINDOW_BP, promoter_bp - CORE_BP)
    windows, promoters = [], []
    for contig in contigs:
        length = len(contig.sequence)
        genes = contig.genes
        forward = (genes["strand"] == "+").to_numpy()
        tss = genes["tss"].to_numpy(np.int64)
        start = np.where(forward, tss - CORE_BP - size, tss + 1 + CORE_BP)
        whole = (start >= 0) & (start + size <= length)
        start, strands = start[whole], genes["strand"].to_numpy()[whole]
        around = np.where(forward, tss - promoter_bp, tss + 1)
        taken = covered(around, around + promoter_bp, length)
        others = windows_alike(contig.sequence, start, size, taken, stream(seed, "windows", contig.name))
        for name, starts in (("promoter", start), ("other", others)):
            windows += [(contig.name, at, at + size, name, 0, strand) for at, strand in zip(starts, strands) if at >= 0]
        scores = contig.activities.reference[whole, 0]
        rows = zip(start, genes["gene_id"].to_numpy()[whole], scores, strands)
        promoters += [(contig.name, at, at + size, gene, f"{score:.6f}", strand) for at, gene, score, strand in rows]
    for name, lines in (("windows.bed", windows), ("promoters.bed", promoters)):
        (folder / name).write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))


def windows_alike(
    sequence: NDArray[np.uint8], start: NDArray[np.int64], size: int, taken: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return for each window the start of another of nearly its GC content, `[n]`; -1 where there is none.

    Parameters
    ----------
    sequence
        Codes of the contig.
    start, size
        The windows.
    taken
        bool[length]: bases that no other window may hold; updated as windows are taken.
    """
    gc = np.concatenate([[0], np.cumsum((sequence == 1) | (sequence == 2))])
    unknown = np.concatenate([[0], np.cumsum(sequence == N)])
    found = np.full(len(start), -1, np.int64)
    for row, first in enumerate(start):
        asked = rng.integers(0, len(sequence) - size + 1, CANDIDATES)
        free = [at for at in asked if not taken[at : at + size].any() and unknown[at + size] == unknown[at]]
        if free:
            wanted = gc[first + size] - gc[first]
            found[row] = min(free, key=lambda at: abs(gc[at + size] - gc[at] - wanted))
            taken[found[row] : found[row] + size] = True
    return found

"""Distances of hidden states channel by channel: what a supervised model of effects is fitted on (TraitGym)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from glmflow.genome.edits import Edits
from glmflow.genome.reasons import Reason
from glmflow.genome.stretches import Genome

from .likelihood_model import LikelihoodModel, scoring
from .paired_readings import Reader, pairs
from .placement import Frame, place, windows_of
from .scored_edits import Settings


def channel_distances(model: LikelihoodModel, genome: Genome, edits: Edits, settings: Settings) -> NDArray[np.float32]:
    """Return the L2 distance of the states of both windows over their bases, of each channel, mean of both strands.

    Returns
    -------
    ndarray
        `float32[n, D]`; NaN where an edit has no windows, or changes the number of bases.
    """
    width = model.adapter.card.hidden_size
    found = np.full((len(edits), width), np.nan, np.float32)
    lengths = np.append(np.fromiter(genome.contigs.values(), np.int64, len(genome.contigs)), 0)[edits.contig]
    phase = 0 if model.kind != "kmer" or not model.masked else model.k // 2
    placed = place(edits, lengths, Frame(settings.window, model.k, phase, settings.edges, settings.share))
    inserted = np.fromiter(map(len, edits.bases), np.int64, len(edits))
    equal = (edits.end - edits.start == inserted) & (placed.reason == Reason.NONE)
    for size in np.unique(placed.width[equal]):
        members = np.flatnonzero(equal & (placed.width == size))
        forward = windows_of(genome, edits, placed, members, settings.edges)
        total = np.zeros((len(members), width))
        with scoring():
            for windows in (forward, forward.reversed()):
                total += _on_strand(model, windows)
        found[members] = total / 2
    return found


def _on_strand(model: LikelihoodModel, windows) -> NDArray[np.float64]:
    """Return the distances of windows of one width, `float64[n, D]`; NaN beyond the context."""
    reference, alternative = model.tokenize(windows.reference), model.tokenize(windows.alternative)
    row = windows.row
    found = np.full((len(row), model.adapter.card.hidden_size), np.nan)
    fits = np.ones(len(row), bool)
    if model.context is not None:
        fits = (reference.length[row] <= model.context) & (alternative.length <= model.context)
    for some, ours, theirs in pairs(
        model, Reader(model, ["l2_flat"]), reference, row, alternative, np.flatnonzero(fits)
    ):
        for edit, one, other in zip(some.tolist(), ours, theirs):
            before, after = (read.states[torch.from_numpy(np.array(read.cover))].float() for read in (one, other))
            change = after - before
            found[edit] = change.square().sum(0).sqrt().double().cpu().numpy()
    return found

"""Scores of all changes of every base, and what a model predicts there.

A masked model of single bases tells all of a base in one pass a strand: the log-probabilities of the four bases at the
masked site are its three log-likelihood ratios and its logo. Others score each change (`glmflow.apply.variants`), causal
ones from reference windows that neighbouring bases share, each base in the window in which it lies nearest the centre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glmflow.apply.dependencies.base_predictions import Predictions
from glmflow.bases import reverse_complement
from glmflow.effects.likelihood_model import LikelihoodModel, scoring
from glmflow.effects.masked_scores import MaskedPasses, read_passes
from glmflow.effects.placement import Frame, place, windows_of
from glmflow.effects.score_catalogue import Asked
from glmflow.effects.scored_edits import Settings, mean_of_strands, score_edits
from glmflow.effects.token_rows import BASE
from glmflow.genome.edits import Records, edits_of
from glmflow.genome.stretches import Genome

BASES = "ACGT"


@dataclass
class BaseEffects:
    """What was found at some neighbouring bases of a contig.

    Attributes
    ----------
    codes
        `uint8[L]`: the bases.
    scores
        `float64[names, L, 4]`: of a change into A, C, G, T; 0 at the base itself, NaN where there is none.
    probabilities
        `float64[L, 4]`: of A, C, G and T as the model predicts them; NaN where it does not.
    """

    codes: NDArray[np.uint8]
    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]


def base_effects(
    model: LikelihoodModel, genome: Genome, chrom: str, start: int, end: int, names: tuple[str, ...], settings: Settings
) -> BaseEffects:
    """Return the effects of all changes of the bases from `start` to `end` (0-based half-open)."""
    codes = genome.fetch(chrom, start, end)
    known = np.flatnonzero(BASE[codes] >= 0)
    scores = np.full((len(names), end - start, 4), np.nan)
    scores[:, known, BASE[codes[known]]] = 0
    fast = model.masked and model.kind == "base" and "llr" in names
    others = tuple(name for name in names if not (fast and name == "llr"))
    if others and len(known):
        scores[[names.index(name) for name in others]] = _each_change(
            model, genome, chrom, start, codes, known, others, settings
        )
    if fast and len(known):
        logs = masked_bases(model, genome, chrom, start + known, codes[known], settings)
        means = logs.mean(1)
        own = means[np.arange(len(known)), BASE[codes[known]]]
        scores[names.index("llr"), known] = means - own[:, None]
        probabilities = np.full((end - start, 4), np.nan)
        probabilities[known] = np.exp(logs).mean(1)
    else:
        probabilities = predicted(model, genome, chrom, start, end, settings.window)
    return BaseEffects(codes, scores, probabilities)


def sharing(model: LikelihoodModel, settings: Settings) -> Settings:
    """Return how neighbouring bases share windows: of causal models those within half a window."""
    return settings if model.masked else replace(settings, share=max(1, settings.window // 2))


def _each_change(
    model: LikelihoodModel,
    genome: Genome,
    chrom: str,
    start: int,
    codes: NDArray[np.uint8],
    known: NDArray[np.int64],
    names: tuple[str, ...],
    settings: Settings,
) -> NDArray[np.float64]:
    """Score each change by itself, `float64[names, L, 4]`."""
    ref = [chr(codes[place]) for place in known]
    alt = [",".join(base for base in BASES if base != own) for own in ref]
    edits = edits_of(Records([chrom] * len(known), (start + known).tolist(), ref, alt), genome)
    scored = score_edits(model, genome, edits, Asked(names, ()), sharing(model, settings))
    found = np.full((len(names), len(codes), 4), np.nan)
    places = known[edits.record]
    letters = BASE[np.frombuffer("".join(edits.bases).encode(), np.uint8)]
    found[:, places, letters] = mean_of_strands(scored).T
    found[:, known, BASE[codes[known]]] = 0
    return found


def masked_bases(
    model: LikelihoodModel,
    genome: Genome,
    chrom: str,
    places: NDArray[np.int64],
    codes: NDArray[np.uint8],
    settings: Settings,
) -> NDArray[np.float64]:
    """Return log-probabilities of A, C, G and T at masked bases, among the four, `float64[n, 2, 4]`: both strands.

    NaN where an end of the contig leaves no window (`edges: skip`).
    """
    ref = [chr(code) for code in codes]
    alt = ["ACGT"[(BASE[code] + 1) % 4] for code in codes]
    edits = edits_of(Records([chrom] * len(places), places.tolist(), ref, alt), genome)
    lengths = np.full(len(edits), genome.contigs[chrom])
    placed = place(edits, lengths, Frame(settings.window, edges=settings.edges, share=settings.share))
    found = np.full((len(places), 2, 4), np.nan)
    ids = model.base_ids()
    with scoring():
        for width in np.unique(placed.width[placed.width > 0]):
            members = np.flatnonzero(placed.width == width)
            forward = windows_of(genome, edits, placed, members, settings.edges)
            for strand in (0, 1):
                windows = forward if strand == 0 else forward.reversed()
                rows = model.tokenize(windows.reference)
                at = forward.before if strand == 0 else width - 1 - forward.before
                slots = rows.cover[forward.row, at][:, None].astype(np.int64)
                n = np.arange(len(members))
                read = np.stack([np.repeat(n, 4), np.zeros(4 * len(n), np.int64), np.tile(ids, len(n))], 1)
                logs = read_passes(model, rows, MaskedPasses(forward.row, slots, read)).reshape(-1, 4)
                logs -= np.logaddexp.reduce(logs, 1, keepdims=True)
                found[members, strand] = logs if strand == 0 else logs[:, ::-1]
    return found


def predicted(
    model: LikelihoodModel, genome: Genome, chrom: str, start: int, end: int, window: int
) -> NDArray[np.float64]:
    """Return the probabilities of the bases from `start` to `end` in unmasked windows, `float64[L, 4]`.

    Two passes a window; causal models: the mean of what both strands predict. Windows overlap by half, and each base
    is taken from the one in which it lies nearest the centre. NaN for byte-pair tokens.
    """
    found = np.full((end - start, 4), np.nan)
    if model.kind == "bpe":
        return found
    length = genome.contigs[chrom]
    width = min(window, length) // model.k * model.k
    if width < model.k:
        return found
    step = max(width // 2, 1)
    begin = start - width // 4
    firsts, spans = [], []
    while begin + width // 4 < end:
        firsts.append(int(np.clip(begin, 0, length - width)))
        spans.append((max(start, begin + width // 4), min(end, begin + width // 4 + step)))
        begin += step
    size = model.rows_per_batch(width // model.k)
    with scoring():
        for at in range(0, len(firsts), size):
            some = firsts[at : at + size]
            codes = np.stack([genome.fetch(chrom, first, first + width) for first in some])
            both = [_read(model, codes)]
            both.append(_read(model, reverse_complement(codes.reshape(-1)).reshape(codes.shape)[::-1])[:, ::-1, ::-1])
            number = np.isfinite(both).sum(0)
            means = np.where(number > 0, np.nansum(both, 0) / np.maximum(number, 1), np.nan)
            for row, first, (left, right) in zip(means, some, spans[at : at + size]):
                found[left - start : right - start] = row[left - first : right - first]
    return found


def _read(model: LikelihoodModel, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the probabilities of all bases of some windows of one length, `float64[n, W, 4]`."""
    rows = model.tokenize(codes)
    found = np.empty((*codes.shape, 4))
    covers = [row.tobytes() for row in rows.cover]
    for key in dict.fromkeys(covers):  # windows with N may be cut into tokens in other ways
        same = np.array([place for place, own in enumerate(covers) if own == key])
        one = type(rows)(rows.ids[same[:1]], rows.length[same[:1]], rows.cover[same[:1]])
        length = int(rows.length[same[0]])
        states = model.states(model.ids(rows.ids[same, :length]))
        found[same] = Predictions(model, one).read(states).cpu().numpy()
    return found

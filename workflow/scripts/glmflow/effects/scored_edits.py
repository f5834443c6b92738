"""Scores of a batch of edits by one model: windows, strands, masks and sharing put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.edit_sets import chosen, unique_edits
from glmflow.genome.edits import Edits
from glmflow.genome.reasons import Reason
from glmflow.genome.stretches import Genome

from .likelihood_model import LikelihoodModel, scoring
from .masked_scores import changed_tokens, llr, pll
from .next_kmer import next_of_kmers
from .paired_readings import Reader, pairs, references
from .paired_scores import compare
from .placement import Frame, Windows, place, windows_of
from .score_catalogue import SCORES, Asked

MASKING = ("llr", "llr_marginal", "pll")
N = ord("N")
SAME_STRANDS = 1e-4


@dataclass(frozen=True)
class Settings:
    """How variants are scored, beside model and scores.

    Parameters
    ----------
    window, edges, share
        See `Frame`.
    mnv
        See `masked_scores.llr`.
    frames
        `one` reading frame of k-mers, or the mean over `all` k.
    """

    window: int
    edges: str = "shift"
    share: int = 1
    mnv: str = "joint"
    frames: str = "one"


@dataclass
class Scored:
    """Scores of edits.

    Attributes
    ----------
    names
        The scores.
    values
        `float64[n, names, 2]`: on the forward and the reverse strand; NaN where there is none.
    start, width
        `int64[n]`: the reference window; -1 and 0 where there is none.
    unknown
        `int64[n]`: N in it.
    reason
        `uint8[n]`: why an edit has no score at all.
    centred
        `bool[n]`: its window was not shifted.
    single
        `int8[n, 2]`: whether exactly one token changes on each strand (what `llr` of BPE needs); -1 where not looked.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    start: NDArray[np.int64]
    width: NDArray[np.int64]
    unknown: NDArray[np.int64]
    reason: NDArray[np.uint8]
    centred: NDArray[np.bool_]
    single: NDArray[np.int8]

    def take(self, places: NDArray[np.int64]) -> Scored:
        """Return the scores of some edits, or of some of them several times."""
        columns = ("values", "start", "width", "unknown", "reason", "centred", "single")
        return replace(self, **{name: getattr(self, name)[places] for name in columns})


def score_edits(
    model: LikelihoodModel,
    genome: Genome,
    edits: Edits,
    asked: Asked,
    settings: Settings,
    strands: Sequence[int] = (0, 1),
    same_strands: bool = False,
) -> Scored:
    """Return the scores of edits; equal ones are computed once.

    Parameters
    ----------
    strands
        Strands that are read: 0 forward, 1 reverse.
    same_strands
        The model reads both strands alike in centred windows: those are read on the forward strand alone.
    """
    first, which = unique_edits(edits)
    some = chosen(edits, first)
    phases = [0 if model.kind != "kmer" or not model.masked else model.k // 2]
    if settings.frames == "all" and model.kind == "kmer":
        phases = list(range(model.k))
    with scoring():
        found = [_in_frame(model, genome, some, asked, settings, phase, strands, same_strands) for phase in phases]
    scored = found[0]
    if len(found) > 1:
        scored.values = np.mean([one.values for one in found], 0)
    scored.reason = _final_reasons(model, some, asked, scored, strands)
    return scored.take(which)


def _in_frame(
    model: LikelihoodModel,
    genome: Genome,
    edits: Edits,
    asked: Asked,
    settings: Settings,
    phase: int,
    strands: Sequence[int],
    same_strands: bool,
) -> Scored:
    """Score edits in one reading frame."""
    lengths = np.append(np.fromiter(genome.contigs.values(), np.int64, len(genome.contigs)), 0)[edits.contig]
    frame = Frame(settings.window, model.k, phase, settings.edges, settings.share)
    placed = place(edits, lengths, frame)
    names = asked.names
    n = len(edits)
    scored = Scored(
        names,
        np.full((n, len(names), 2), np.nan),
        placed.start,
        placed.width,
        np.zeros(n, np.int64),
        placed.reason,
        placed.centred,
        np.full((n, 2), -1, np.int8),
    )
    if not names:
        return scored
    for width in np.unique(placed.width[placed.width > 0]):
        members = np.flatnonzero(placed.width == width)
        forward = windows_of(genome, edits, placed, members, settings.edges)
        scored.unknown[members] = (forward.reference == N).sum(1)[forward.row]
        if not model.reads_n:
            hidden = (scored.unknown[members] > 0) | (forward.alternative == N).any(1)
            scored.reason[members[hidden]] = Reason.N_IN_WINDOW
            members = members[~hidden]
            if not len(members):
                continue
            forward = windows_of(genome, edits, placed, members, settings.edges)
        for strand in strands:
            if strand == 1 and same_strands:
                once = placed.centred[members]
                scored.values[members[once], :, 1] = scored.values[members[once], :, 0]
                if once.all():
                    continue
                members = members[~once]
                forward = windows_of(genome, edits, placed, members, settings.edges)
            _on_strand(model, genome, edits, asked, settings, forward, members, strand, scored)
    return scored


def _on_strand(
    model: LikelihoodModel,
    genome: Genome,
    edits: Edits,
    asked: Asked,
    settings: Settings,
    forward: Windows,
    members: NDArray[np.int64],
    strand: int,
    scored: Scored,
) -> None:
    """Score windows of one width on one strand."""
    windows = forward if strand == 0 else forward.reversed()
    reference, alternative = model.tokenize(windows.reference), model.tokenize(windows.alternative)
    row = forward.row
    fits = np.ones(len(row), bool)
    if model.context is not None:
        fits = (reference.length[row] <= model.context) & (alternative.length <= model.context)
        scored.reason[members[~fits]] = Reason.BEYOND_CONTEXT
    equal = forward.removed == forward.inserted
    wanted = {name: fits & (equal if name in asked.equal else False) for name in asked.names}
    for name in asked.changed:
        wanted[name] = wanted[name] | (fits & ~equal)
    column = {name: place for place, name in enumerate(asked.names)}

    def put(name: str, values: NDArray[np.float64]) -> None:
        kept = np.flatnonzero(wanted[name])
        scored.values[members[kept], column[name], strand] = values[kept]

    if "llr" in column and model.kind == "bpe":
        scored.single[members, strand] = changed_tokens(reference, row, alternative).sum(1) == 1
    for name in ("llr", "llr_marginal"):
        if name in column:
            usable = wanted[name] & equal
            put(name, llr(model, reference, row, alternative, usable, settings.mnv, name == "llr_marginal"))
    if "pll" in column:
        put("pll", pll(model, reference, row, alternative, np.flatnonzero(wanted["pll"])))
    if "next" in column and model.kind == "kmer":
        put("next", next_of_kmers(model, genome, edits, members, wanted["next"], settings.window, strand))
    names = [name for name in asked.names if name not in MASKING and not (name == "next" and model.kind == "kmer")]
    if names:
        _paired(model, forward, names, reference, row, alternative, wanted, strand, members, scored, column)


def _paired(
    model: LikelihoodModel,
    forward: Windows,
    names: Sequence[str],
    reference,
    row: NDArray[np.int64],
    alternative,
    wanted: dict[str, NDArray[np.bool_]],
    strand: int,
    members: NDArray[np.int64],
    scored: Scored,
    column: dict[str, int],
) -> None:
    """Fill in the scores that compare readings of both windows."""
    equal = forward.removed == forward.inserted
    limits = {"any": np.ones(len(row), bool), "equal": equal, "snv": equal & (forward.removed == 1)}
    for name in names:
        wanted[name] = wanted[name] & limits[SCORES[name].change]
    which = np.flatnonzero(np.any([wanted[name] for name in names], 0))
    reader = Reader(model, names)
    if names == ["next"]:
        read = references(model, reader, reference, row, which)
    else:
        read = pairs(model, reader, reference, row, alternative, which)
    for some, ours, theirs in read:
        for edit, one, other in zip(some.tolist(), ours, theirs):
            for name in names:
                if wanted[name][edit]:
                    value = compare(name, forward, edit, strand == 1, one, other)
                    scored.values[members[edit], column[name], strand] = value


def _final_reasons(
    model: LikelihoodModel, edits: Edits, asked: Asked, scored: Scored, strands: Sequence[int]
) -> NDArray[np.uint8]:
    """Return why edits have no score at all: none that every strand read has, as `mean_of_strands` needs."""
    reason = scored.reason.copy()
    means = scored.values[..., list(strands)].mean(2)
    without = (reason == Reason.NONE) & ~np.isfinite(means).any(1)
    if not asked.names:
        reason[without] = asked.missing
        return reason
    inserted = np.fromiter(map(len, edits.bases), np.int64, len(edits))
    changed = edits.end - edits.start != inserted
    alone = all(SCORES[name].change == "snv" for name in asked.equal)
    reason[without & changed] = Reason.LENGTH_CHANGED
    reason[without & ~changed] = Reason.RETOKENISED if model.kind == "bpe" else Reason.AT_CONTIG_END
    if alone:
        reason[without & ~changed & (inserted > 1)] = Reason.NOT_SNV
    return reason


def mean_of_strands(scored: Scored) -> NDArray[np.float64]:
    """Return the mean of both strands, `float64[n, names]`; NaN where either has no value."""
    return scored.values.mean(2)


def strands_agree(scored: Scored, places: NDArray[np.int64]) -> bool:
    """Whether every score of some edits is the same on both strands, to `SAME_STRANDS`."""
    values = scored.values[places]
    differ = np.abs(values[..., 0] - values[..., 1])
    return bool(np.isfinite(values).any() and np.nanmax(differ) <= SAME_STRANDS)

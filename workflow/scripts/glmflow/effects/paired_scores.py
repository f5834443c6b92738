"""Scores that compare the readings of both windows: likelihoods, flanks, influence, distances."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from .paired_readings import LIKELIHOODS, MEANS, Reading
from .placement import Windows
from .token_rows import BASE

FLANK = 5
"""Shared bases on each side that `flank` looks at."""


def compare(name: str, windows: Windows, edit: int, reverse: bool, reference: Reading, alternative: Reading) -> float:
    """Return one score of one edit on one strand; NaN where it has none.

    Parameters
    ----------
    windows
        The windows on the forward strand, in which positions count.
    edit
        Number of the edit among them.
    reverse
        The readings are of the reverse complement.
    """
    before, removed, inserted = (int(x[edit]) for x in (windows.before, windows.removed, windows.inserted))
    width = windows.reference.shape[1]
    if name in LIKELIHOODS:
        return _likelihood(name, before, removed, inserted, width, reverse, reference, alternative)
    if name == "flank":
        return _flank(before, removed, inserted, width, reverse, windows, edit, reference, alternative)
    if name in MEANS:
        return _distance(name, reference.mean, alternative.mean)
    changed = np.arange(before, before + removed)
    differ = before + np.flatnonzero(
        windows.reference[windows.row[edit], before : before + removed]
        != windows.alternative[edit, before : before + removed]
    )
    if name == "next":
        return _next(windows, edit, before, width, reverse, reference)
    if name == "influence":
        return _influence(changed, width, reverse, reference, alternative)
    places = differ if name == "l2_site" else np.arange(width)
    places = width - 1 - places if reverse else places
    pair = (torch.from_numpy(one.cover[places].astype(np.int64)) for one in (reference, alternative))
    ours, theirs = (one.states.float()[at.to(one.states.device)] for one, at in zip((reference, alternative), pair))
    return float((theirs - ours).double().square().sum().sqrt())


def _likelihood(
    name: str,
    before: int,
    removed: int,
    inserted: int,
    width: int,
    reverse: bool,
    reference: Reading,
    alternative: Reading,
) -> float:
    """Return `ll` or one of its parts."""
    if name == "ll":
        return float(alternative.logs.sum() - reference.logs.sum())
    first_reference, first_alternative = int(reference.cover[0]), int(alternative.cover[0])
    ours, theirs = reference.logs[first_reference:], alternative.logs[first_alternative:]
    behind = width - before - max(removed, inserted)
    if name == "ll_flank" and reverse:
        return float(theirs[width - before : width].sum() - ours[width - before : width].sum())
    if name == "ll_flank":
        start, stop = before + inserted, before + removed
        return float(theirs[start : start + behind].sum() - ours[stop : stop + behind].sum())
    start = width - before if reverse else before
    if reverse:
        own = slice(max(start - removed, 0), start)  # a deletion at the end of a contig may reach past its window
        return float(theirs[start - inserted : start].sum() - ours[own].sum())
    return float(theirs[start : start + inserted].sum() - ours[start : start + removed].sum())


def _flank(
    before: int,
    removed: int,
    inserted: int,
    width: int,
    reverse: bool,
    windows: Windows,
    edit: int,
    reference: Reading,
    alternative: Reading,
) -> float:
    """Return the mean change of log p of the nearest bases that both windows share."""
    left = np.arange(max(before - FLANK, 0), before)
    right = np.arange(min(FLANK, width - before - max(removed, inserted)))
    ours = np.concatenate([left, before + removed + right])
    theirs = np.concatenate([left, before + inserted + right])
    letters = BASE[windows.reference[windows.row[edit], ours]]
    known = letters >= 0
    if not known.any():
        return np.nan
    ours, theirs, letters = ours[known], theirs[known], letters[known]
    if reverse:
        ours, theirs, letters = width - 1 - ours, width - 1 - theirs, 3 - letters
    return float((alternative.bases[theirs, letters] - reference.bases[ours, letters]).mean())


def _next(windows: Windows, edit: int, before: int, width: int, reverse: bool, reference: Reading) -> float:
    """Return log p(alternative) - log p(reference) of the changed base, from the bases to its left."""
    pair = (windows.alternative[edit, before], windows.reference[windows.row[edit], before])
    alternative, own = (3 - BASE[letter] if reverse else BASE[letter] for letter in pair)
    place = width - 1 - before if reverse else before
    if place == 0:
        return np.nan
    return float(reference.bases[place - 1, alternative] - reference.bases[place - 1, own])


def _influence(changed: NDArray, width: int, reverse: bool, reference: Reading, alternative: Reading) -> float:
    """Return the mean over the other positions of the largest change of the log-odds of a base."""
    others = np.setdiff1d(np.arange(width), changed)
    others = width - 1 - others if reverse else others
    if not len(others):
        return np.nan
    pair = (one.bases[others] for one in (alternative, reference))
    theirs, ours = (logs - np.log(-np.expm1(np.minimum(logs, -1e-300))) for logs in pair)
    return float(np.abs(theirs - ours).max(1).mean())


def _distance(name: str, ours: NDArray, theirs: NDArray) -> float:
    """Return a distance of two vectors."""
    if name == "l1_mean":
        return float(np.abs(theirs - ours).sum())
    if name == "l2_mean":
        return float(np.sqrt(np.square(theirs - ours).sum()))
    norms = np.sqrt(np.square(ours).sum() * np.square(theirs).sum())
    return float(1 - ours @ theirs / norms) if norms > 0 else 0.0

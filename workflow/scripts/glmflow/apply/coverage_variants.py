"""What each allele of a VCF does to the coverage that a tuned track model predicts around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.effects.placement import Frame, Windows, place, windows_of
from glmflow.errors import InputError
from glmflow.genome.edits import Edits
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.training.loop.checkpoints import fingerprint

from .annotated_vcf import Field, annotate, field_name
from .applied_model import DEFAULT, Strictness
from .track_model import TrackModel

PSEUDOCOUNT = 0.01
"""Of a track's mean over its non-zero bases: keeps ratios of silent windows near zero."""
BASES = 2**16
"""Bases that are predicted at a time, about."""
AT_ONCE = 16
"""Edits whose windows are laid at a time, about; those of one reference window stay together."""


def annotate_variants(
    tuned: TrackModel,
    genome: Reference,
    vcf: Path,
    output: Path,
    model: Path,
    span: int | None = None,
    share: int = 1,
    how: Strictness = DEFAULT,
) -> Counter[Reason]:
    """Write a VCF with what each alternative allele does to the predicted coverage around it.

    For each track the field `GLM_{track}` (one value an alternative allele) is the log2 ratio of the mean coverage that
    is predicted for a window with the alternative allele in its middle, over that with the reference allele; both
    have `PSEUDOCOUNT` of the track's mean added. Both windows have the model's length and begin at the same base, N past
    the ends of a contig, as in the model's own predictions. Each distinct window is predicted once: alternatives of a site
    share their reference.

    Parameters
    ----------
    model
        Folder of the model, which tells whether an earlier attempt that was stopped can be gone on with.
    span
        Bases around the edit whose coverage is averaged; None: all that the model's windows count.
    share
        Edits within this many bases share one reference window.

    Raises
    ------
    InputError
        The file cannot be read, or is of another genome; `span` or `share` does not fit the window.
    """
    used = tuned.size - 2 * tuned.trim
    if span is not None and not 0 < span <= used:
        fix = f"Give 1 to {used:,}: the model's windows of {tuned.size:,} without both ends."
        raise InputError("is not within a window", where=f"--span {span}", fix=fix)
    if not 0 < share <= used // 2:
        raise InputError("is not within half a window", where=f"--share {share}", fix=f"Give 1 to {used // 2:,}.")
    around = f"{span} bp around it in a window of {tuned.size} bp" if span else f"{tuned.size} bp window"
    what = "log2 ratio of predicted mean coverage of {}, alternative over reference allele, {}"
    fields = [Field(field_name(name), "Float", what.format(name, around)) for name in tuned.tracks]
    identity = {"model": fingerprint([model]), "fasta": fingerprint([genome.path]), "vcf": fingerprint([vcf])}
    settings = {"span": span, "share": share, "size": tuned.size, "trim": tuned.trim}

    def score(edits: Edits) -> pd.DataFrame:
        values, reason = effects(tuned, genome, edits, span, share)
        return pd.DataFrame(values, columns=[field.name for field in fields]).assign(reason=reason)

    return annotate(vcf, genome, output, fields, score, identity | settings, how)


def effects(
    tuned: TrackModel, genome: Reference, edits: Edits, span: int | None, share: int
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return log2 ratios of mean coverage of edits, `[n, T]`, NaN where there is none, and their reasons, `uint8[n]`."""
    lengths = np.append(np.fromiter(genome.contigs.values(), np.int64, len(genome.contigs)), 0)[edits.contig]
    placed = place(edits, lengths, Frame(tuned.size, edges="pad", share=share))
    values = np.full((len(edits), len(tuned.tracks)), np.nan)
    members = np.flatnonzero(placed.width > 0)
    order = members[np.lexsort((edits.start[members], placed.start[members], edits.contig[members]))]
    for some in _together(order, edits.contig[order], placed.start[order]):
        windows = windows_of(genome, edits, placed, some, "pad")
        values[some] = _ratios(tuned, windows, span)
    return values, placed.reason


def _together(order: NDArray, contig: NDArray, start: NDArray) -> Iterator[NDArray]:
    """Yield about `AT_ONCE` of sorted edits at a time; those of one reference window stay together."""
    ends = np.flatnonzero(np.append((np.diff(contig) != 0) | (np.diff(start) != 0), True)) + 1
    begin = 0
    for end in ends.tolist() if len(order) else []:
        if end - begin >= AT_ONCE or end == len(order):
            yield order[begin:end]
            begin = end


def _ratios(tuned: TrackModel, windows: Windows, span: int | None) -> NDArray[np.float64]:
    """Return log2 ratios of mean coverage of some edits, `[n, T]`."""
    floor = PSEUDOCOUNT * tuned.means
    first, last = tuned.trim, tuned.size - tuned.trim
    low = np.full(len(windows), first) if span is None else np.clip(windows.before - span // 2, first, last - span)
    high = low + (last - first if span is None else span)
    ours = list(_predicted(tuned, windows.reference))
    found = np.empty((len(windows), len(tuned.tracks)))
    for edit, theirs in enumerate(_predicted(tuned, windows.alternative)):
        used = slice(int(low[edit]), int(high[edit]))
        reference, alternative = (one[:, used].mean(-1) for one in (ours[windows.row[edit]], theirs))
        found[edit] = np.log2((alternative + floor) / (reference + floor))
    return found


def _predicted(tuned: TrackModel, codes: Sequence[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
    """Yield the coverage of sequences of the model's length, `[T, L]` each."""
    size = max(1, BASES // tuned.size)
    for begin in range(0, len(codes), size):
        yield from tuned.coverage(list(codes[begin : begin + size]))

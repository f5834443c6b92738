"""Where the window of an edit lies, and its bases with and without the edit.

Both windows have the same length, begin at the same base and hold no padding: at the ends of a contig they shift. A
deletion is refilled from the right. So sums over them compare like with like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.genome.edits import Edits
from glmflow.genome.reasons import Reason
from glmflow.genome.stretches import Genome, Stretches

N = ord("N")
EDGES = ("shift", "pad", "skip")


@dataclass(frozen=True)
class Frame:
    """How windows are laid.

    Parameters
    ----------
    window
        Bases W of a window; fewer on a contig that is shorter.
    k, phase
        Bases of a token, and the offset in its token that the edit begins at; 1 and 0 for single bases and BPE.
    edges
        What is done where a window would reach past the end of a contig: `shift` it, `pad` with N, `skip` the allele.
    share
        Edits within this many bases of each other share one window: it is centred on the middle of their stretch of the
        genome. 1: each edit has its own.
    """

    window: int
    k: int = 1
    phase: int = 0
    edges: str = "shift"
    share: int = 1


@dataclass
class Placed:
    """Where the windows of some edits lie.

    Attributes
    ----------
    start, width
        `int64[n]`: first base and length of the windows; width 0 where there is a reason.
    reason
        `uint8[n]`: a `Reason`.
    centred
        `bool[n]`: the window was not shifted by an end of its contig.
    """

    start: NDArray[np.int64]
    width: NDArray[np.int64]
    reason: NDArray[np.uint8]
    centred: NDArray[np.bool_]


def place(edits: Edits, lengths: NDArray[np.int64], frame: Frame) -> Placed:
    """Return the windows of edits.

    Parameters
    ----------
    lengths
        `int64[n]`: bases of the contig of each edit.
    """
    start, end, k = edits.start, edits.end, frame.k
    inserted = np.fromiter(map(len, edits.bases), np.int64, len(edits))
    grow = np.maximum(0, end - start - inserted)
    width = np.minimum(frame.window, lengths - grow) if frame.edges != "pad" else np.full(len(edits), frame.window)
    width = width // k * k
    anchor = start // frame.share * frame.share + frame.share // 2 if frame.share > 1 else start
    wanted = anchor - frame.window // 2
    if frame.edges == "pad":
        low, high = np.full_like(start, np.iinfo(np.int64).min // 2), np.full_like(start, np.iinfo(np.int64).max // 2)
    else:
        low, high = np.zeros_like(start), lengths - grow - width
    if k > 1 or frame.share > 1:  # the window holds all that changes
        low, high = np.maximum(low, np.maximum(end, start + 1) - width), np.minimum(high, start)
    found = _nearest(wanted, low, high, k, (anchor - frame.phase) % k)

    before = start - found
    reason = edits.reason.copy()
    _give(reason, np.maximum(end - start, inserted) > frame.window // 2, Reason.TOO_LONG)
    _give(reason, width < k, Reason.CONTIG_TOO_SHORT)
    _give(reason, (low > high) | (before + inserted > width) | (before >= width), Reason.AT_CONTIG_END)
    centred = (wanted >= 0) & (wanted + frame.window + grow <= lengths)
    if frame.edges == "skip":
        _give(reason, ~centred, Reason.AT_CONTIG_END)
    ok = reason == Reason.NONE
    return Placed(np.where(ok, found, -1), np.where(ok, width, 0), reason, centred & ok)


def _nearest(wanted: NDArray, low: NDArray, high: NDArray, k: int, residue: NDArray) -> NDArray:
    """Return the start from `low` to `high` nearest to the one that is wanted, of those with a residue modulo k.

    The lower one of two that are as near; without any, the nearest start whatever its residue.
    """
    clipped = np.maximum(np.minimum(wanted, high), low)
    if k == 1:
        return clipped
    lower = clipped - (clipped - residue) % k
    upper = np.where(lower == clipped, lower, lower + k)
    lower_fits, upper_fits = lower >= low, upper <= high
    nearer = np.abs(upper - wanted) < np.abs(lower - wanted)
    return np.where(
        lower_fits & ~(upper_fits & nearer), lower, np.where(upper_fits, upper, np.where(lower_fits, lower, clipped))
    )


def _give(reason: NDArray[np.uint8], where: NDArray[np.bool_], what: Reason) -> None:
    """Give alleles a reason that have none yet."""
    reason[where & (reason == Reason.NONE)] = what


@dataclass
class Windows:
    """The two windows of some edits, all of one length W, on one strand of the reference.

    Attributes
    ----------
    reference
        `uint8[m, W]`: the distinct reference windows.
    row
        `int64[n]`: the reference window of each edit.
    alternative
        `uint8[n, W]`
    before
        `int64[n]`: bases before the edit (forward strand).
    removed, inserted
        `int64[n]`: bases of the edit in the reference and alternative window.
    """

    reference: NDArray[np.uint8]
    row: NDArray[np.int64]
    alternative: NDArray[np.uint8]
    before: NDArray[np.int64]
    removed: NDArray[np.int64]
    inserted: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def reversed(self) -> Windows:
        """Return the windows of the other strand; `before` and the edit's lengths still count on the forward strand."""
        reference, alternative = (
            reverse_complement(codes.reshape(-1)).reshape(codes.shape)[::-1]
            for codes in (self.reference, self.alternative)
        )
        return Windows(reference, self.row, alternative, self.before, self.removed, self.inserted)


def windows_of(genome: Genome, edits: Edits, placed: Placed, members: NDArray[np.int64], edges: str) -> Windows:
    """Return the windows of some edits that have one width.

    Parameters
    ----------
    members
        `int64[n]`: numbers of the edits.
    """
    width = int(placed.width[members[0]])
    contig, first = edits.contig[members], placed.start[members]
    start, end = edits.start[members], edits.end[members]
    bases = [edits.bases[i] for i in members.tolist()]
    inserted = np.fromiter(map(len, bases), np.int64, len(members))
    before = start - first

    column = np.arange(width)
    behind = column >= (before + inserted)[:, None]
    position = np.where(behind, column + (end - before - inserted)[:, None], column + first[:, None])
    last = np.maximum(position[:, -1] + 1, first + width)
    stretches = Stretches(genome, edits.names, contig, first, last)

    keys = np.stack([contig, first], 1)
    _, where, row = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    reference = stretches.codes[(stretches.zero[where] + first[where])[:, None] + column]
    alternative = stretches.codes[stretches.zero[:, None] + np.minimum(position, (last - 1)[:, None])]
    single = np.flatnonzero(inserted == 1)
    alternative[single, before[single]] = [ord(bases[i]) for i in single.tolist()]
    for i in np.flatnonzero(inserted > 1).tolist():
        alternative[i, before[i] : before[i] + inserted[i]] = np.frombuffer(bases[i].encode(), np.uint8)
    return Windows(reference, row.reshape(-1), alternative, before, end - start, inserted)

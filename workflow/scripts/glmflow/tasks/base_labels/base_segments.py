"""Labels of single bases and bins, from segments of a BED file or a table of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.fasta import N
from glmflow.genome.packed import ranges
from glmflow.genome.reference import Reference
from glmflow.genome.windows import tile

UNSCORED = -1
"""Label of a base that is not scored: N, an edge, or two classes at once."""


def class_order(segments: pd.DataFrame, background: str = "none") -> list[str]:
    """Return the classes in the order of their indices: the background first, then the others by name."""
    return [background, *sorted(set(segments["label"]) - {background})]


def label_windows(
    segments: pd.DataFrame,
    windows: pd.DataFrame,
    classes: Sequence[str],
    reference: Reference | None = None,
    edge: int = 0,
    by_strand: bool = False,
) -> tuple[NDArray[np.int8], dict[str, int]]:
    """Return the class of every base of windows of one length, int8 `[windows, L]`.

    Parameters
    ----------
    segments
        `chrom`, `start`, `end`, `label`; `strand` if `by_strand`.
    windows
        `chrom`, `start`, `end`, all of one length.
    classes
        As `class_order` gives them: index 0 is what no segment covers.
    reference
        Genome: its N are not scored.
    edge
        Bases at both ends of a window that are not scored.
    by_strand
        Segments of the - strand have classes of their own, `{label}-`, which `classes` has to hold.

    Returns
    -------
    labels : int8[windows, L]
    counts : dict
        `bases`, `unscored_n`, `unscored_edge`, `two_classes`: bases that segments of two classes cover.

    Raises
    ------
    InputError
        Windows differ in length, or a segment has a class that is not among them.
    """
    lengths = (windows["end"] - windows["start"]).unique()
    if len(lengths) != 1:
        what = f"windows of {lengths.min()} to {lengths.max()} bases"
        raise InputError(what, where="windows", fix="Give windows of one length.")
    length = int(lengths[0])
    number = {name: index for index, name in enumerate(classes)}
    names = segments["label"].astype(str)
    if by_strand:
        names = names.where(segments["strand"] != "-", names + "-")
    unknown = sorted(set(names) - set(number))
    if unknown:
        raise InputError(f"no class {unknown[0]!r}", where="segments", fix=f"Classes are {', '.join(classes)}.")
    code = names.map(number).to_numpy(np.int8)
    labels = np.zeros((len(windows), length), np.int8)
    twice = np.zeros((len(windows), length), bool)
    for chrom, rows in windows.groupby("chrom", sort=False):
        own = (segments["chrom"] == chrom).to_numpy()
        start, end, kind = segments["start"].to_numpy()[own], segments["end"].to_numpy()[own], code[own]
        order = np.argsort(start, kind="stable")
        start, end, kind = start[order], end[order], kind[order]
        reach = np.maximum.accumulate(end) if len(end) else end
        for at, low in zip(rows.index, rows["start"]):
            place = windows.index.get_loc(at)
            first, last = int(np.searchsorted(reach, low, "right")), int(np.searchsorted(start, low + length, "left"))
            for a, b, c in zip(start[first:last], end[first:last], kind[first:last]):
                span = slice(max(int(a) - low, 0), min(int(b) - low, length))
                held = labels[place, span]
                twice[place, span] |= (held != 0) & (held != c)
                labels[place, span] = c
    counts = {"bases": labels.size, "two_classes": int(twice.sum()), "unscored_n": 0, "unscored_edge": 0}
    labels[twice] = UNSCORED
    if edge:
        labels[:, :edge] = labels[:, length - edge :] = UNSCORED
        counts["unscored_edge"] = len(windows) * min(2 * edge, length)
    if reference is not None:
        for place, row in enumerate(windows.itertuples(index=False)):
            unknown_base = reference.fetch(row.chrom, row.start, row.end) == N
            labels[place, unknown_base] = UNSCORED
            counts["unscored_n"] += int(unknown_base.sum())
    return labels, counts


def tiled_windows(contigs: Mapping[str, int], size: int, overlap: int = 0) -> pd.DataFrame:
    """Return windows of one length along contigs: `chrom`, `start`, `end`; contigs that are shorter are left out."""
    parts = []
    for chrom, length in contigs.items():
        if length >= size:
            start = tile(length, size, overlap)
            parts.append(pd.DataFrame({"chrom": chrom, "start": start, "end": start + size}))
    if not parts:
        raise InputError(f"no contig holds {size:,} bases", where="windows.size", fix="Give shorter windows.")
    return pd.concat(parts, ignore_index=True)


def bin_labels(labels: NDArray[np.int8], size: int, how: str = "max") -> NDArray:
    """Return the label of each bin of `size` bases; a last shorter bin is left out.

    Parameters
    ----------
    labels
        `[windows, L]`.
    how
        `max`: the highest class in the bin (any base of an enhancer makes it one), int8; `mean`: the share of scored bases
        that are not the background, float32.

    Returns
    -------
    `[windows, L // size]`; -1 (`max`) or NaN (`mean`) where no base of a bin is scored.
    """
    count = labels.shape[1] // size
    binned = labels[:, : count * size].reshape(len(labels), count, size)
    if how == "max":
        return binned.max(axis=2)
    if how != "mean":
        raise InputError(f"bins by {how!r}", where="bins", fix="Give max or mean.")
    scored = binned >= 0
    with np.errstate(invalid="ignore"):
        return ((binned > 0).sum(axis=2) / np.where(scored.any(axis=2), scored.sum(axis=2), np.nan)).astype(np.float32)


def runs_of(labels: NDArray[np.int8], windows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return labels of bases as segments: `chrom`, `start`, `end`, `label`; the background and -1 are left out."""
    parts = []
    for row, window in zip(labels, windows.itertuples(index=False)):
        edges = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1], [True]]))
        first, last = edges[:-1], edges[1:]
        own = row[first] > 0
        names = [classes[c] for c in row[first[own]]]
        start, end = window.start + first[own], window.start + last[own]
        parts.append(pd.DataFrame({"chrom": window.chrom, "start": start, "end": end, "label": names}))
    return pd.concat(parts, ignore_index=True)


def window_kmers(codes: NDArray[np.uint8], k: int, around: int) -> NDArray[np.int64]:
    """Return the numbers of the k-mers that start within `around` bases of each base, `[L, 2 around + 1]`; -1: none.

    What a linear model of a base's surroundings sees: a column is a place, so that the reading frame of three shows.
    """
    letter = np.full(256, -1, np.int64)
    letter[list(b"ACGT")] = range(4)
    code = letter[codes]
    count = max(len(code) - k + 1, 0)
    value, valid = np.zeros(count, np.int64), np.ones(count, bool)
    for offset in range(k):
        own = code[offset : offset + count]
        value, valid = value * 4 + own, valid & (own >= 0)
    padded = np.full(len(code) + 2 * around, -1, np.int64)
    padded[around : around + count] = np.where(valid, value, -1)
    return padded[ranges(np.arange(len(code)), np.full(len(code), 2 * around + 1))].reshape(len(code), -1)

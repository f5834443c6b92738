"""Which held-out windows of a genome hold sequence of training windows, wherever that lies and on whatever strand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.homology import ALIKE, MOST_COMMON, PARTLY, SHOWN
from glmflow.genome.similarity import near_copies
from glmflow.genome.window_sequences import WindowSequences, cut, suited_sketch

from .audit import Audit, graded, named

MOSTLY = 0.5
"""Share from which on the window as a whole is a copy."""
COLUMNS = ["split", "chrom", "start", "end", "copied", "identity_estimate", "strand"]
SOURCE = ["training_chrom", "training_start", "training_end"]


class CopiedWindows(NamedTuple):
    """What held-out windows share with training windows.

    Attributes
    ----------
    copied
        Of each window given, the share of its bases in pieces that training windows hold too; NaN where it is trained on.
    table
        The held-out windows of which 5 % or more are copied, the most copied first: `split`, `chrom`, `start`, `end`, `copied`
        (share of the bases), and of the piece that is most like training its `identity_estimate`, `strand` and the training
        piece `training_chrom`, `training_start`, `training_end`.
    audits
        What it means, two audits a held-out split.
    """

    copied: NDArray[np.float64]
    table: pd.DataFrame
    audits: list[Audit]


def copied_windows(
    fetch: Callable[[str, int, int], NDArray[np.uint8]],
    windows: pd.DataFrame,
    training: Sequence[str] = ("train",),
    cores: int = 1,
) -> CopiedWindows:
    """Compare held-out windows with training windows by the canonical k-mers of their pieces.

    A piece is copied where a training piece holds 15 % of its k-mers (5 % of substitutions leave a third of the 21-mers),
    and half of these or more are not those of repeats: an Alu is no copy.

    Parameters
    ----------
    fetch
        Returns `uint8[end - start]` of a contig (`Reference.fetch`).
    windows
        `chrom`, `start`, `end`, `split`; windows of one split may overlap. Splits that are empty or `predict` are neither
        trained on nor held out.
    training
        Splits that are learned from.
    cores
        Threads.
    """
    split = windows["split"].fillna("").to_numpy(object)
    held_out = ~np.isin(split, [*training, "", "predict"])
    copied = np.full(len(windows), np.nan)
    learned = windows[np.isin(split, training)].assign(split=training[0])
    pieces = cut(pd.concat([learned, windows[held_out]]))
    is_held = (pieces["split"] != training[0]).to_numpy()
    if not held_out.any() or learned.empty:
        return CopiedWindows(copied, pd.DataFrame(columns=[*COLUMNS, *SOURCE]), [])
    sketches = suited_sketch(WindowSequences(fetch, pieces), cores=cores)
    pairs = near_copies(sketches.of(is_held), sketches.of(~is_held), ALIKE, best=SHOWN, cores=cores).table
    pairs = pairs[pairs["common"] <= MOST_COMMON].drop_duplicates("query")  # the best of each comes first
    flagged = np.flatnonzero(is_held)[pairs["query"]]
    pieces["copied"] = False
    pieces.loc[flagged, "copied"] = True
    table = windows[held_out]
    copied[held_out] = shares(table, pieces)
    table = table[["split", "chrom", "start", "end"]].assign(copied=copied[held_out]).drop_duplicates()
    source = pieces.loc[np.flatnonzero(~is_held)[pairs["target"]], ["chrom", "start", "end"]].set_axis(SOURCE, axis=1)
    alike = pieces.loc[flagged, ["split", "chrom", "start", "end"]].reset_index(drop=True)
    alike[SOURCE] = source.to_numpy(object)
    alike[["share", "identity_estimate", "strand"]] = pairs[["share", "identity_estimate", "strand"]].to_numpy(object)
    alike = alike.sort_values("start", kind="stable", ignore_index=True)
    found = table[table["copied"] >= PARTLY].sort_values("copied", ascending=False, kind="stable")
    found = _described(found, alike)
    return CopiedWindows(copied, found, list(_audits(table, found)))


def shares(windows: pd.DataFrame, pieces: pd.DataFrame) -> NDArray[np.float64]:
    """Return the share of each window's bases that lie in copied pieces of its split."""
    found = np.zeros(len(windows))
    by_place = dict(iter(pieces.groupby(["split", "chrom"], sort=False)))
    for key, rows in windows.groupby(["split", "chrom"], sort=False).indices.items():
        own = by_place[key]
        size = np.where(own["copied"], own["end"] - own["start"], 0)
        # Copied bases up to each border of a piece; between pieces nothing is added.
        edges = np.column_stack([own["start"], own["end"]]).ravel()
        before = np.column_stack([np.cumsum(size) - size, np.cumsum(size)]).ravel()
        start, end = (windows[name].to_numpy(np.int64)[rows] for name in ("start", "end"))
        found[rows] = (np.interp(end, edges, before) - np.interp(start, edges, before)) / np.maximum(end - start, 1)
    return found


def _described(windows: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Return windows with what is known of the piece in each that is most like training."""
    best = np.zeros(len(windows), np.int64)
    by_place = dict(iter(sources.groupby(["split", "chrom"], sort=False)))
    for key, rows in windows.groupby(["split", "chrom"], sort=False).indices.items():
        near = by_place[key]  # apart from each other, in the order of the contig
        low = np.searchsorted(near["end"], windows["start"].to_numpy()[rows], side="right")
        high = np.searchsorted(near["start"], windows["end"].to_numpy()[rows])
        share = near["share"].to_numpy()
        best[rows] = near.index[[a + int(np.argmax(share[a:b])) for a, b in zip(low, high)]]
    described = sources.loc[best, [*COLUMNS[5:], *SOURCE]].reset_index(drop=True)
    return pd.concat([windows.reset_index(drop=True), described], axis=1)


def _audits(windows: pd.DataFrame, found: pd.DataFrame) -> Iterator[Audit]:
    """Yield what copies mean: a window that is a copy is a leak, one that holds some has to be known."""
    for split, part in windows.groupby("split", sort=True):
        own = found[found["split"] == split]
        for name, rows, what, limits in (
            ("copies of training windows", own[own["copied"] >= MOSTLY], "half or more", {"fail": 0}),
            ("parts of training windows", own[own["copied"] < MOSTLY], f"{PARTLY:.0%} to half", {"warn": 0}),
        ):
            sentence = (
                f"{len(rows):,} of {len(part):,} {split} windows share {what} of their bases with training windows"
            )
            names = [
                f"{row.chrom}:{row.start}-{row.end} ({row.training_chrom}:{row.training_start}-{row.training_end}, "
                f"{row.strand})"
                for row in rows.itertuples(index=False)
            ]
            yield graded(name, len(rows), sentence + (f": {named(names)}" if names else ""), str(split), **limits)

"""What is learned from and what is held out, with not one base of the genome in both."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.contigs import alternate_contigs, say_alternates, some

log = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
COLUMNS = ["chrom", "start", "end", "split"]


def used_contigs(
    contigs: Mapping[str, int], wanted: Sequence[str] | None, alternates: str = "leave_out"
) -> dict[str, int]:
    """Return the lengths of the contigs that a study uses, in the order of the genome; copies of others are logged.

    Parameters
    ----------
    contigs
        Length in bases of every contig of the genome.
    wanted
        `reference.contigs` of the configuration; None for all.
    alternates
        `leave_out` or `keep`: contigs that are copies of others (`alternate_contigs`), where none are named.

    Raises
    ------
    InputError
        The genome lacks one that is wanted.
    """
    absent = [name for name in wanted or () if name not in contigs]
    if absent:
        what = f"no contig {some(map(repr, absent))}"
        raise InputError(what, where="reference.contigs", fix=f"The genome has {some(contigs)}.")
    if wanted is not None:
        return {name: length for name, length in contigs.items() if name in wanted}
    copies = set(alternate_contigs(contigs)) if alternates == "leave_out" else set()
    if copies:
        log.warning("%s", say_alternates([name for name in contigs if name in copies], "the genome"))
    return {name: length for name, length in contigs.items() if name not in copies}


def split_regions(splits: Mapping[str, Any], contigs: Mapping[str, int], size: int) -> pd.DataFrame:
    """Return the part of the genome that every split owns.

    Either whole contigs, ``{by: contig, train: [...], validation: [...], test: [...]}``, or blocks along
    them, ``{by: block, block: bp, validation: share, test: share, gap: bp, seed: n}``: every contig is cut
    into equal blocks of at least `block` bases, shares of them are drawn for validation and test, and
    between neighbours of different splits `gap` bases belong to none. ``{by: homology, ...}`` is the same of
    groups of blocks, which takes sequences: its `regions` are there already (`homology.divided`).

    Parameters
    ----------
    splits
        The `splits` block of the configuration.
    contigs
        Length in bases of every contig of the genome.
    size
        Bases of a window; a gap is at least as long.

    Returns
    -------
    DataFrame
        `chrom`, `start`, `end`, `split`: disjoint regions in the order of the genome.

    Raises
    ------
    InputError
        A contig is unknown or in two splits, the gap is shorter than a window, or the blocks leave no room
        for one.
    """
    if splits["by"] == "contig":
        rows = _whole_contigs(splits, contigs)
    elif splits["by"] == "block":
        require_room(splits, size)
        edges = block_edges(splits["block"], contigs)
        drawn = _draw(splits, np.concatenate([np.diff(cuts) for cuts in edges.values()]))
        return block_regions(edges, drawn.tolist(), splits["gap"])
    elif splits["by"] == "homology":
        return splits["regions"]
    else:
        fix = "Give contig, block or homology."
        raise InputError(f"unknown way to split: {splits['by']!r}", where="splits.by", fix=fix)
    return pd.DataFrame(rows, columns=COLUMNS)


def _whole_contigs(splits: Mapping[str, Any], contigs: Mapping[str, int]) -> list[tuple[str, int, int, str]]:
    """Return every contig of a split as one region."""
    owner: dict[str, str] = {}
    for split in SPLITS:
        for chrom in splits.get(split, ()):
            where = f"splits.{split}"
            if chrom not in contigs:
                raise InputError(f"no contig {chrom!r}", where=where, fix=f"The genome has {some(contigs)}.")
            if chrom in owner:
                raise InputError(f"contig {chrom!r} is also in {owner[chrom]}", where=where, fix="Keep one of the two.")
            owner[chrom] = split
    return [(chrom, 0, length, owner[chrom]) for chrom, length in contigs.items() if chrom in owner]


def require_room(splits: Mapping[str, Any], size: int) -> None:
    """Stop where blocks and the gaps between them hold no window of `size` bases."""
    block, gap = splits["block"], splits["gap"]
    if gap < size:
        raise InputError(f"a gap of {gap} with windows of {size}", where="splits.gap", fix=f"Give at least {size}.")
    if block < gap + size:
        raise InputError(
            f"blocks of {block} with a gap of {gap} hold no window of {size}",
            where="splits.block",
            fix=f"Give at least {gap + size}.",
        )


def block_edges(block: int, contigs: Mapping[str, int]) -> dict[str, list[int]]:
    """Return where the equal blocks of each contig begin and end, none shorter than `block` unless the contig is."""
    return {
        chrom: np.linspace(0, length, max(length // block, 1) + 1).astype(int).tolist()
        for chrom, length in contigs.items()
    }


def block_regions(edges: Mapping[str, Sequence[int]], drawn: Sequence[str], gap: int) -> pd.DataFrame:
    """Return runs of blocks of one split, shortened where a run of another split follows: chrom, start, end, split.

    Parameters
    ----------
    edges
        Of each contig (`block_edges`).
    drawn
        Split of each block, contig by contig.
    gap
        Bases between runs of different splits.
    """
    following, rows = iter(drawn), []
    for chrom, cuts in edges.items():
        runs: list[list] = []
        for start, end in pairwise(cuts):
            split = next(following)
            if runs and runs[-1][2] == split:
                runs[-1][1] = end
            else:
                runs.append([start, end, split])
        for before, after in pairwise(runs):
            before[1] -= gap // 2
            after[0] += gap - gap // 2
        rows += [(chrom, start, end, split) for start, end, split in runs]
    return pd.DataFrame(rows, columns=COLUMNS)


def _draw(splits: Mapping[str, Any], lengths: np.ndarray) -> np.ndarray:
    """Return the split of every block; shares are of bases, and one above zero is at least a block."""
    drawn = np.full(len(lengths), "train", dtype=object)
    order = np.random.default_rng(splits["seed"]).permutation(len(lengths))
    ends = np.cumsum(lengths[order])
    middles = ends - lengths[order] / 2
    taken = 0
    for split in ("validation", "test"):
        share = splits.get(split, 0)
        if share:
            reached = (ends[taken - 1] if taken else 0) + share * ends[-1]
            count = max(int((middles[taken:] < reached).sum()), 1)
            drawn[order[taken : taken + count]] = split
            taken += count
    if taken >= len(lengths):
        raise InputError(
            f"{len(lengths)} blocks of {splits['block']} leave none to train on",
            where="splits.block",
            fix="Give shorter blocks or hold out smaller shares.",
        )
    return drawn


def assign_splits(
    windows: pd.DataFrame, splits: Mapping[str, Any], contigs: Mapping[str, int], size: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give every window the split whose region it lies in; leave out those that lie in none.

    Parameters
    ----------
    windows
        `chrom`, `start`, `end`.
    splits, contigs, size
        As `split_regions`.

    Returns
    -------
    assigned : DataFrame
        The windows that lie in one split, in their order, with a column `split`.
    counts : dict[str, int]
        Windows left out: `between_splits` (they touch two splits or a gap) and `other_contig` (their
        contig is in no split).

    Raises
    ------
    InputError
        As `split_regions`; or a split that was asked for has no window.
    """
    regions = split_regions(splits, contigs, size)
    split = np.full(len(windows), None, dtype=object)
    elsewhere = ~windows["chrom"].isin(regions["chrom"]).to_numpy()
    for chrom, owned in regions.groupby("chrom"):
        here = np.flatnonzero(windows["chrom"] == chrom)
        start, end = (windows[column].to_numpy()[here] for column in ("start", "end"))
        region = np.searchsorted(owned["start"], start, side="right") - 1
        inside = (region >= 0) & (end <= owned["end"].to_numpy()[region])
        split[here[inside]] = owned["split"].to_numpy()[region[inside]]
    unassigned = np.equal(split, None)
    for asked in SPLITS:
        if (splits.get(asked) or asked == "train") and not (split == asked).any():
            raise InputError(
                f"no window is left for the {asked} split",
                where="splits",
                fix="Hold out other contigs, or give shorter windows, blocks or gaps.",
            )
    counts = {
        "between_splits": int((unassigned & ~elsewhere).sum()),
        "other_contig": int((unassigned & elsewhere).sum()),
    }
    return windows.assign(split=split)[~unassigned].reset_index(drop=True), counts


def shared_bases(windows: pd.DataFrame) -> pd.DataFrame:
    """Count the bases of the genome that two splits have in common.

    Parameters
    ----------
    windows
        `chrom`, `start`, `end`, `split`.

    Returns
    -------
    DataFrame
        `split_a`, `split_b`, `bases`: for every two splits, how many positions of the reference lie in a
        window of both. A sound study has 0 in every row.
    """
    splits = [split for split in SPLITS if (windows["split"] == split).any()]
    rows = []
    for a, b in combinations(splits, 2):
        in_a, in_b = windows[windows["split"] == a], windows[windows["split"] == b]
        rows.append((a, b, covered(in_a) + covered(in_b) - covered(pd.concat([in_a, in_b]))))
    return pd.DataFrame(rows, columns=["split_a", "split_b", "bases"])


def require_disjoint(windows: pd.DataFrame) -> pd.DataFrame:
    """Return `shared_bases`, or stop where it is not 0 throughout.

    Raises
    ------
    InputError
        A base lies in windows of two splits.
    """
    shared = shared_bases(windows)
    for row in shared[shared["bases"] > 0].itertuples():
        raise InputError(
            f"{row.split_a} and {row.split_b} share {row.bases} bases of the genome",
            where="splits",
            fix="Split by contig, or by block with a gap of at least a window.",
        )
    return shared


def covered(windows: pd.DataFrame) -> int:
    """Return how many positions of the genome lie in at least one window."""
    total = 0
    for _, contig in windows.groupby("chrom", sort=False):
        contig = contig.sort_values("start")
        start, end = contig["start"].to_numpy(), contig["end"].to_numpy()
        reached = np.maximum.accumulate(np.concatenate([[0], end[:-1]]))
        total += int(np.maximum(end - np.maximum(start, reached), 0).sum())
    return total

"""Splits of genes and of people, and what a pair of both is: training, validation, test, or none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glmflow.errors import InputError
from glmflow.genome.splits import assign_splits

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")


def cell_split(gene: str, person: str) -> str | None:
    """Return the split of a pair: training where both are; what touches both validation and test belongs to neither."""
    both = {gene, person}
    if both == {TRAIN}:
        return TRAIN
    if both >= {VALIDATION, TEST}:
        return None
    return TEST if TEST in both else VALIDATION


def groups_of(count: int, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the group of each of `count` things of which pairs belong together."""
    edges = np.array(list(pairs), np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges), bool), edges.T), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def draw_groups(groups: NDArray[np.int64], validation: float, test: float, seed: int) -> NDArray[np.object_]:
    """Draw whole groups for test and validation until their shares of the members are reached; the rest is training.

    A share above 0 is at least a group.
    """
    names, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    split_of = dict.fromkeys(names.tolist(), TRAIN)
    position = 0
    for split, share in ((TEST, test), (VALIDATION, validation)):
        taken = 0
        while share > 0 and position < len(order):
            size = int(sizes[order[position]])
            # A group that would overshoot by more than it falls short stays out, unless nothing is in yet.
            if taken and taken + size / 2 > share * len(groups):
                break
            split_of[int(names[order[position]])] = split
            taken += size
            position += 1
    return np.array([split_of[group] for group in groups.tolist()], dtype=object)


def split_genes(
    genes: pd.DataFrame,
    settings: Mapping[str, Any],
    genome: Mapping[str, Any],
    contigs: Mapping[str, int],
    size: int,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give every gene its split by its window.

    Parameters
    ----------
    genes
        `chrom`, `start`, `end` of the windows, and further columns.
    settings
        The `genes` block of the task.
    genome, contigs, size
        The study's `splits`, the contigs in use, and the longest window of any task (see `assign_splits`).

    Returns
    -------
    genes, notes
        The genes that have a split, with a column `split`, and counts of those that have none.

    Raises
    ------
    InputError
        No gene is left to train on or to test.
    """
    if settings["by"] == "genome":
        assigned, counts = assign_splits(genes, genome, contigs, size)
        return assigned, {
            "genes whose window touches two splits or a gap": counts["between_splits"],
            "genes on contigs of no split": counts["other_contig"],
        }
    together = groups_of(len(genes), overlapping(genes))
    split = draw_groups(together, settings["validation"], settings["test"], settings["seed"])
    _require_both(split, "genes", settings)
    sizes = np.bincount(together)
    return genes.assign(split=split), {"genes kept together, their windows overlap": int(sizes[sizes > 1].sum())}


def overlapping(windows: pd.DataFrame) -> list[tuple[int, int]]:
    """Return pairs (rows) of windows that overlap: enough of them to connect all that do."""
    pairs = []
    table = windows.reset_index(drop=True)
    for _, contig in table.groupby("chrom", sort=False):
        contig = contig.sort_values("start")
        reach, furthest = -1, -1
        for row, start, end in zip(contig.index, contig["start"], contig["end"]):
            if start < reach:
                pairs.append((furthest, row))
            if end > reach:
                reach, furthest = end, row
    return pairs


def split_people(
    people: Sequence[str],
    settings: Mapping[str, Any],
    populations: Mapping[str, str],
    relatives: Iterable[tuple[int, int]],
) -> tuple[NDArray[np.object_], dict[str, int]]:
    """Give every person a split, relatives the same one.

    Parameters
    ----------
    people
        Names.
    settings
        The `people` block of the task.
    populations
        Population by name, where known.
    relatives
        Pairs of positions in `people`.

    Raises
    ------
    InputError
        A population has no one, or nobody is left to train on or to test.
    """
    together = groups_of(len(people), relatives)
    sizes = np.bincount(together)
    notes = {"people kept together as relatives": int(sizes[sizes > 1].sum())}
    if settings["by"] == "random":
        split = draw_groups(together, settings["validation"], settings["test"], settings["seed"])
        _require_both(split, "people", settings)
        return split, notes
    wanted = set(settings["test_populations"])
    known = {populations.get(person) for person in people}
    if wanted - known:
        raise InputError(
            f"nobody is of population {', '.join(sorted(wanted - known))}",
            where="people.test_populations",
            mend=f"There are {', '.join(sorted(filter(None, known))) or 'none: give cohort.samples'}.",
        )
    held = np.array([populations.get(person) in wanted for person in people])
    split = np.full(len(people), TEST, dtype=object)
    if held.all():
        raise InputError("nobody is left to train on", where="people.test_populations", mend="Hold out fewer.")
    split[~held] = draw_groups(together[~held], settings["validation"], 0, settings["seed"])
    _require_both(split, "people", settings)
    # Relatives across populations: those of a held-out person leave training.
    across = ~held & np.isin(together, together[held])
    split[across] = TEST
    return split, notes | {"people held out as relatives of held-out people": int(across.sum())}


def _require_both(split: NDArray[np.object_], what: str, settings: Mapping[str, Any]) -> None:
    """Stop where a split that was asked for is empty."""
    for name in (TRAIN, *((VALIDATION,) if settings["validation"] else ()), TEST):
        if not (split == name).any() and (name != TEST or settings["test"] or settings["by"] != "random"):
            raise InputError(
                f"{len(split)} {what} leave none for {name}", where=what, mend=f"Give more {what} or other shares."
            )

"""Splits of genes and of samples, and what a pair of both is: training, validation, test, or none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.homology import Fetch, similar_windows
from glmflow.genome.loci import groups_of, locus_groups
from glmflow.genome.shares import came_out, require_half
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
    fetch: Fetch | None = None,
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
    fetch
        Reads sequences (`Reference.fetch`), for `by: homology`.

    Returns
    -------
    genes, notes
        The genes that have a split, with a column `split`, and counts of those that have none.

    Raises
    ------
    InputError
        No gene is left to train on or to test, or groups of genes that are alike swallow a split.
    """
    if settings["by"] == "genome":
        assigned, counts = assign_splits(genes, genome, contigs, size)
        return assigned, {
            "genes whose window touches two splits or a gap": counts["between_splits"],
            "genes on contigs of no split": counts["other_contig"],
        }
    together = locus_groups(genes)
    if settings["by"] == "homology" and fetch is not None:
        together = groups_of(len(genes), [*_chained(together), *_chained(similar_windows(fetch, genes))])
    split = draw_groups(together, settings["validation"], settings["test"], settings["seed"])
    _require_both(split, "genes", settings)
    if settings["by"] == "homology":
        asked = {name: settings[name] for name in (VALIDATION, TEST)}
        outcome = came_out(split, {TRAIN: 1 - sum(asked.values()), **asked}, together, "genes")
        require_half(outcome, "genes.by: homology", "Hold out less, or take shorter windows.")
    sizes = np.bincount(together)
    return genes.assign(split=split), {
        "genes kept together: their windows overlap, or they are one locus": int(sizes[sizes > 1].sum())
    }


def _chained(labels: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return pairs of rows that connect those of one label."""
    rows = pd.Series(np.arange(len(labels))).groupby(labels)
    return list(zip(rows.transform("first"), range(len(labels))))


def split_people(
    people: Sequence[str],
    settings: Mapping[str, Any],
    populations: Mapping[str, str],
    relatives: Iterable[tuple[int, int]],
) -> tuple[NDArray[np.object_], dict[str, int]]:
    """Give every sample a split, relatives the same one.

    Parameters
    ----------
    samples
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
        A population has no one, or no sample is left to train on or to test.
    """
    together = groups_of(len(people), relatives)
    sizes = np.bincount(together)
    notes = {"samples kept together as relatives": int(sizes[sizes > 1].sum())}
    if settings["by"] == "random":
        split = draw_groups(together, settings["validation"], settings["test"], settings["seed"])
        _require_both(split, "people", settings)
        return split, notes
    wanted = set(settings["test_populations"])
    known = {populations.get(person) for person in people}
    if wanted - known:
        raise InputError(
            f"no sample is of population {', '.join(sorted(wanted - known))}",
            where="people.test_populations",
            fix=f"There are {', '.join(sorted(filter(None, known))) or 'none: give cohort.samples'}.",
        )
    held = np.array([populations.get(person) in wanted for person in people])
    split = np.full(len(people), TEST, dtype=object)
    if held.all():
        raise InputError("no sample is left to train on", where="people.test_populations", fix="Hold out fewer.")
    split[~held] = draw_groups(together[~held], settings["validation"], 0, settings["seed"])
    _require_both(split, "people", settings)
    # Relatives across populations: those of a held-out sample leave training.
    across = ~held & np.isin(together, together[held])
    split[across] = TEST
    return split, notes | {"samples held out as relatives of held-out samples": int(across.sum())}


def _require_both(split: NDArray[np.object_], what: str, settings: Mapping[str, Any]) -> None:
    """Stop where a split that was asked for is empty."""
    for name in (TRAIN, *((VALIDATION,) if settings["validation"] else ()), TEST):
        if not (split == name).any() and (name != TEST or settings["test"] or settings["by"] != "random"):
            raise InputError(
                f"{len(split)} {what} leave none for {name}", where=what, fix=f"Give more {what} or other shares."
            )

"""Checks of what a training set may not know of the test set; each has a name and says what it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .cells import TEST, TRAIN
from .labels import SEEN_UNSEEN, UNSEEN

TWIN = 0.45
NAMED = 5
COLUMNS = ["check", "found", "of", "share", "leak", "detail"]


def check_genes(table: pd.DataFrame) -> dict[str, Any]:
    """Check that no gene of a held-out class of unseen genes has a training row."""
    training = set(table.loc[table["split"] == TRAIN, "group"])
    unseen = table.loc[(table["split"] != TRAIN) & table["subset"].str.startswith(UNSEEN), "group"].unique()
    return _row("genes in training and unseen", sorted(set(unseen) & training), len(unseen))


def check_people(table: pd.DataFrame) -> dict[str, Any]:
    """Check that no person of a held-out class of unseen people has a training row."""
    training = set(table.loc[table["split"] == TRAIN, "sample"])
    unseen = table.loc[
        (table["split"] != TRAIN) & table["subset"].str.endswith("unseen individuals"), "sample"
    ].unique()
    return _row("people in training and unseen", sorted(set(unseen) & training), len(unseen))


def check_twins(people: Sequence[str], split: NDArray[np.object_], kinship: NDArray[np.float64]) -> dict[str, Any]:
    """Check that no test person has the genome of a training person (kinship of 0.45 or more).

    Parameters
    ----------
    people, split
        Names of people and the split of each.
    kinship
        `[people, people]`, see `relatives.Kinship`.
    """
    training, test = np.flatnonzero(split == TRAIN), np.flatnonzero(split == TEST)
    near = np.argwhere(np.nan_to_num(kinship[np.ix_(test, training)], nan=-1) >= TWIN)
    found = [f"{people[test[a]]} is {people[training[b]]}" for a, b in near]
    return _row("test people with the genome of a training person", found, len(test))


def check_windows(windows: pd.DataFrame) -> dict[str, Any]:
    """Check that no window of an unseen gene shares bases with one of a training gene.

    Parameters
    ----------
    windows
        `gene_id`, `chrom`, `start`, `end`, `split` of each gene.
    """
    found = []
    for _, contig in windows.groupby("chrom", sort=False):
        training = contig[contig["split"] == TRAIN].sort_values("start")
        starts = training["start"].to_numpy()
        reach = np.maximum.accumulate(training["end"].to_numpy()) if len(training) else starts
        for gene in contig[contig["split"] != TRAIN].itertuples(index=False):
            before = int(np.searchsorted(starts, gene.end))
            if before and reach[before - 1] > gene.start:
                found.append(gene.gene_id)
    return _row("held-out genes whose window overlaps a training gene's", found, int((windows["split"] != TRAIN).sum()))


def check_fit(what: str, fitted: Sequence[str], training: Sequence[str]) -> dict[str, Any]:
    """Check that something was fitted on training people only (`fitted` are the people it was fitted on)."""
    return _row(f"{what} fitted on people outside training", sorted(set(fitted) - set(training)), len(fitted))


def shared_haplotypes(shared: int, total: int) -> dict[str, Any]:
    """Return the row of what is no leak but has to be known: test haplotypes that training has already seen.

    Unrelated people share most of their haplotypes over a short window, so that looking them up is an honest baseline.
    """
    row = _row("haplotype windows of test people that equal a training person's", [], total)
    share = shared / total if total else float("nan")
    return row | {"found": shared, "share": share, "leak": "no", "detail": f"windows of {SEEN_UNSEEN}; no fault"}


def leak_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the checks as a table: check, found, of, share, leak (yes or no), detail."""
    return pd.DataFrame(list(rows), columns=COLUMNS)


def _row(check: str, found: Sequence[str], of: int) -> dict[str, Any]:
    """Return a row of the table; anything found is a leak."""
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return {
        "check": check,
        "found": len(found),
        "of": of,
        "share": len(found) / of if of else 0.0,
        "leak": "yes" if found else "no",
        "detail": ", ".join(found[:NAMED]) + more,
    }

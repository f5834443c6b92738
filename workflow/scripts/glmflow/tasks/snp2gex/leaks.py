"""Checks of what a training set may not know of the test set; each has a name and says what it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmflow.tasks.tables import CHECK_COLUMNS, FAIL, PASS

from .cells import TRAIN
from .label_classes import SEEN_UNSEEN, UNSEEN

NAMED = 5


def check_genes(table: pd.DataFrame) -> dict[str, Any]:
    """Check that no gene of a held-out class of unseen genes has a training row."""
    training = set(table.loc[table["split"] == TRAIN, "group"])
    unseen = table.loc[(table["split"] != TRAIN) & table["subset"].str.startswith(UNSEEN), "group"].unique()
    return _row("genes in training and unseen", sorted(set(unseen) & training), len(unseen))


def check_people(table: pd.DataFrame) -> dict[str, Any]:
    """Check that no sample of a held-out class of unseen samples has a training row."""
    training = set(table.loc[table["split"] == TRAIN, "sample"])
    unseen = table.loc[
        (table["split"] != TRAIN) & table["subset"].str.endswith("unseen individuals"), "sample"
    ].unique()
    return _row("samples in training and unseen", sorted(set(unseen) & training), len(unseen))


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
    """Check that something was fitted on training samples only (`fitted` are the samples it was fitted on)."""
    return _row(f"{what} fitted on samples outside training", sorted(set(fitted) - set(training)), len(fitted))


def shared_haplotypes(shared: int, total: int) -> dict[str, Any]:
    """Return the row of what is no leak but has to be known: test haplotypes that training has already seen.

    Unrelated samples share most of their haplotypes over a short window, so that looking them up is an honest baseline.
    """
    row = _row("haplotype windows of test samples that equal a training sample's", [], total)
    share = shared / total if total else float("nan")
    detail = f"windows of {SEEN_UNSEEN}; no fault"
    return row | {"found": shared, "share": share, "detail": detail, "threshold": total}


def leak_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the checks as a table: check, found, of, share, leak (yes or no), detail."""
    return pd.DataFrame(list(rows), columns=CHECK_COLUMNS)


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
        "status": FAIL if found else PASS,
        "threshold": 0,
    }

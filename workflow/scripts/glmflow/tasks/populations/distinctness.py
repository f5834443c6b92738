"""How many different haplotypes there are, and how many of the held-out ones were seen in training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.gene_windows import GeneWindows

NEAR = 0.01
"""Share of a window's variants at which near haplotypes differ at most; one variant at least."""
COPIED = ["example", "split", "nearest_training", "share", "strand", "relation"]


def window_alleles(windows: GeneWindows, chrom: str, start: int, end: int, samples: list[str]) -> NDArray[np.uint8]:
    """Return which variants of a window each haplotype carries, `[2 samples, variants]`; those that differ alone.

    Rows are in the order of `haplotype_rows`: both haplotypes of a sample, one after the other.
    """
    carried = windows.alleles(chrom, start, end, samples).carried
    flat = carried.reshape(2 * len(samples), carried.shape[2])
    varies = (flat.max(axis=0, initial=0) > 0) & (flat.min(axis=0, initial=1) < 1)
    return flat[:, varies]


def haplotype_numbers(alleles: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the number of the distinct haplotype that each row is, `[rows]`."""
    if not alleles.shape[1]:
        return np.zeros(len(alleles), np.int64)
    return np.unique(np.packbits(alleles, axis=1), axis=0, return_inverse=True)[1].ravel()


def near_haplotypes(
    alleles: NDArray[np.uint8], rows: pd.DataFrame, seen: tuple[str, ...] = ("train", "validation")
) -> pd.DataFrame:
    """Return the test haplotypes of a window that differ from a known one at one variant, or 1 % of the variants, at most.

    Parameters
    ----------
    alleles
        `window_alleles`, `[rows, variants]`.
    rows
        `example`, `split` of each.

    Returns
    -------
    DataFrame
        `example`, `split`, `nearest_training` (the first of those it differs least from), `share` (of the variants that are
        equal), `strand`, `relation` (`exact`, `near`).
    """
    split, names = rows["split"].to_numpy(object), rows["example"].to_numpy(object)
    test, known = np.flatnonzero(split == "test"), np.flatnonzero(np.isin(split, seen))
    if not len(test) or not len(known) or not alleles.shape[1]:
        return pd.DataFrame(columns=COPIED)
    own, other = alleles[test].astype(np.float32), alleles[known].astype(np.float32)
    differ = own.sum(axis=1)[:, None] + other.sum(axis=1)[None] - 2 * own @ other.T
    nearest, count = differ.argmin(axis=1), differ.min(axis=1)
    near = count <= max(1, NEAR * alleles.shape[1])
    return pd.DataFrame({
        "example": names[test][near],
        "split": "test",
        "nearest_training": names[known][nearest[near]],
        "share": 1 - count[near] / alleles.shape[1],
        "strand": "+",
        "relation": np.where(count[near] == 0, "exact", "near"),
    })  # fmt: skip


def seen_haplotypes(
    number: NDArray[np.int64], split: NDArray, sample: NDArray, seen: tuple[str, ...] = ("train", "validation")
) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    """Return which test haplotypes are the same as none of the known ones (the subset `unseen_haplotype`), and counts.

    Returns
    -------
    unseen : bool[rows]
    counts : dict
        `haplotypes`, `distinct_haplotypes`, `test`, `test_haplotypes_identical_to_a_training_one`,
        `test_haplotypes_whose_person_is_in_training`.
    """
    test, known = split == "test", np.isin(split, seen)
    unseen = test & ~np.isin(number, number[known])
    counts = {
        "haplotypes": len(number),
        "distinct_haplotypes": len(np.unique(number)),
        "test": int(test.sum()),
        "test_haplotypes_identical_to_a_training_one": int((test & ~unseen).sum()),
        "test_haplotypes_whose_person_is_in_training": int((test & np.isin(sample, sample[known])).sum()),
    }
    return unseen, counts


def window_report(rows: pd.DataFrame, numbers: NDArray[np.int64], split: NDArray) -> pd.DataFrame:
    """Return a row a window: its place and the counts of `seen_haplotypes`."""
    found = []
    for window, own in rows.groupby("window", sort=True):
        at = own.index.to_numpy()
        _, counts = seen_haplotypes(numbers[at], split[at], own["sample"].to_numpy(object))
        first = own.iloc[0]
        found.append({"window": window, "chrom": first.chrom, "start": first.start, "end": first.end, **counts})
    return pd.DataFrame(found)

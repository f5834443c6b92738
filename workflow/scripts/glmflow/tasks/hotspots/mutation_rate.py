"""How many variants the trinucleotides of a window would make of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.reference import Reference

CONTEXTS = 64


def context_codes(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the trinucleotide around each base as a number that both strands share, `[L]`; -1 at the ends and beside N.

    The 64 trinucleotides fall into 32 pairs of reverse complements; the smaller number of a pair stands for both.
    """
    letter = np.full(256, -1, np.int64)
    letter[list(b"ACGT")] = range(4)
    base = letter[codes]
    found = np.full(len(codes), -1, np.int64)
    if len(codes) < 3:
        return found
    before, here, behind = base[:-2], base[1:-1], base[2:]
    forward = 16 * before + 4 * here + behind
    backward = 16 * (3 - behind) + 4 * (3 - here) + (3 - before)
    known = (before >= 0) & (here >= 0) & (behind >= 0)
    found[1:-1] = np.where(known, np.minimum(forward, backward), -1)
    return found


def expected_counts(
    windows: pd.DataFrame, places: Mapping[str, NDArray[np.int64]], reference: Reference
) -> NDArray[np.float64]:
    """Return the variants that chance would put into each window, `[windows]`; they add up to those of the used windows.

    A trinucleotide of a contig has the rate of single-base changes that it has over the contig's used windows; variants
    of other sorts, and bases beside N, have the contig's mean.

    Parameters
    ----------
    windows
        `chrom`, `start`, `end`, `variants`, `used`.
    places
        0-based positions of single-base changes, by contig.
    """
    found = np.full(len(windows), np.nan)
    for chrom, rows in windows.groupby("chrom", sort=False):
        bases = np.zeros((len(rows), CONTEXTS + 1))
        changed = np.zeros((len(rows), CONTEXTS + 1))
        sites = np.sort(np.asarray(places.get(str(chrom), np.zeros(0)), np.int64))
        for number, row in enumerate(rows.itertuples(index=False)):
            context = context_codes(reference.fetch(row.chrom, row.start, row.end))
            first, last = np.searchsorted(sites, [row.start, row.end])
            bases[number] = np.bincount(context + 1, minlength=CONTEXTS + 1)
            changed[number] = np.bincount(context[sites[first:last] - row.start] + 1, minlength=CONTEXTS + 1)
        used = rows["used"].to_numpy(bool)
        length = bases[used].sum(axis=0)
        rate = np.divide(changed[used].sum(axis=0), length, out=np.zeros(CONTEXTS + 1), where=length > 0)
        total = rows["variants"].to_numpy(np.float64)[used].sum()
        others = max(total - changed[used][:, 1:].sum(), 0.0)
        own = bases[:, 1:] @ rate[1:] + bases.sum(axis=1) * others / max(length.sum(), 1)
        found[windows.index.get_indexer(rows.index)] = own
    return found

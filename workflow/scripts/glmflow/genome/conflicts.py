"""Which of the alleles that one haplotype carries can be written into it."""

from __future__ import annotations

import numpy as np


def overlapping(
    pos: np.ndarray, last: np.ndarray, grows: np.ndarray, anchored: np.ndarray, single: np.ndarray
) -> np.ndarray:
    """Return which alleles of one haplotype cannot be applied because an earlier one has taken their place.

    The first allele in the file wins. One that starts on the very last reference base of the allele applied before it is
    still applied when it is an insertion or deletion anchored on that base, unless that one was an insertion itself.
    This is the rule of `bcftools consensus` (Danecek et al., GigaScience 2021, doi:10.1093/gigascience/giab008), with
    one exception: a single-base substitution is applied whether it precedes or follows the insertion or deletion that
    is anchored on its base, as the two do not touch each other; bcftools drops it where it follows.

    Parameters
    ----------
    pos, last : int[n]
        First and last reference base of each allele (the REF column), in the order of the file; `pos` ascends.
    grows : bool[n]
        The allele is longer than its reference allele.
    anchored : bool[n]
        The allele only inserts or only deletes, behind its first base (`alleles.is_anchored`).
    single : bool[n]
        One base is replaced by another, and REF is that base alone.

    Returns
    -------
    bool[n]
        True where the allele is left out.
    """
    skip = np.zeros(len(pos), bool)
    # Few alleles can meet an earlier one at all; only those need the rule, one by one.
    previous = -1
    for i in np.flatnonzero(pos[1:] <= np.maximum.accumulate(last)[:-1]) + 1:
        if previous != i - 1:
            taken, inserted = last[i - 1], grows[i - 1]
            untouched = pos[i - 1] if anchored[i - 1] else -1  # base that only serves as the anchor of what is applied
        previous = i
        if single[i] and pos[i] == untouched:
            untouched = -1
        elif pos[i] < taken or (pos[i] == taken and (inserted or not anchored[i])):
            skip[i] = True
        else:
            untouched = pos[i] if anchored[i] and pos[i] > taken else -1
            taken, inserted = last[i], grows[i]
    return skip


def is_single(pos: np.ndarray, last: np.ndarray, start: np.ndarray, end: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return which alleles replace one base by another and have that base alone as REF, bool[n].

    Parameters
    ----------
    pos, last, start, end, size : int[n]
        First and last base of REF, the bases that are replaced (half-open) and how many take their place.
    """
    return (pos == last) & (start == pos) & (end == pos + 1) & (size == 1)

"""Which of the alleles that one haplotype carries can be written into it."""

from __future__ import annotations

import numpy as np


def overlapping(pos: np.ndarray, last: np.ndarray, grows: np.ndarray, anchored: np.ndarray) -> np.ndarray:
    """Find the alleles that cannot be applied because an earlier one has taken their place.

    The first allele wins. One that starts on the very last reference base of the allele applied before it is
    still applied when it is an insertion or deletion anchored on that base, unless that one was an insertion
    itself. This is the rule of `bcftools consensus` (Danecek et al., GigaScience 2021,
    doi:10.1093/gigascience/giab008).

    Parameters
    ----------
    pos, last : int[n]
        First and last reference base of each allele (the REF column), in the order in which they are applied.
    grows : bool[n]
        The allele is longer than its reference allele.
    anchored : bool[n]
        The allele only inserts or only deletes, behind its first base (`alleles.is_anchored`).

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
        previous = i
        if pos[i] < taken or (pos[i] == taken and (inserted or not anchored[i])):
            skip[i] = True
        else:
            taken, inserted = last[i], grows[i]
    return skip

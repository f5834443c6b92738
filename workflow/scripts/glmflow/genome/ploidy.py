"""Where a sample has one haplotype only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NO_ALLELE = -2  # the second allele of a haploid call
MISSING = -1


class HaploidRuns:
    """Follows the ploidy of every sample along a contig.

    A stretch of haploid calls (the non-pseudoautosomal X or Y of a man, the mitochondrion) has no second
    haplotype; it must not be taken for one that equals the reference. A lone `.` says nothing of the ploidy.

    Parameters
    ----------
    samples
        Number of samples.
    """

    def __init__(self, samples: int):
        self._open = np.full(samples, -1, np.int64)  # where the current haploid stretch began
        self._last = np.zeros(samples, np.int64)  # where the furthest of its calls ended
        self._seen_diploid = np.zeros(samples, bool)
        self._runs: list[tuple[int, int, int]] = []
        self._all_diploid = False

    def add(self, alleles: np.ndarray, start: int, end: int) -> None:
        """Take in one record: int[samples, 2] alleles and its reference interval (to the end of a `<DEL>`)."""
        single = alleles[:, 1] == NO_ALLELE
        if self._all_diploid and not single.any():
            return  # as before
        haploid = single & (alleles[:, 0] != MISSING)
        if haploid.any():
            begins = haploid & (self._open < 0)
            self._open[begins] = np.where(self._seen_diploid[begins], start, 0)
            self._last[begins] = end
            # An earlier, longer call may end behind this one.
            self._last[haploid] = np.maximum(self._last[haploid], end)
        closes = ~single & (self._open >= 0)
        for sample in np.flatnonzero(closes):
            self._runs.append((sample, self._open[sample], self._last[sample]))
            self._open[sample] = -1
        self._seen_diploid |= ~single
        self._all_diploid = bool(self._seen_diploid.all() and (self._open < 0).all())

    def runs(self, length: int) -> np.ndarray:
        """Return the haploid stretches of a contig of this length.

        Returns
        -------
        int32[n, 3]
            Sample, start and end (0-based half-open). A stretch reaches to the contig's end where no diploid
            call follows, and from its start where none precedes.
        """
        rest: Sequence[tuple[int, int, int]] = [
            (sample, self._open[sample], length) for sample in np.flatnonzero(self._open >= 0)
        ]
        return np.array(sorted([*self._runs, *rest]), np.int32).reshape(-1, 3)

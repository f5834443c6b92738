"""Where read-backed phasing breaks off: haplotypes are known within a phase set (FORMAT/PS) and no further."""

from __future__ import annotations

from typing import Any

import cyvcf2
import numpy as np

MISSING = np.iinfo(np.int32).min  # how htslib stores `.` in a field of integers
NONE = -1  # no heterozygous call yet


class PhaseSets:
    """Follows the phase sets of every sample along a contig.

    WhatsHap, HapCUT2, LongPhase, GATK and others phase the heterozygous calls that reads connect; which of the two
    haplotypes of one set goes with which of the next is not known. Phased calls without a set belong together (VCF 4.3,
    section 1.6.2), as those of a panel (SHAPEIT, Beagle, Eagle) do.

    Parameters
    ----------
    samples
        Number of samples.

    Attributes
    ----------
    joins : int64[samples]
        Places where a heterozygous call lies in another set than the one before it.
    """

    def __init__(self, samples: int):
        self.joins = np.zeros(samples, np.int64)
        self._last = np.full(samples, NONE, np.int64)
        self._names: dict[Any, int] = {}

    def add(self, record: cyvcf2.Variant, order: np.ndarray, calls: np.ndarray, phased: np.ndarray) -> None:
        """Take in the sets of one record.

        Parameters
        ----------
        order
            Where each sample stands among those of the opened file.
        calls : int[samples, 2]
            Alleles, negative where there is none.
        phased : bool[samples]
        """
        stated = "PS" in record.FORMAT
        if not stated and not self._names:  # of most files no record has them
            return
        heterozygous = phased & (calls[:, 0] != calls[:, 1]) & (calls >= 0).all(axis=1)
        if not heterozygous.any():
            return
        names = [MISSING] * len(order)
        if stated:
            values = record.format("PS")  # text has one dimension, numbers have two
            names = (values if values.ndim == 1 else values[:, 0])[order].tolist()
        sets = np.array([self._names.setdefault(self._set(name), len(self._names)) for name in names])
        self.joins += heterozygous & (self._last != NONE) & (self._last != sets)
        self._last[heterozygous] = sets[heterozygous]

    @staticmethod
    def _set(name: Any) -> Any:
        """Return what tells a set from others; one for all that are missing."""
        return MISSING if name == "." or name != name else name

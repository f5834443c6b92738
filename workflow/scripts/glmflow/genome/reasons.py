"""Why an allele has no score: one reason an allele, counted in the log, the tables and the report."""

from __future__ import annotations

from collections import Counter
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Reason(IntEnum):
    """Reasons; `NONE` where an allele is scored. Runs that were stopped are resumed by the numbers: new ones come last."""

    NONE = 0
    MISSING_CONTIG = 1
    OUTSIDE_CONTIG = 2
    NO_ALT = 3
    SPANNING_DELETION = 4
    SYMBOLIC = 5
    NOT_ACGT = 6
    REF_MISMATCH = 7
    N_IN_ALLELE = 8
    NO_CHANGE = 9
    TOO_LONG = 10
    CONTIG_TOO_SHORT = 11
    AT_CONTIG_END = 12
    BEYOND_CONTEXT = 13
    N_IN_WINDOW = 14
    RETOKENISED = 15
    LENGTH_CHANGED = 16
    NOT_MASKED = 17
    NOT_CAUSAL = 18
    NOT_A_RECORD = 19
    NOT_SNV = 20
    OUTSIDE_OF_WINDOWS = 21

    @property
    def label(self) -> str:
        """The name in tables; empty for `NONE`."""
        return "" if self is Reason.NONE else self.name.lower()


WORDS = {
    Reason.MISSING_CONTIG: "the genome has no contig of this name",
    Reason.OUTSIDE_CONTIG: "position or end lies outside the contig",
    Reason.NO_ALT: "no alternative allele ('.', <NON_REF>, <*>)",
    Reason.SPANNING_DELETION: "'*': deleted by another record",
    Reason.SYMBOLIC: "a symbolic allele or breakend without bases",
    Reason.NOT_ACGT: "the alternative allele holds letters other than A, C, G and T",
    Reason.REF_MISMATCH: "the reference allele is not what the genome has",
    Reason.N_IN_ALLELE: "the genome has N or another ambiguous letter under the reference allele",
    Reason.NO_CHANGE: "reference and alternative allele are the same",
    Reason.TOO_LONG: "longer than half of the window",
    Reason.CONTIG_TOO_SHORT: "the contig is shorter than one token",
    Reason.AT_CONTIG_END: "too near the end of the contig for a window that holds the change",
    Reason.BEYOND_CONTEXT: "the window has more tokens than the model takes",
    Reason.N_IN_WINDOW: "the window holds N, which the model's vocabulary lacks",
    Reason.RETOKENISED: "no llr: byte-pair tokens other than one changed",
    Reason.LENGTH_CHANGED: "the scores asked for compare base with base, which insertions and deletions do not allow",
    Reason.NOT_MASKED: "the scores asked for need a masked model",
    Reason.NOT_CAUSAL: "the scores asked for need a causal model",
    Reason.NOT_A_RECORD: "a line that is no record: too few columns, a position that is no number, or a sequence that is none",
    Reason.NOT_SNV: "the model, or the scores asked for, know changes of single bases alone",
    Reason.OUTSIDE_OF_WINDOWS: "begins in the window of no gene",
}
"""What each reason means, in words."""


def counted(reasons: NDArray[np.uint8]) -> Counter[Reason]:
    """Return how many alleles have each reason, `NONE` among them."""
    values, counts = np.unique(reasons, return_counts=True)
    return Counter({Reason(int(value)): int(count) for value, count in zip(values, counts)})


def described(counts: Counter[Reason]) -> list[str]:
    """Return a line a reason, the most frequent first."""
    without = [(reason, n) for reason, n in counts.most_common() if reason is not Reason.NONE and n]
    return [f"{n:,} {reason.label}: {WORDS[reason]}" for reason, n in without]

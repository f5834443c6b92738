"""Sequences of one class that are shuffled sequences of another: their letters are the same, and k-mers tell them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.packed import Packed
from glmflow.labelled.audit_checks import Check
from glmflow.labelled.composition import kmer_table

BASES = 8_000_000
"""Bases that are looked at; rows of larger sets are drawn at random, of all classes alike."""
KEPT = {2: "dinucleotides", 1: "bases"}
"""What shuffling leaves as it is; what leaves more of a sequence comes first."""
SHARE, FEWEST, BEYOND = 0.2, 10, 3.0
"""Rows of a class with a row of another class of the same counts: share, and number, at least; times as many as have one of
their own class, which is chance."""


def shuffled_checks(
    packed: Packed, target: NDArray[np.int64], classes: Sequence[str], once: NDArray[np.bool_]
) -> Iterator[Check]:
    """Yield the class whose rows have exactly the letters, or pairs of letters, of rows of another class, if there is one.

    Parameters
    ----------
    packed, target, classes
        Sequences, their class indices `[n]`, and names of the classes.
    once
        Rows whose sequence no other row has, on either strand: copies are named elsewhere.
    """
    rows = np.flatnonzero(once)
    drawn = min(1.0, BASES / max(1, int(packed.lengths[rows].sum())))
    if drawn < 1:
        rows = np.random.default_rng(0).permutation(rows)[: int(drawn * len(rows))]
    part, own = packed.take(np.sort(rows)), target[np.sort(rows)]
    for k, kept in KEPT.items():
        counts = np.column_stack([part.lengths, kmer_table(part, k)])
        _, same = np.unique(counts, axis=0, return_inverse=True)
        same = same.ravel()
        of_class = np.zeros((same.max(initial=-1) + 1, len(classes)), np.int64)
        np.add.at(of_class, (same, own), 1)
        others = of_class.sum(axis=1)[same] - of_class[same, own] > 0
        alike = of_class[same, own] > 1
        number = np.bincount(own, minlength=len(classes))
        elsewhere = np.bincount(own, others, len(classes))
        chance = np.bincount(own, alike, len(classes))
        bad = (elsewhere >= np.maximum(FEWEST, SHARE * drawn * number)) & (elsewhere > BEYOND * chance)
        if bad.any():
            worst = int(np.argmax(np.where(bad, elsewhere / np.maximum(number, 1), -1)))
            found, of = int(elsewhere[worst]), int(number[worst])
            sampled = " (a sample)" if drawn < 1 else ""
            text = (
                f"{found:,} of {of:,} rows{sampled} of class {classes[worst]} have exactly the {kept} of a row of another class: "
                "shuffled copies? A model need only tell shuffled from real"
            )
            yield Check("shuffled classes", found, of, "WARN", text)
            return

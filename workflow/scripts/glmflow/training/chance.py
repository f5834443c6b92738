"""What a language model that has learned nothing loses: the mark that a pretraining loss is to be read against."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import entr

from glmflow.genome.reference import Reference

STRETCH = 1 << 24
"""Bases that are counted at a time."""


def base_composition(regions: pd.DataFrame, reference: Reference) -> np.ndarray:
    """Return the shares of A, C, G and T in regions (`chrom`, `start`, `end`), ``float64[4]``; N does not count."""
    counts = np.zeros(256, np.int64)
    for chrom, first, last in zip(regions["chrom"], regions["start"], regions["end"]):
        for start in range(first, last, STRETCH):
            counts += np.bincount(reference.fetch(chrom, start, min(start + STRETCH, last)), minlength=256)
    known = counts[np.frombuffer(b"ACGT", np.uint8)]
    return known / known.sum()


def chance_loss(composition: np.ndarray, masked_as: tuple[float, float] | None = None) -> float:
    """Return the loss in nats per base of a model that knows the base composition and looks at no other base.

    Parameters
    ----------
    composition
        Shares of A, C, G and T.
    masked_as
        Of a masked model: of the bases it is asked for, those below the first share are masked, those up to the second
        are shown as a random base, and the rest are shown as they are. What is shown tells something of what was
        there, so that less is lost by chance than the entropy of the composition.
    """
    if masked_as is None:
        return entropy(composition)
    masked, random = masked_as
    shown = 1 - masked
    # Of the joint distribution of a base (rows) and of what stands in its place (columns).
    joint = ((random - masked) * np.outer(composition, np.full(4, 0.25)) + (1 - random) * np.diag(composition)) / shown
    return masked * entropy(composition) + shown * (entropy(joint) - entropy(joint.sum(0)))


def entropy(shares: np.ndarray) -> float:
    """Return the entropy of a distribution in nats."""
    return float(entr(shares).sum())

"""Losses of models of any vocabulary on one scale: bits per base."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from glmflow.errors import InputError


def bits_per_base(nats: ArrayLike, bases: ArrayLike, scored: ArrayLike | None = None) -> float:
    """Return the bits that a base costs: the sum of nats over the scored tokens, by ln 2 and by the bases of these tokens.

    A mean of the tokens' own ratios weighs the bases of short tokens more, and is another number.

    Parameters
    ----------
    nats
        Loss of each token, any shape.
    bases
        Bases that each token covers, of the same shape.
    scored
        Which tokens count; all where left out.

    Raises
    ------
    InputError
        No base is scored.
    """
    nats, bases = np.asarray(nats, np.float64), np.asarray(bases, np.float64)
    kept = np.ones(nats.shape, bool) if scored is None else np.asarray(scored, bool)
    total = float(bases[kept].sum())
    if total <= 0:
        raise InputError("no base is scored", fix="Score longer sequences, or such as hold other letters than N.")
    return float(nats[kept].sum()) / (math.log(2) * total)

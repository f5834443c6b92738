"""Baselines of kind `hotspots`: what knowing the neighbouring windows reaches, without reading a base."""

from __future__ import annotations

import numpy as np

from . import sequence_predictors as simple
from .labelled_fits import fit_of
from .sequence_lookups import fit_neighbour_count


def neighbours(data: simple.SequenceData) -> simple.Predicted:
    """Fit the counts of both neighbours, which stand in the examples."""
    return fit_neighbour_count(data, data.rows["neighbour_count"].to_numpy(np.float64))


FITS = {"neighbour_count": fit_of(neighbours)}

"""How much of a gene's differences between samples its window can explain at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def haseman_elston(dosages: NDArray, y: NDArray[np.float64]) -> float:
    """Return the share of the variance of a trait that the variants of a window explain together (additive).

    Haseman-Elston regression of products of the standardised trait on relatedness by the standardised dosages, over all
    pairs of two people: `h2 = sum K_ij y_i y_j / sum K_ij^2` (Haseman and Elston 1972; Chen 2014, Front. Genet. 5:107).
    Unbiased, hence negative now and then; it is not cut off at 0.

    Parameters
    ----------
    dosages
        `[samples, V]` of 0, 1 or 2; variants that do not vary are left out.
    y : float64[samples]
        The trait; samples without a value (NaN) are left out.

    Returns
    -------
    float
        NaN where nothing varies.
    """
    known = np.isfinite(y)
    x, y = np.asarray(dosages, dtype=np.float64)[known], np.asarray(y, dtype=np.float64)[known]
    x = x[:, np.ptp(x, axis=0) > 0] if len(x) else x
    if x.shape[-1] == 0 or len(y) < 3 or np.ptp(y) == 0:
        return float("nan")
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    relatedness = x @ x.T / x.shape[1]
    off = ~np.eye(len(y), dtype=bool)
    # Centring makes pairs of the unrelated slightly negative on both sides: regress with an intercept.
    k, z = relatedness[off], np.outer(y, y)[off]
    k = k - k.mean()
    return float(k @ (z - z.mean()) / (k @ k))

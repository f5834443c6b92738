"""Whether each sample's genes are as high and low as the others', and whether genes keep their own levels at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from glmflow.statistics.influence import standardised

from .audit import PASS, Audit, graded, named

FEWEST_GENES = 20
FEWEST_SAMPLES = 4
COMMON = 0.6
"""Median correlation of samples with their common profile below which there is none to be unlike of."""
FAR = 6.0
"""Robust standard deviations below the median from which on a sample is unlike the others."""
APART = 0.5
"""How far below the median it is at least, on Fisher's scale (.9 against .75), where all others are nearly alike."""
LEVEL = 0.02
"""Standard deviations of a gene that its mean is at most from 0, and share by which the deviations of genes differ, where genes
were standardised."""
NEARLY_ALL = 0.95


def unlike_profiles(values: ArrayLike, samples: Sequence[str], where: str = "") -> Audit:
    """Return how many samples have other genes high and low than the rest: rows shifted, negated, or of another table.

    Genes are ranked within each sample and compared by Spearman's correlation with the median rank of all samples. A sample
    is unlike the others where its correlation, on Fisher's scale (Fisher 1921, Metron 1:3), is `FAR` robust standard
    deviations below the median one.

    Parameters
    ----------
    values
        `[genes, samples]`, in any unit; NaN counts as the sample's median.
    """
    name, table = "unlike samples", np.asarray(values, dtype=np.float64)
    if table.shape[0] < FEWEST_GENES or table.shape[1] < FEWEST_SAMPLES:
        return Audit(name, PASS, 0.0, 0.0, "too few genes or samples to compare profiles", where)
    r = with_common_profile(table)
    middle = float(np.median(r))
    if middle < COMMON:
        text = f"samples have little in common over genes (r = {middle:.2f}), so that none can be unlike the others"
        return Audit(name, PASS, 0.0, 0.0, text, where)
    fisher = np.arctanh(np.clip(r, -0.999999, 0.999999))
    below = np.median(fisher) - fisher
    spread = 1.4826 * float(np.median(np.abs(below)))
    found = np.flatnonzero(below > max(FAR * spread, APART))
    shown = [f"{samples[at]} (r = {r[at]:.2f})" for at in found[np.argsort(r[found])]]
    text = f"{len(found):,} of {len(r):,} samples have other genes high and low than the rest (median r = {middle:.2f})"
    text += f": {named(shown)}; are their rows in the order of the others, and their signs?" if shown else ""
    return graded(name, len(found), text, where, warn=0)


def with_common_profile(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Spearman's correlation of each sample with the median rank of all, over genes; NaN counts as the sample's median."""
    ranks = np.apply_along_axis(_ranks, 0, table)
    common = standardised(np.median(ranks, axis=1)[:, None])[:, 0]
    return np.nan_to_num(standardised(ranks).T @ common) / max(1, len(table))


def upright(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix `[genes, samples]` with the samples negated that have high what is low in the others (c - x)."""
    if table.shape[0] < FEWEST_GENES or table.shape[1] < FEWEST_SAMPLES:
        return table
    r = with_common_profile(table)
    return np.where((r < -COMMON) & (np.median(r) >= COMMON), -table, table)


def standardised_genes(values: ArrayLike, where: str = "") -> Audit:
    """Return the share of genes of mean 0 and one standard deviation: standardised over samples, held-out ones among them."""
    table = np.asarray(values, dtype=np.float64)
    known = np.isfinite(table).sum(axis=1) > 1
    table = table[known]
    name = "genes standardised before"
    if len(table) < FEWEST_GENES:
        return Audit(name, PASS, 0.0, NEARLY_ALL, "too few genes to tell whether they were standardised", where)
    mean, spread = np.nanmean(table, axis=1), np.nanstd(table, axis=1)
    typical = float(np.median(spread))
    if not typical:
        return Audit(name, PASS, 0.0, NEARLY_ALL, "genes do not vary", where)
    share = float(((np.abs(mean) < LEVEL * typical) & (np.abs(spread / typical - 1) < LEVEL)).mean())
    text = f"{share:.0%} of the genes have mean 0 and one standard deviation over all samples"
    told = ": they were standardised together with the samples that are held out, and their levels are gone"
    return graded(name, share, text + (told if share > NEARLY_ALL else ""), where, warn=NEARLY_ALL)


def _ranks(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of a sample's genes, unknown ones in the middle."""
    known = np.isfinite(column)
    return rankdata(np.where(known, column, np.median(column[known]) if known.any() else 0.0))

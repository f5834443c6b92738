"""Whether the measurements of a matrix go with the genotypes of their samples: labels swapped between samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glmflow.statistics.influence import standardised, without_group_means

from .audit import PASS, Audit, graded, named

MODELS = ((0, 1.0), (0, 5.0), (1, 1.0), (2, 0.3), (2, 1.0), (2, 5.0))
"""Powers of a variant's own r that it is weighted by, and penalties in units of the mean product."""
FACTORS = 5
"""Main components of expression that are taken off, at most a tenth of the samples."""
ROUNDS = 4
WEAK = 2.5
"""Standard deviations between right and wrong labels below which swapped ones cannot be recognised."""
MOST_SWAPPED = 0.05
MOST_GENES = 300


class Swaps(NamedTuple):
    """Which samples' measurements do not go with their genotypes.

    Attributes
    ----------
    table
        A row a sample: `sample`, `z` (how well its expression goes with its genotype, in standard deviations of how
        that of others does), `flagged`, `best` (sample whose expression goes best with the genotype), `best_z`.
    separation
        Standard deviations between right and wrong labels: what there is to tell them by.
    audit
        What it means.
    """

    table: pd.DataFrame
    separation: float
    audit: Audit


def swapped_labels(
    expression: ArrayLike,
    dosages: Sequence[ArrayLike],
    samples: Sequence[str],
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    where: str = "",
) -> Swaps:
    """Return the samples whose expression does not go with their genotypes.

    Each gene's expression is predicted from the variants of its window by ridge regression, every sample by a model that
    was fitted without it. Summed over genes, products of predictions and observations say how well the expression of one
    sample goes with the genotype of another. Those of right labels are normal around some mean, those of wrong ones
    around 0; the two are distinguished by the more probable one (expectation maximisation, unit variances).

    Parameters
    ----------
    expression
        `[genes, samples]`, on a scale on which differences are alike (logarithms).
    dosages
        Of each gene, `[samples, variants]` of 0, 1, 2. At most `MOST_GENES` genes are used, drawn by `seed`.
    groups
        Population of each sample, whose means are taken off.
    folds
        Parts that samples are left out by.
    """
    rng = np.random.default_rng(seed)
    y = np.asarray(expression, dtype=np.float64).T
    group = np.zeros(len(y)) if groups is None else np.asarray(groups)
    y = standardised(_without_factors(standardised(without_group_means(y, group)), np.isfinite(y)))
    size = np.sqrt(np.nanmean(y**2, axis=1, keepdims=True))  # a sample that is far off in everything goes with no one
    y = y / np.where(size > 0, size, 1)
    chosen = rng.permutation(len(dosages))[:MOST_GENES]
    fold = rng.permutation(np.arange(len(y)) % folds)
    genotypes = [_genotypes(np.asarray(dosages[gene], dtype=np.float64), group) for gene in chosen]
    trusted = np.ones(len(y), bool)
    for _ in range(ROUNDS):  # models are fitted again without those whose labels look wrong
        match, used = _matches(genotypes, y[:, chosen], fold, trusted)
        z = _standardised_rows(match)
        own = np.diag(z)
        separation, share = _mixture(own)
        # Posterior odds of a wrong label against a right one.
        odds = np.log(share / (1 - share)) - own**2 / 2 + (own - separation) ** 2 / 2
        again = (odds <= 0) | (separation < WEAK - 1)
        if (again == trusted).all():
            break
        trusted = again
    flagged = (odds > 0) & (separation >= WEAK)
    best = z.argmax(axis=1)
    names = np.asarray(samples, dtype=object)
    table = pd.DataFrame(
        {"sample": names, "z": own, "flagged": flagged, "best": names[best], "best_z": z[np.arange(len(z)), best]}
    )
    return Swaps(table, separation, _swap_audit(table, separation, used, where))


def _swap_audit(table: pd.DataFrame, separation: float, genes: int, where: str) -> Audit:
    """Return what the flagged samples mean."""
    if separation < WEAK:
        text = (
            f"genotypes predict too little of the expression of {genes:,} genes to tell swapped labels "
            f"({max(0, separation):.1f} standard deviations between right and wrong ones, {WEAK:g} are needed)"
        )
        return Audit("swapped labels", PASS, 0.0, 0.0, text, where)
    found = table[table["flagged"]].sort_values("z")
    names = [
        f"{row.sample} (looks like {row.best})" if row.best != row.sample else str(row.sample)
        for row in found.itertuples()
    ]
    text = f"the expression of {len(found):,} of {len(table):,} samples does not go with their genotypes"
    text += f": {named(names)}" if names else ""
    return graded("swapped labels", len(found) / max(1, len(table)), text, where, warn=0, fail=MOST_SWAPPED)


def _genotypes(dosages: NDArray[np.float64], groups: NDArray) -> NDArray[np.float64] | None:
    """Return standardised genotypes that vary, `[samples, variants]`, without the means of groups; None if nothing varies."""
    x = dosages[:, np.ptp(dosages, axis=0) > 0] if dosages.size else dosages
    x = standardised(without_group_means(x, groups)) if x.shape[-1] else x
    x = x[:, x.any(axis=0)] if x.shape[-1] else x
    return x if x.shape[-1] else None


def _matches(
    genotypes: Sequence[NDArray[np.float64] | None], y: NDArray[np.float64], fold: NDArray, trusted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], int]:
    """Return how well each genotype (row) goes with each expression (column), and how many genes say something of it."""
    match, used = np.zeros((len(y), len(y))), 0
    for x, observed in zip(genotypes, y.T):
        guess = _out_of_fold(x, observed, fold, trusted)
        if guess is not None:
            match += np.outer(guess, np.nan_to_num(observed))
            used += 1
    return match, used


def _out_of_fold(
    x: NDArray[np.float64] | None, y: NDArray[np.float64], fold: NDArray, trusted: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Return predictions of each sample by a model fitted without it: the best of `MODELS`; None if none predicts anything.

    A ridge over all variants, and ridges in which a variant weighs more the better it predicts alone (a power of its r),
    for a gene has few variants that act; solved between samples, since variants are many.
    """
    known = np.isfinite(y) & trusted
    if x is None or not known.any():
        return None
    guesses = np.zeros((len(MODELS), len(y)))
    for number in np.unique(fold):
        fitted, left_out = (fold != number) & known, fold == number
        r = x[fitted].T @ y[fitted] / max(1, fitted.sum())
        for place, (power, penalty) in enumerate(MODELS):
            weighted = x * np.abs(r) ** power
            products = weighted @ weighted[fitted].T
            scale = np.trace(products[fitted]) / max(1, fitted.sum())
            ridge = products[fitted] + penalty * max(scale, 1e-12) * np.eye(int(fitted.sum()))
            guesses[place, left_out] = products[left_out] @ np.linalg.solve(ridge, y[fitted])
    gain = 1 - ((guesses[:, known] - y[known]) ** 2).sum(axis=1) / max((y[known] ** 2).sum(), 1e-12)
    best = int(np.argmax(gain))
    return guesses[best] if gain[best] > 0 else None


def _without_factors(y: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return expression `[samples, genes]` without its main components, which no gene's own variants make.

    Every sample counts alike (spherical principal components; Locantore et al. 1999, Test 8:1): two samples that are
    swapped between populations would else be a component of their own, without which each looks half like the other.
    """
    y = np.nan_to_num(y)
    number = min(FACTORS, len(y) // 10, y.shape[1] // 10)
    length = np.linalg.norm(y, axis=1, keepdims=True)
    u, _, v = np.linalg.svd(y / np.where(length > 0, length, 1), full_matrices=False)
    of_many = v[:number][(u[:, :number] ** 4).sum(axis=0) < 6 / len(y)]  # 3 / n of normal scores
    return np.where(known, y - (y @ of_many.T) @ of_many, np.nan)


def _standardised_rows(match: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row in standard deviations of its entries off the diagonal, whose mean is 0 then."""
    off = match.copy()
    np.fill_diagonal(off, np.nan)
    mean, deviation = np.nanmean(off, axis=1, keepdims=True), np.nanstd(off, axis=1, keepdims=True)
    return (match - mean) / np.where(deviation > 0, deviation, 1)


def _mixture(z: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean of the samples with right labels, and the share of those with wrong ones, of mean 0."""
    mean, share = float(max(np.quantile(z, 0.75), 0.1)), 0.1
    for _ in range(200):
        odds = np.log(share / (1 - share)) - z**2 / 2 + (z - mean) ** 2 / 2
        wrong = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        mean = float(((1 - wrong) * z).sum() / max((1 - wrong).sum(), 1e-9))
        share = float(np.clip(wrong.mean(), 0.5 / len(z), 0.9))
    return mean, share

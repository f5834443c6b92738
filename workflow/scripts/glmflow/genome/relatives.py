"""How much of their genomes samples share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MIN_MAF = 0.05


class Kinship:
    """Estimates the kinship of every two samples from dosages that are added gene by gene.

    Samples with the same alleles everywhere are the same genome, also where they are heterozygous nowhere (inbred lines,
    a few short windows), of which the estimator knows nothing.

    The estimator is KING-robust (Manichaikul et al. 2010, Bioinformatics 26:2867, equation 11):
    `1/2 - sum (x_i - x_j)^2 / (4 min(het_i, het_j))`, 0.5 for the same genome, 0.25 for parents and siblings, about 0 for
    the unrelated, below 0 across populations. Over a short stretch of genome chance is large.
    """

    def __init__(self, people: int):
        self.products = np.zeros((people, people))
        self.sums = np.zeros(people)
        self.heterozygous = np.zeros(people)
        self.both = np.zeros((people, people))
        self.variants = 0

    def add(self, dosages: NDArray) -> None:
        """Add variants, `[samples, V]` of 0, 1 or 2; rare ones are left out."""
        dosages = np.asarray(dosages, dtype=np.float64)
        frequency = dosages.mean(axis=0) / 2
        common = dosages[:, np.minimum(frequency, 1 - frequency) >= MIN_MAF]
        self.products += common @ common.T
        self.sums += common.sum(axis=1)
        heterozygous = (common == 1).astype(np.float64)
        self.heterozygous += heterozygous.sum(axis=1)
        self.both += heterozygous @ heterozygous.T
        self.variants += common.shape[1]

    def estimate(self) -> NDArray[np.float64]:
        """Return kinship, `[samples, samples]`; NaN where either is heterozygous nowhere, unless they are alike."""
        squares = np.diag(self.products)
        return self._kinship(squares[:, None] + squares - 2 * self.products)

    def turned(self) -> NDArray[np.float64]:
        """Return the kinship that samples would have if one of both had its alleles turned (2 - dosage), `[samples, samples]`."""
        far = np.diag(self.products) - 4 * self.sums
        return self._kinship(far[:, None] + far + 2 * self.products + 4 * self.variants)

    def evidence(self) -> dict[str, NDArray[np.float64]]:
        """Return what tells who is related: `kinship`, `concordance` and `turned`, each `[samples, samples]`."""
        return {"kinship": self.estimate(), "concordance": self.concordance(), "turned": self.turned()}

    def _kinship(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return kinship by the sum of squared differences of dosages."""
        least = np.minimum(self.heterozygous[:, None], self.heterozygous)
        with np.errstate(divide="ignore", invalid="ignore"):
            estimate = np.where(least > 0, 0.5 - distance / (4 * least), np.nan)
        return np.where((distance == 0) & (self.variants > 0), 0.5, estimate)

    def concordance(self) -> NDArray[np.float64]:
        """Return of the variants at which either sample is heterozygous the share at which both are, `[samples, samples]`.

        1 for the same genome, 1/3 for parent and child, at most .45 for siblings (5/8 of one's are heterozygous in the other
        where both alleles are as frequent); wrong genotypes take less off it than off kinship. NaN where neither is
        heterozygous anywhere.
        """
        either = self.heterozygous[:, None] + self.heterozygous - self.both
        return np.divide(self.both, either, out=np.full_like(self.both, np.nan), where=either > 0)

    def pairs(self, threshold: float) -> list[tuple[int, int]]:
        """Return the pairs of samples whose kinship reaches a threshold."""
        reached = np.triu(np.nan_to_num(self.estimate(), nan=-np.inf) >= threshold, 1)
        return [(int(a), int(b)) for a, b in np.argwhere(reached)]


def family_pairs(families: Iterable[object]) -> list[tuple[int, int]]:
    """Return pairs of positions that connect the members of each family; an empty name is no family."""
    first: dict[str, int] = {}
    pairs = []
    for position, family in enumerate(families):
        name = "" if family is None or family != family else str(family).strip()
        if name in ("", ".", "0", "NA"):
            continue
        if name in first:
            pairs.append((first[name], position))
        first.setdefault(name, position)
    return pairs

"""Whether the classes of held-out samples are those that their genotypes are like in training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from glmflow.labelled.audit_checks import Check
from glmflow.labelled.split_checks import SURE, SWAPPED
from glmflow.statistics.classification import auroc


def swapped_people(dosages: Sequence[NDArray], target: NDArray, split: NDArray, classes: Sequence[str]) -> Check:
    """Return the pairs of classes that genotypes tell apart in training, and the wrong way round among test samples.

    Each test sample is scored by its dosages along the difference of the mean dosages of both classes in training; an AUROC
    below chance by more than four standard errors (of Mann and Whitney's statistic, samples as units) is no chance.

    Parameters
    ----------
    dosages
        Alternative alleles of each sample at each variant of a window, `[samples, variants]`, a window each.
    target, split
        Class and split of each sample, `[samples]`.
    classes
        Names of the classes that are compared.
    """
    train, test = split == "train", split == "test"
    said = []
    for one, other in combinations(classes, 2):
        known = [train & (target == name) for name in (one, other)]
        asked = test & np.isin(target, (one, other))
        ones = int((target[asked] == one).sum())
        zeros = int(asked.sum()) - ones
        if not (all(part.any() for part in known) and ones and zeros):
            continue
        score = np.zeros(int(asked.sum()))
        for own in dosages:
            score += own[asked] @ (own[known[0]].mean(axis=0) - own[known[1]].mean(axis=0))
        reached = float(auroc(target[asked] == one, score)[0])
        error = np.sqrt((ones + zeros + 1) / (12 * ones * zeros))
        if reached <= SWAPPED and 0.5 - reached > SURE * error:
            said.append(f"{one} and {other}, AUROC {reached:.2f}")
    total = int(test.sum())
    text = "genotypes of training samples tell test samples alike"
    if said:
        text = f"by genotypes of training samples, classes of test samples are the wrong way round ({'; '.join(said)}): swapped?"
    return Check("swapped labels", total if said else 0, total, "FAIL" if said else "PASS", text)

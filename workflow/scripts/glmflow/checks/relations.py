"""Samples that are one sample, and relatives in different splits; groups that leave too little of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glmflow.genome.shares import came_out, require_half

from .audit import Audit, graded, named

TWIN, FIRST, SECOND = 2**-1.5, 2**-2.5, 2**-3.5
"""Kinship from which on two samples are one sample, parent and child or siblings, relatives of the second degree.

The limits of KING (Manichaikul et al. 2010, Bioinformatics 26:2867, table 1)."""
ALIKE = 0.55
"""Concordance of heterozygous genotypes from which on two samples are one sample (`Kinship.concordance`).

Of one person 10 % of wrong genotypes leave .6 to .85 of it by the frequencies of alleles, but of kinship .4 or less, as of
parent and child: siblings have .45 of it at most."""
CLEAR = 4.0
"""Standard deviations of the kinship of unrelated samples that a relation has to exceed beside its limit."""
FAR = 7.0
"""The same of concordance: of 44,850 pairs of 300 unrelated samples none is as far off over 1 Mb of chromosome 20 (.68; the
highest has .62), and one of them with 10 % of wrong genotypes, .82, is."""
SURE = 0.45
"""Kinship from which on two samples are one person however much chance there is."""

MOST_NOISE = 0.155
"""Scatter of the kinship of strangers beyond which some of them are alike throughout, and no one can be told from them.

Of 30 to 300 samples of 1000 Genomes over parts of chromosome 20: up to here no more than one or two pairs of strangers pass for
one person (0.3 Mb and more), beyond it up to 388 (120 to 600 variants in a row); 120 variants far apart have .08 to .14."""


class Relations(NamedTuple):
    """Related samples.

    Attributes
    ----------
    pairs
        `one`, `other`, `kinship`, `relation` (`same person`, `parent and child or siblings`), `turned` (whether kinship is that
        with the alleles of one turned), `splits`, `between_splits`.
    noise
        Standard deviation of the kinship of unrelated samples, which is large over a short stretch of genome.
    audits
        What they mean.
    """

    pairs: pd.DataFrame
    noise: float
    audits: list[Audit]


def relations(
    kinship: NDArray[np.float64],
    samples: Sequence[str],
    split: ArrayLike | None = None,
    where: str = "",
    concordance: NDArray[np.float64] | None = None,
    turned: NDArray[np.float64] | None = None,
) -> Relations:
    """Return the samples that are the same person, or related in the first degree.

    Parameters
    ----------
    kinship
        KING-robust estimates `[samples, samples]`; NaN where there is none.
    samples
        Names.
    split
        Split of each sample; samples without one (empty) take no part in comparisons between splits.
    concordance
        Concordance of heterozygous genotypes `[samples, samples]` (`Kinship.concordance`), which tells a sample with wrong
        genotypes from a relative; None where it is not known.
    turned
        Kinship with the alleles of one of both turned at every site (`Kinship.turned`); None where it is not known.
    """
    upper = np.triu(np.ones(kinship.shape, bool), 1)
    known = kinship[upper & np.isfinite(kinship)]
    middle, noise = _chance(known[known < FIRST])
    parts = np.array([""] * len(samples) if split is None else list(split), dtype=object)
    table = np.nan_to_num(kinship, nan=-1.0)
    rows = []
    # Over a short stretch of genome many unrelated pairs pass the limits by chance: that is said, and no pair named.
    clear = middle + CLEAR * noise
    same = _one_person(table, clear, concordance, upper)
    mirrored = np.zeros_like(same)
    if turned is not None:
        usual, spread = _chance(turned[upper & np.isfinite(turned)])
        mirrored = _one_person(np.nan_to_num(turned, nan=-1.0), usual + CLEAR * spread, concordance, upper) & ~same
        same |= mirrored
    too_few = noise > MOST_NOISE
    same &= not too_few
    related = same | (table >= max(FIRST, clear))
    for a, b in np.argwhere(upper & related):
        relation = "same person" if same[a, b] else "parent and child or siblings"
        between = parts[a] != parts[b] and bool(parts[a]) and bool(parts[b])
        found = float(turned[a, b] if turned is not None and mirrored[a, b] else table[a, b])
        told = (found, relation, bool(mirrored[a, b]), f"{parts[a]}, {parts[b]}", between)
        rows.append((samples[a], samples[b], *told))
    pairs = pd.DataFrame(rows, columns=["one", "other", "kinship", "relation", "turned", "splits", "between_splits"])
    audits = [*_of_pairs(pairs, len(samples), too_few, where), _of_noise(noise, middle, where)]
    return Relations(pairs, noise, audits)


def related_samples(evidence: Mapping[str, Any]) -> list[Audit]:
    """Return the audits of `relations` of what a task has of its samples: `samples`, `split`, and `Kinship.evidence`."""
    kinship, names, split = (evidence[name] for name in ("kinship", "samples", "split"))
    more = {name: evidence.get(name) for name in ("concordance", "turned")}
    return relations(kinship, names, split, **more).audits


def _one_person(
    kinship: NDArray[np.float64],
    clear: float,
    concordance: NDArray[np.float64] | None,
    upper: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which pairs are one person, by their kinship and by the concordance of heterozygous genotypes where it is known.

    Parameters
    ----------
    clear
        Kinship that chance does not reach.
    upper
        Pairs that are looked at.
    """
    same = kinship >= max(TWIN, min(clear, SURE))
    if concordance is not None:
        among = concordance[upper & (kinship < FIRST) & np.isfinite(concordance)]
        usual, spread = _chance(among)
        same |= (np.nan_to_num(concordance) >= max(ALIKE, usual + FAR * spread)) & (kinship >= SECOND)
    return same


def _chance(unrelated: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median of unrelated pairs, and how far those above it scatter; 0 where there are none.

    Of populations far apart kinship is below 0: the upper half of the unrelated is what can be taken for relatives.
    """
    middle = float(np.median(unrelated)) if len(unrelated) else 0.0
    above = unrelated[unrelated >= middle] - middle
    return middle, float(np.sqrt((above**2).mean())) if len(above) else 0.0


def _of_pairs(pairs: pd.DataFrame, count: int, too_few: bool, where: str) -> list[Audit]:
    """Return what the pairs mean: one sample in two splits is a leak, relatives have to be known."""
    audits = []
    for name, relation, limits in (
        ("one person under two names", "same person", {"fail": 0}),
        ("relatives in different splits", "parent and child or siblings", {"warn": 0}),
    ):
        found = pairs[pairs["relation"] == relation]
        between = found[found["between_splits"]]
        shown = between if len(between) else found
        text = f"{len(found):,} pairs of {count:,} samples are {relation}, {len(between):,} of them in different splits"
        names = [
            f"{row.one} and {row.other} ({row.kinship:.2f}{', alleles turned' * row.turned})"
            for row in shown.itertuples()
        ]
        text += f": {named(names)}" if names else ""
        if too_few:
            text = f"too few variants, or too near to each other, to tell which of {count:,} samples are {relation}"
        if relation == "same person" and not len(between):
            audits.append(graded(name, len(found), text, where, warn=0))
        else:
            audits.append(graded(name, len(between), text, where, **limits))
    return audits


def _of_noise(noise: float, middle: float, where: str) -> Audit:
    """Return whether kinship can be distinguished from chance at all."""
    needed = middle + CLEAR * noise
    text = f"kinship of unrelated samples scatters by {noise:.3f}; a first degree is {FIRST:.3f} or more"
    if needed > FIRST:
        text += (
            f". Over so little of the genome that is chance: relatives can be distinguished from {needed:.2f} on, so take a higher "
            "`kinship` or give families"
        )
    return graded("noise of kinship", needed, text, where, warn=FIRST)


def require_shares(
    split: ArrayLike, asked: Mapping[str, float], groups: ArrayLike, what: str, where: str, fix: str
) -> Audit:
    """Return an audit of the shares that came out, and stop where groups swallowed a split.

    Parameters
    ----------
    split
        Split of each unit.
    asked
        Share of each split that was asked for (`train`, `validation`, `test`).
    groups
        Group of each unit, whose members stay together.
    what
        What the units are, as it stands in a sentence (`samples`).
    where, fix
        Key of the configuration, and what to do about it.

    Raises
    ------
    InputError
        A split has less than half of its share, with the shares that came out and the largest group.
    """
    outcome = came_out(split, asked, groups, what)
    require_half(outcome, where, fix)
    return graded("shares of splits", outcome.missing, outcome.text, where, warn=0.25)

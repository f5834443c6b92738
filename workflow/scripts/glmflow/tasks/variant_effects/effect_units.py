"""The units that are independent of each other, and bootstrap draws of them: never single variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.loci import blocks
from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.group_draws import group_weights

DRAWS = 1000
CELLS = 2**22
"""Weights that exist at a time."""
FEWEST = 8
"""Fewer units than this give no interval worth the name; the next smaller unit is taken."""
UNITS = ("unit", "chrom", "group", "block", "match_group", "element", "exon")
"""Columns, the largest unit first; `unit` is what a task names as such."""


class Units(NamedTuple):
    """What was drawn: the column's name (`site` where no other has enough), and the unit of each row `int64[n]`."""

    name: str
    codes: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.codes.max(initial=-1)) + 1


def units_of(examples: pd.DataFrame) -> Units:
    """Return the largest unit of which there are at least `FEWEST`.

    A column `unit` comes before all of them (the chromosomes of elements that are contigs of their own, say); then
    chromosomes, genes, blocks of 100 kb or more (`genome.loci.blocks`), match groups, elements, exons; without any, sites:
    the alternatives of one base are never drawn apart.
    """
    if {"chrom", "start", "ref"} <= set(examples) and "block" not in examples:
        ends = examples["start"] + examples["ref"].astype(str).str.len()
        examples = examples.assign(block=blocks(examples.assign(end=ends)))
    for name in UNITS:
        if name in examples and examples[name].notna().any() and examples[name].nunique() >= FEWEST:
            own = examples[name].astype(str).where(examples[name].notna() & (examples[name].astype(str) != ""), "none")
            return Units(name, pd.factorize(own)[0].astype(np.int64))
    site = examples["chrom"].astype(str) + ":" + examples["start"].astype(str)
    return Units("site", pd.factorize(site)[0].astype(np.int64))


def draws_of(units: Units, draws: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """Return how often each unit is drawn in each resample, `float64[draws, units]`."""
    return group_weights(np.arange(units.count), draws, seed)


def over_draws(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    drawn: NDArray[np.float64],
    codes: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return a statistic of weighted rows in each draw of their units, `float64[draws]`.

    Parameters
    ----------
    statistic
        Function of weights `[some draws, rows]`.
    drawn
        `float64[draws, units]`: see `draws_of`.
    codes
        `int64[rows]`: the unit of each row.
    """
    step = max(1, CELLS // max(len(codes), 1))
    return np.concatenate([statistic(drawn[at : at + step, codes]) for at in range(0, len(drawn), step)])


def interval(value: float, drawn: NDArray[np.float64], n: int) -> Interval:
    """Return a value with the 2.5 and 97.5 percentiles of its draws; no bounds where no draw has a value."""
    known = drawn[np.isfinite(drawn)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Interval(float(value), float(low), float(high), n)

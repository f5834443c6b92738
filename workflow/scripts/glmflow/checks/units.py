"""Whether all of a matrix of expression is in one unit, by simple facts of it: before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .audit import Audit, graded, named
from .logarithms import MILLION, TOLERANCE, one_base, one_number_added, scale_of, sums_to_a_million, whole_numbers

WHOLE = 0.999
"""Share of a column's values that are whole numbers from which on they are counts."""
FACTOR = 10.0
APART = 30.0
DEPTH = 5.0
DEPTH_FAIL = 50.0
LARGEST_LOG = 30.0  # log2 of a billion
LARGEST_TWICE = 3.6  # log of 1 + LARGEST_LOG
NARROW = 8.0
"""Times the median gene that the largest one is at most where values are logarithms; without one it is hundreds of times."""
ENOUGH_GENES = 50
FLOOR = 0.02
OFFSET = 0.05
"""Share of negative logarithms from which on less than 1 was added before, where other samples have none."""
NEARLY = 0.2
"""How far from a million sums may be where others are a million: of genes that are a part of all."""
NEAR_NARROW = 3.0
"""Times that beyond `NARROW` a sample may be among samples of logarithms, or short of it among others."""


class Facts(NamedTuple):
    """Simple facts of a matrix.

    Attributes
    ----------
    samples
        A row a sample: `sample`, `total`, `whole` (share of whole numbers among values above 0), `negative` (share),
        `largest`, `zeros` (share), `size` (factor to the median sample over genes that all express, as of DESeq's median
        of ratios; Anders and Huber 2010, Genome Biol 11:R106), `unit`; of logarithms what `logarithms.Scale` has.
    unit
        `counts`, `per million`, `other` (per kilobase, ...), `logarithms`, `logarithms of logarithms`, `centred`, `mixed`.
    """

    samples: pd.DataFrame
    unit: str


def matrix_facts(values: ArrayLike, samples: Sequence[str]) -> Facts:
    """Return the facts by which the unit of each sample of a matrix `[genes, samples]` is recognised; NaN is no value."""
    table = np.asarray(values, dtype=np.float64)
    with np.errstate(all="ignore"):
        above = table > 0
        total = np.nansum(table, axis=0)
        whole = ((table == np.round(table)) & above).sum(axis=0) / np.maximum(above.sum(axis=0), 1)
        here = np.maximum(np.isfinite(table).sum(axis=0), 1)
        largest = np.nanmax(table, axis=0, initial=-np.inf)
        rows = pd.DataFrame(
            {
                "sample": list(samples),
                "total": total,
                "whole": whole,
                "negative": (table < 0).sum(axis=0) / here,
                "largest": largest,
                "zeros": (table == 0).sum(axis=0) / here,
                "size": _sizes(table),
            }
        )
    rows["unit"] = [_unit(row, column) for row, column in zip(rows.itertuples(), table.T)]
    rows["unit"] = _agreed(rows, table)
    if (rows["unit"] == "per million").any():
        near = (rows["unit"] == "other") & ((rows["total"] / MILLION - 1).abs() < NEARLY)
        rows.loc[near, "unit"] = "per million"
    below, none = rows["negative"] > OFFSET, rows["negative"] == 0
    if len(rows) and (rows["unit"] == "logarithms").all() and below.any() and none.any() and (below | none).all():
        rows.loc[below, "unit"] = "logarithms of values plus less than 1"
    if len(rows) and (rows["unit"] == "logarithms").all():
        scale = scale_of(table)
        rows = rows.assign(**scale._asdict())
    units = set(rows["unit"])
    return Facts(rows, units.pop() if len(units) == 1 else "mixed" if units else "other")


def _sizes(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor of each sample to the median one: median over genes of its ratio to the gene's geometric mean."""
    expressed = (table > 0).all(axis=1)
    if expressed.sum() < 5 and len(table):  # genes that nearly all express have to do
        share = (table > 0).sum(axis=1)
        expressed = (share >= np.quantile(share, 0.9)) & (share > 0)
    logs = np.log(np.where(table[expressed] > 0, table[expressed], np.nan))
    if not logs.size or np.isnan(logs).all(axis=0).any():
        return np.ones(table.shape[1])
    ratios = np.nanmedian(logs - np.nanmean(logs, axis=1, keepdims=True), axis=0)
    return np.exp(ratios - np.median(ratios))


def _unit(row, column: NDArray[np.float64]) -> str:
    """Return the unit of one sample."""
    known = column[np.isfinite(column)]
    if not len(known) or not (known != 0).any():
        return "other"
    if row.whole >= WHOLE and not row.negative:
        return "counts"
    if row.negative > 0.1:
        # Zeros and a small number added before the logarithm are one value, that of many genes, below all others.
        return "logarithms" if (known == known.min()).mean() > FLOOR else "centred"
    if row.largest <= LARGEST_LOG:
        if sums_to_a_million(known):
            return "logarithms"
        if sums_to_a_million(np.expm1(known)) or sums_to_a_million(np.exp2(known) - 1):  # at most 1e13
            return "logarithms of logarithms"
        expressed = known[known > 0]
        if len(known) >= ENOUGH_GENES and row.largest < NARROW * np.median(expressed):
            return "logarithms of logarithms" if row.largest <= LARGEST_TWICE else "logarithms"
    return "per million" if abs(row.total / MILLION - 1) < TOLERANCE else "other"


def _agreed(rows: pd.DataFrame, table: NDArray[np.float64]) -> pd.Series:
    """Return units of samples, of which those near a limit have that of most: of few reads logarithms look like amounts."""
    unit = rows["unit"].copy()
    if not (len(rows) and (rows["largest"] <= LARGEST_LOG).all() and (unit == "logarithms").any()):
        return unit
    known = table[np.isfinite(table) & (table > 0)]
    if whole_numbers(known) and np.mean(known == np.round(known)) < WHOLE:
        # Of few reads a sample has only 0, 1 and 3, whose logarithms are whole too.
        odd = (unit != "centred") & ~np.array([_whole_only(column) for column in table.T])
        return unit.mask(odd, "logarithms")
    middle = np.array([np.median(column[column > 0]) if (column > 0).any() else np.nan for column in table.T])
    near = unit.isin(["other", "logarithms"]) & (rows["largest"] < NEAR_NARROW * NARROW * middle)
    most = unit[near].mode()
    return unit.mask(near, most[0]) if len(most) else unit


def _whole_only(column: NDArray[np.float64]) -> bool:
    """Return whether a sample has four values or more above 0, all whole: counts, and not logarithms of 2, 4, 8 and 16 alone."""
    values = np.unique(column[column > 0])
    return len(values) > 3 and bool((values == np.round(values)).all())


def mixed_units(
    facts: Facts, groups: ArrayLike | None = None, takes_log: bool | None = None, where: str = ""
) -> list[Audit]:
    """Return what is wrong with the units of a matrix.

    Parameters
    ----------
    facts
        See `matrix_facts`.
    groups
        Group of each sample (batch, population, source), between which a factor is looked for.
    takes_log
        Whether a study takes the logarithm of the matrix.
    """
    rows = facts.samples
    audits = [_of_units(rows, where)]
    linear = ~rows["unit"].isin(["centred", "logarithms", "logarithms of logarithms"])
    scales = [one_base(rows, where), one_number_added(rows, where)] if "zero" in rows and len(rows) > 1 else []
    audits += scales
    if len(rows) > 1 and (linear.all() or (scales and not any(audit.figure for audit in scales))):
        audits += _of_factors(rows, groups, where)
    if takes_log is not None:
        twice = takes_log and facts.unit in ("logarithms", "logarithms of logarithms", "centred")
        text = "the matrix holds " + ("more than one unit" if facts.unit == "mixed" else f"{facts.unit} by its values")
        text += ", and the study takes their logarithm again" if twice else ""
        audits.append(graded("logarithm taken twice", float(twice), text, where, fail=0))
    if facts.unit == "logarithms of logarithms":
        text = f"no value is above {rows['largest'].max():.2f}, as of logarithms of logarithms: it may have been taken twice"
        audits.append(graded("small values", 1, text, where, warn=0))
    return audits


def _of_units(rows: pd.DataFrame, where: str) -> Audit:
    """Return whether all samples are in one unit."""
    counts = rows["unit"].value_counts()
    odd = rows[rows["unit"] != counts.index[0]] if len(counts) else rows
    text = " and ".join(f"{count:,} samples are {unit}" for unit, count in counts.items())
    text += f": {named(list(odd['sample']))} differ" if len(odd) else ""
    return graded("mixed units", len(odd), text or "no sample", where, fail=0)


def _of_factors(rows: pd.DataFrame, groups: ArrayLike | None, where: str) -> list[Audit]:
    """Return whether samples, or groups of them, are apart by a factor."""
    audits, size = [], rows["size"].to_numpy(float)
    ordered = np.argsort(size)
    spread = float(size[ordered[-1]] / max(size[ordered[0]], 1e-300))
    names = rows["sample"].to_numpy()
    text = f"samples differ by a factor of {spread:.3g} in depth: {names[ordered[0]]} least, {names[ordered[-1]]} most"
    audits.append(graded("depth", spread, text, where, warn=DEPTH, fail=DEPTH_FAIL))
    # A gap in the sorted sizes parts two groups, whether or not they are known.
    logs = np.log(size[ordered])
    gaps = np.diff(logs)
    place = int(np.argmax(gaps)) if len(gaps) else 0
    low, high = ordered[: place + 1], ordered[place + 1 :]
    factor = float(np.exp(np.median(np.log(size[high])) - np.median(np.log(size[low])))) if len(high) else 1.0
    tight = float(np.exp(gaps[place])) if len(gaps) else 1.0
    factor = factor if tight > FACTOR**0.5 else 1.0
    few = names[low if len(low) < len(high) else high]
    text = f"two groups of samples are apart by a factor of {factor:.3g}"
    text = f"{text}: {named(list(few))}" if factor > FACTOR else "no group of samples is apart by a factor"
    audits.append(graded("a factor between samples", factor, text, where, warn=FACTOR, fail=APART * 0.8))
    if groups is not None:
        centres = pd.Series(np.log(size)).groupby(np.asarray(groups)).median()
        between = float(np.exp(centres.max() - centres.min())) if len(centres) else 1.0
        text = f"groups differ by a factor of {between:.3g}: {centres.idxmin()} least, {centres.idxmax()} most"
        audits.append(graded("a factor between groups", between, text, where, warn=2.0, fail=FACTOR))
    return audits

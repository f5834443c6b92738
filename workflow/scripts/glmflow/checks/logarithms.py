"""To which base logarithms are, what was added before them, and how far samples are apart: by values of single samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .audit import Audit, graded, named

BASES = {"e": np.e, "2": 2.0, "10": 10.0}
MILLION = 1e6
TOLERANCE = 0.05
LARGEST_EXPONENT = 300.0
"""Natural logarithm of what is still added without overflow."""
LARGEST_WHOLE, ROUNDED, WHOLE = 100.0, 0.02, 0.99
"""Amounts by which whole numbers are recognised, how far from them these are at most (text), and the share that is so."""
NEARLY_ALL = 0.9
"""Share of the samples whose base has to be known by their values: of a few a sum is a million by chance."""
STEEPER = 1.3
"""Times as steep over the genes' means as another group that samples are whose logarithms have another base (e and 2: 1.44)."""
SURE = 0.05
"""Standard error of a slope, as a share of it, up to which it says something."""
FEWEST_GENES = 50
STRAY = 0.02
"""Share of the highest genes that a sample may have at zero, by chance or for good, where these tell its slope."""
ZEROS, OFTENER = 0.02, 2.0
"""Share of a sample's genes that are at its zero at least, and how many times as many as have the next value."""
FEWEST_SAMPLES = 4
SAME_GENES = 0.5
"""Share of a sample's genes at zero that are so in most of the others: another lowest value is no zero."""
DIGITS = 3


class Scale(NamedTuple):
    """What values of samples say of their scale, a value a sample.

    Attributes
    ----------
    base
        Base by which values are logarithms of amounts per million, or of whole numbers, one of `BASES`; empty if no one is.
    slope
        Slope over the genes' means among the highest genes, 1 at the median sample; NaN where reads are too few to tell.
    size
        Factor to the median sample; 1 where reads are too few to tell.
    zero
        Value that stands for zero: the lowest, of many genes; NaN if there is none.
    shared
        Share of its genes at zero that are so in most samples whose zero is the usual one.
    """

    base: NDArray[np.str_]
    slope: NDArray[np.float64]
    size: NDArray[np.float64]
    zero: NDArray[np.float64]
    shared: NDArray[np.float64]


def scale_of(table: NDArray[np.float64]) -> Scale:
    """Return what the values of a matrix of logarithms `[genes, samples]` say of each sample's scale; NaN is no value."""
    zero = np.array([_zero(column) for column in table.T])
    base = np.array([_base(column, lowest) for column, lowest in zip(table.T, zero)], dtype="U2")
    slope, shift = _slopes(table, zero)
    known = [name for name in base if name]
    factor = BASES[max(set(known), key=known.count) if known else "2"]
    return Scale(base, slope, factor**shift, zero, _shared(table, zero))


def sums_to_a_million(logs: NDArray[np.float64], added: float = 1.0) -> list[str]:
    """Return the `BASES` by which values are logarithms of amounts that sum to a million, with a number added to each."""
    known, found = logs[np.isfinite(logs)], []
    for name, base in BASES.items():
        total = np.exp(np.minimum(known * np.log(base), LARGEST_EXPONENT)).sum() - added * len(known)
        if abs(total / MILLION - 1) < TOLERANCE:
            found.append(name)
    return found


def whole_numbers(logs: NDArray[np.float64]) -> list[str]:
    """Return the `BASES` by which values are logarithms of 1 + whole numbers: three small ones at least, 1 or 2 among them."""
    found = []
    for name, base in BASES.items():
        small = np.expm1(logs[(logs > 0) & (logs < np.log(LARGEST_WHOLE) / np.log(base))] * np.log(base))
        whole = np.round(small)
        if len(np.unique(whole)) >= 3 and whole.min() <= 2 and (np.abs(small - whole) < ROUNDED).mean() > WHOLE:
            found.append(name)
    return found


def _zero(column: NDArray[np.float64]) -> float:
    """Return the value of a sample that stands for zero; NaN if there is none."""
    values, counts = np.unique(column[np.isfinite(column)], return_counts=True)
    if len(values) < 2 or counts[0] < max(2, ZEROS * counts.sum(), OFTENER * counts[1]):
        return float("nan")
    return float(values[0])


def _base(column: NDArray[np.float64], zero: float) -> str:
    """Return the one base by which a sample is logarithms of whole numbers, or of amounts per million; else nothing."""
    found = set(whole_numbers(column[np.isfinite(column)]))
    if not found and np.isfinite(zero):
        found = {name for name, base in BASES.items() if name in sums_to_a_million(column, base**zero)}
    return found.pop() if len(found) == 1 else ""


def _slopes(table: NDArray[np.float64], zero: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return slope over the genes' means (NaN where it is not sure), and shift from these, of each sample's highest genes.

    They are as many as hardly any is at zero of: of genes that a sample has a read of by chance those that it has none of
    would be left out, and what is left would be all alike.
    """
    count = table.shape[1]
    slopes, shifts = np.full(count, np.nan), np.zeros(count)
    known = np.isfinite(table)
    rows = known.any(axis=1)
    table, known = table[rows], known[rows]
    means = np.where(known, table, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    order = np.argsort(-means, kind="stable")
    for sample in range(count):
        own = order[known[order, sample]]
        none = np.cumsum(table[own, sample] <= zero[sample]) if np.isfinite(zero[sample]) else np.zeros(len(own))
        few = np.flatnonzero(none <= STRAY * np.arange(1, len(own) + 1))
        own = own[: few[-1] + 1] if len(few) else own[:0]
        if np.isfinite(zero[sample]):
            own = own[table[own, sample] > zero[sample]]
        if len(own) < FEWEST_GENES:
            continue
        x, y = means[own] - means[own].mean(), table[own, sample] - table[own, sample].mean()
        slope = float(x @ y / max(x @ x, 1e-300))
        error = np.sqrt(((y - slope * x) ** 2).sum() / (len(own) - 2) / max(x @ x, 1e-300))
        if slope > 0 and error <= SURE * slope:
            slopes[sample], shifts[sample] = slope, np.median(table[own, sample] - means[own])
    told = np.isfinite(slopes)
    if told.any():
        slopes /= np.median(slopes[told])
        shifts[told] -= np.median(shifts[told])
    return slopes, shifts


def _shared(table: NDArray[np.float64], zero: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each sample's genes at zero that are so in most samples whose zero is the most frequent one."""
    values, counts = np.unique(np.round(zero[np.isfinite(zero)], DIGITS), return_counts=True)
    if not len(values):
        return np.full(len(zero), np.nan)
    usual = np.round(zero, DIGITS) == values[counts.argmax()]
    most = (table[:, usual] <= zero[usual]).mean(axis=1) >= 0.5
    own = table <= np.where(np.isfinite(zero), zero, -np.inf)
    return (own & most[:, None]).sum(axis=0) / np.maximum(own.sum(axis=0), 1)


def one_base(rows: pd.DataFrame, where: str = "") -> Audit:
    """Return how many samples are logarithms to another base than the others: `sample`, `base`, `slope` of `Scale`."""
    names, base, slope = rows["sample"].to_numpy(), rows["base"].to_numpy(), rows["slope"].to_numpy(float)
    known = pd.Series(base[base != ""]).value_counts()
    if known.sum() >= NEARLY_ALL * len(rows):
        few = names[(base != "") & (base != known.index[0])]
        text = f"logarithms of {known.iloc[0]:,} samples are to base {known.index[0]}, of {len(few):,} to another one: "
    else:
        told = np.flatnonzero(np.isfinite(slope))
        order = told[np.argsort(slope[told])]
        few, times = _steeper(slope[order], names[order])
        text = f"logarithms of {len(few):,} samples are {times:.3g} times apart from the others', as to another base: "
    text += named(list(few))
    if not len(few):
        unknown = int((~np.isfinite(slope) & (base == "")).sum())
        text = f"reads of {unknown:,} of {len(rows):,} samples are too few to tell the base of their logarithms"
        text = text if unknown else "all logarithms are to one base"
    return graded("bases of logarithms", len(few), text, where, fail=0)


def _steeper(slope: NDArray[np.float64], names: NDArray) -> tuple[NDArray, float]:
    """Return the samples, of some in the order of their slopes, that are the fewer on one side of a gap, and how far it is."""
    if len(slope) < 2:
        return names[:0], 1.0
    place = int(np.argmax(slope[1:] / slope[:-1]))
    times = float(np.median(slope[place + 1 :]) / np.median(slope[: place + 1]))
    if times <= STEEPER or slope[place + 1] / slope[place] <= STEEPER**0.5:
        return names[:0], times
    return (names[: place + 1] if place + 1 < len(names) - place - 1 else names[place + 1 :]), times


def one_number_added(rows: pd.DataFrame, where: str = "") -> Audit:
    """Return how many samples have another zero than most: 1 was added before the logarithms here, .01 there.

    `sample`, `zero`, `shared` of `Scale`. Where each sample has a zero of its own, as where amounts are divided by its
    reads after a number was added, they are one unit; where there are a few zeros of many samples each, they are not.
    """
    zero, name = rows["zero"].to_numpy(float), "numbers added before logarithms"
    told = np.isfinite(zero) & (rows["shared"].to_numpy(float) >= SAME_GENES)
    values = pd.Series(np.round(zero[told], DIGITS) + 0.0).value_counts()
    if told.sum() < FEWEST_SAMPLES:
        return graded(name, 0, "too few genes are at zero to tell what was added before the logarithms", where, fail=0)
    if len(values) == 1 or len(values) > max(2, told.sum() / 10):
        return graded(name, 0, "no group of samples has another number added before the logarithms", where, fail=0)
    few = rows["sample"].to_numpy()[told & (np.round(zero, DIGITS) + 0.0 != values.index[0])]
    kinds = " and ".join(f"{value:g} in {count:,} samples" for value, count in values.items())
    text = f"zero is {kinds}, as where other numbers were added before the logarithms: {named(list(few))}"
    return graded(name, len(few), text, where, fail=0)

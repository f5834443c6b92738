"""What values of a matrix of amounts are no amounts, and columns that are no measurements: codes, normalised parts, averages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glmflow.statistics.combinations import ROWS, combinations

from .audit import Audit, graded, named

FEW = 0.05
"""Share of values below 0 up to which these are no logarithms."""
CODES = 3
"""Distinct values that codes of what is missing have at most."""
BEYOND = 100.0
"""Times the next largest value that a code above all others is."""
TEN = 10
"""Times that a code stands in a matrix, and times as often as values near it, at least."""
AVERAGE = 0.35
"""Deviations from the genes' means, beside those of the median sample, of one that is an average of all."""
QUANTILES = np.linspace(0.5, 0.999, 40)
"""Where distributions are compared: above the middle, where there are no ties."""
DIGITS = 5
ENOUGH_GENES = 100
SAME = 3
"""Columns of one distribution at least."""
LARGEST_LOG = 30.0


def missing_codes(values: ArrayLike, where: str = "") -> Audit:
    """Return how many values of a matrix `[genes, samples]` are codes of what is missing: -1, -999, a largest one often."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    below = known[known < 0]
    codes = np.unique(below)
    found = [str(f"{code:g}") for code in codes] if _are_codes(below, codes, len(known)) else []
    count = len(below) if found else 0
    distinct, times = np.unique(known[known > 0], return_counts=True)
    if len(distinct) > 1 and times[-1] >= SAME and distinct[-1] > BEYOND * distinct[-2]:
        found, count = [*found, f"{distinct[-1]:g}"], count + int(times[-1])
    nines = [
        place for place, value in enumerate(distinct) if _is_nines(value) and _far_more_often(distinct, times, place)
    ]
    if nines and f"{distinct[nines[-1]]:g}" not in found:
        found, count = [*found, *(f"{distinct[n]:g}" for n in nines)], count + int(times[nines].sum())
    text = (
        f"{count:,} values may be codes of what is missing: {', '.join(found)}"
        if found
        else "no value looks like a code"
    )
    return graded("codes among values", count, text, where, warn=0)


def _are_codes(below: NDArray, codes: NDArray, known: int) -> bool:
    """Return whether what is below 0 is a few whole numbers among amounts."""
    return 0 < len(codes) <= CODES and len(below) <= FEW * known and bool((codes == np.round(codes)).all())


def _is_nines(value: float) -> bool:
    """Return whether a number is 999, 9999 and so on."""
    digits = f"{value:.10g}"
    return len(digits) >= 3 and set(digits) == {"9"}


def _far_more_often(distinct: NDArray, times: NDArray, place: int) -> bool:
    """Return whether a value stands there far more often than those near it do."""
    near = times[(distinct > distinct[place] / 2) & (distinct < 2 * distinct[place])]
    return bool(times[place] >= max(TEN, TEN * np.median(near)))


def one_distribution(values: ArrayLike, samples: Sequence[str], where: str = "") -> Audit:
    """Return whether some samples, and not all, have one distribution of values, as after normalising their quantiles."""
    table = np.asarray(values, np.float64)
    members: dict[tuple, list[str]] = {}
    if len(table) >= ENOUGH_GENES:
        for name, column in zip(samples, table.T):
            known = column[np.isfinite(column)]
            if len(known) and np.ptp(known) > 0:
                key = tuple(f"{value:.{DIGITS}g}" for value in np.quantile(known, QUANTILES))
                members.setdefault(key if len(set(key)) > 10 else (name,), []).append(name)
    largest = max(members.values(), key=len, default=[])
    part = largest if SAME <= len(largest) < len(samples) else []
    text = f"{len(part):,} of {len(samples):,} samples have one distribution of values, as of normalised quantiles"
    text = f"{text}: {named(part)}" if part else "either all or no samples have one distribution"
    return graded("part of the samples normalised", len(part), text, where, fail=0)


def average_columns(values: ArrayLike, samples: Sequence[str], where: str = "") -> Audit:
    """Return which samples are nearly the genes' means: an average of all, or a reference, among measurements."""
    table = np.asarray(values, np.float64)
    found: list[str] = []
    if len(table) >= ENOUGH_GENES and table.shape[1] >= TEN:
        logs = table if (table < 0).any() or np.nanmax(table) <= LARGEST_LOG else np.log1p(table)
        apart = logs - np.nanmedian(logs, axis=1, keepdims=True)
        apart = apart - np.nanmedian(apart, axis=0)  # depth
        away = np.sqrt(np.nanmean(apart**2, axis=0))
        found = [str(samples[n]) for n in np.flatnonzero(away < AVERAGE * np.median(away))]
    text = f"{len(found):,} of {len(samples):,} samples are nearly what all are on average"
    return graded("averages among samples", len(found), text + (f": {named(found)}" if found else ""), where, warn=0)


def combined_columns(values: ArrayLike, samples: Sequence[str], copies: Collection[str] = (), where: str = "") -> Audit:
    """Return which samples are sums or means of others: a row that was averaged, a total beside its parts.

    Each gene is divided by its median, so that none outweighs the others; logarithms are undone.

    Parameters
    ----------
    copies
        Samples that are copies of others, which are left out.
    """
    table = np.nan_to_num(np.asarray(values, np.float64))
    own = np.flatnonzero(~np.isin(np.asarray(samples, object), list(copies)))
    found = {}
    for undone in (None, np.expm1, lambda logs: np.exp2(logs) - 1):
        if table.min(initial=0) < 0 or (undone is not None and table.max(initial=0) > LARGEST_LOG):
            continue  # of centred values nothing is a sum
        amounts = (table if undone is None else undone(table))[:, own]
        middle = np.median(amounts, axis=1)  # by the mean, all samples together would be what one lacks
        for one in combinations(amounts[middle > 0] / middle[middle > 0, None]):
            parts = " + ".join(f"{w:.3g} x {samples[own[n]]}" for n, w in zip(one.parts, one.weights))
            found.setdefault(samples[own[one.column]], parts)
    text = f"{len(found):,} samples are sums or means of others"
    if len(table) < ROWS * len(own):
        text += f" ({len(table):,} genes are too few to tell of {len(own):,} samples)"
    text += f": {named([f'{name} is {parts}' for name, parts in found.items()])}" if found else ""
    return graded("samples made of others", len(found), text, where, warn=0)

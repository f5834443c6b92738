"""Methods of context extension compared two by two: paired by seed, or by window where they share one seed only.

Seeds are the better pairs: they tell how a difference varies between models that are trained again. A published model that
is used as it is has one seed; the windows that both methods were asked about are the pairs then, and the test says how sure
the difference of these two models is on other windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import stdtr, stdtrit

from glmflow.errors import InputError
from glmflow.paired_tests import holm

from .losses_by_context import Cell

KEY = ["metric", "subset", "context_bp"]


class Difference(NamedTuple):
    """A mean difference with its 95 % interval (Student's t) and the p-value of the paired t-test.

    ``seeds`` that both have; ``windows`` that are the pairs, 0 where seeds are.
    """

    mean: float
    low: float
    high: float
    p: float
    seeds: int
    windows: int = 0


def paired_difference(one: Sequence[float], other: Sequence[float]) -> Difference:
    """Compare two methods seed by seed (`one` minus `other`); interval and p-value need two seeds."""
    difference = np.asarray(one, float) - np.asarray(other, float)
    n, mean = len(difference), float(difference.mean())
    if n < 2:
        return Difference(mean, np.nan, np.nan, np.nan, n)
    if not difference.any():
        return Difference(0.0, 0.0, 0.0, 1.0, n)
    # Student's t by its own functions: a study asks for thousands of tests, and scipy.stats takes a millisecond for each.
    error = float(difference.std(ddof=1)) / math.sqrt(n)
    half = float(stdtrit(n - 1, 0.975)) * error
    p = 2 * float(stdtr(n - 1, -abs(mean) / error)) if error else 0.0
    return Difference(mean, mean - half, mean + half, p, n)


def difference_over_windows(one: Cell, other: Cell) -> Difference:
    """Compare two methods of one seed over the windows that both were asked about (`one` minus `other`).

    Each value is a ratio of sums over windows, ``sum(nats) / sum(bases)``. Its error is that of its linearisation, a
    window's share being ``(nats - ratio * bases) / mean(bases)`` (Cochran 1977, Sampling Techniques, section 6.3); with as
    many bases in every window this is the paired t-test.
    """
    _, here, there = np.intersect1d(one.windows, other.windows, return_indices=True)
    mine, theirs = one.sums[here], other.sums[there]
    n = len(here)
    if n < 2 or not (mine[:, 1].any() and theirs[:, 1].any()):
        return Difference(np.nan, np.nan, np.nan, np.nan, 1, n)
    mean = float(_ratio(mine) - _ratio(theirs))
    share = _shares(mine) - _shares(theirs)
    error = float(stats.sem(share))
    if error == 0:
        return Difference(mean, mean, mean, 1.0 if mean == 0 else 0.0, 1, n)
    half = float(stats.t.ppf(0.975, n - 1)) * error
    return Difference(mean, mean - half, mean + half, float(2 * stats.t.sf(abs(mean) / error, n - 1)), 1, n)


def _ratio(sums: NDArray[np.float64]) -> float:
    nats, bases = sums.sum(axis=0)
    return nats / bases


def _shares(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return (sums[:, 0] - _ratio(sums) * sums[:, 1]) / sums[:, 1].mean()


Cells = Mapping[tuple[str, int], Iterable[Cell]]
"""Cells of the runs, by method and seed."""


def compare(metrics: pd.DataFrame, reference: str, by: str = "model", windows: Cells | None = None) -> pd.DataFrame:
    """Compare every method with one of them, metric by metric: paired by seed where they share two, else by window.

    Parameters
    ----------
    metrics
        Metrics tables of all runs: `by`, ``seed``, ``metric``, ``subset``, ``context_bp``, ``value``.
    reference
        The method (a value of `by`) that the others are compared with.
    windows
        The sums over windows behind the metrics (`losses_by_context.cells`); without them there is no interval and no
        p-value for methods that share one seed.

    Returns
    -------
    DataFrame
        `by`, ``metric``, ``subset``, ``context_bp``, ``mean``, ``low``, ``high`` (method minus reference), ``p``, ``seeds``
        that both have, ``windows`` that are the pairs (0 where seeds are) and ``p_holm`` (corrected over all rows; Holm
        1979).
    """
    wide = metrics.pivot_table(index=[*KEY, "seed"], columns=by, values="value")
    if reference not in wide:
        raise InputError(f"there is no result of '{reference}' to compare with", fix=f"Take one of {list(wide)}.")
    found = {
        (*run, cell.metric, cell.subset, cell.context_bp): cell
        for run, of_run in (windows or {}).items()
        for cell in of_run
    }
    rows = []
    for values, group in wide.groupby(level=KEY):
        table, seeds = group.to_numpy(), group.index.get_level_values("seed")
        theirs = table[:, wide.columns.get_loc(reference)]
        for method, mine in zip(wide.columns, table.T):
            both = np.flatnonzero(~np.isnan(mine) & ~np.isnan(theirs))
            if method == reference or not both.size:
                continue
            pair = [found.get((name, seeds[both[0]], *values)) for name in (method, reference)]
            if both.size == 1 and None not in pair:
                difference = difference_over_windows(*pair)
            else:
                difference = paired_difference(mine[both], theirs[both])
            rows.append({by: method, **dict(zip(KEY, values)), **difference._asdict()})
    table = pd.DataFrame(rows, columns=[by, *KEY, *Difference._fields])
    return table.assign(p_holm=holm(table["p"].to_numpy(float)))  # of an empty table the column holds objects


def compare_all(metrics: pd.DataFrame, by: str = "model", windows: Cells | None = None) -> pd.DataFrame:
    """Compare every method with every other (see `compare`); ``reference`` is the one that it is compared with."""
    methods = list(dict.fromkeys(metrics[by]))
    tables = [compare(metrics, other, by, windows).assign(reference=other) for other in methods]
    return pd.concat(tables, ignore_index=True)

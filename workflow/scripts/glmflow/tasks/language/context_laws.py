"""What each doubling of the context saves on the same bases, and the law by which it falls off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.statistics.bootstrap import Interval, interval_of_sums, resampled_sums
from glmflow.statistics.context_law import ContextLaw, fit_context_law
from glmflow.statistics.influence import summed

BITS = np.log(2)
DRAWS = 200
"""Bootstrap draws behind the interval of a constant, at most."""
COLUMNS = ["split", "constant", "value", "low", "high", "contexts", "said"]


class Reach(NamedTuple):
    """Nats and bases of the windows of one stratum: of contexts, shortest first, in blocks of neighbouring windows.

    Attributes
    ----------
    sums : float64[units, contexts, 2]
    windows
        How many windows all contexts have in common.
    """

    contexts: tuple[int, ...]
    sums: NDArray[np.float64]
    windows: int


def reach_of(
    contexts: Sequence[int],
    windows: Sequence[NDArray[np.str_]],
    units: Sequence[NDArray[np.str_]],
    sums: Sequence[NDArray[np.float64]],
) -> Reach:
    """Return the sums of the windows that every context has, by unit.

    Parameters
    ----------
    windows, units, sums
        Of each context: names of its windows, the units they lie in, and their nats and bases, ``[windows, 2]``.
    """
    order = np.argsort(contexts, kind="stable")
    common = sorted(set.intersection(*(set(own) for own in windows)))
    ordered = tuple(int(contexts[place]) for place in order)
    if not common:
        return Reach(ordered, np.zeros((0, len(ordered), 2)), 0)
    rows = []
    for place in order:
        at = {name: number for number, name in enumerate(windows[place])}
        rows.append(sums[place][[at[name] for name in common]])
    unit_of = dict(zip(windows[order[0]], units[order[0]]))
    joined = summed(np.stack(rows, axis=1).reshape(len(common), -1), [unit_of[name] for name in common])
    return Reach(ordered, joined.reshape(len(joined), len(ordered), 2), len(common))


def by_doubling(reach: Reach, draws: int) -> Iterator[tuple[int, Interval]]:
    """Yield, of each context but the shortest, the bits per base that it saves for each doubling from the one before.

    The interval is a bootstrap over units, the same ones at both contexts.
    """
    for place in range(1, len(reach.contexts)):
        doublings = np.log2(reach.contexts[place] / reach.contexts[place - 1])
        pair = reach.sums[:, place - 1 : place + 1].reshape(len(reach.sums), 4)

        def saved(total: NDArray[np.float64], doublings: float = doublings) -> NDArray[np.float64]:
            return gain(total) / doublings

        yield reach.contexts[place], interval_of_sums(pair, saved, draws)._replace(n=reach.windows)


def law_rows(split: str, reach: Reach, draws: int) -> Iterator[dict[str, Any]]:
    """Yield the constants of ``L(c) = E + G c^-gamma`` with intervals, or one row that says why there is no law.

    The interval is a bootstrap over units, the same ones at every context; a draw in which nothing falls has no part in it, and
    where a twentieth of the draws have none there is no interval.
    """
    known: dict[str, Any] = {"split": split, "contexts": len(reach.contexts)}
    try:
        law = fit_context_law(reach.contexts, bits(reach.sums.sum(axis=0)))
    except InputError as error:
        yield known | {"said": str(error)}
        return
    found = []
    asked = min(draws, DRAWS)
    for total in resampled_sums(reach.sums.reshape(len(reach.sums), -1), asked):
        try:
            found.append(fit_context_law(reach.contexts, bits(total.reshape(-1, 2)), law))
        except InputError:
            continue
    said = "no floor lies within reach of these contexts: E and gamma are bounds" if law.at_border else ""
    sure = len(found) > 0.95 * asked
    if not sure:
        said = "no interval: in many draws of windows the loss does not fall with context"
    for name in ContextLaw._fields:
        low, high = np.percentile([getattr(one, name) for one in found], [2.5, 97.5]) if sure else (np.nan, np.nan)
        yield known | {"constant": name, "value": getattr(law, name), "low": low, "high": high, "said": said}


def law_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of `law_rows` as a table: `split`, `constant`, `value`, `low`, `high`, `contexts`, `said`."""
    return pd.DataFrame(rows, columns=COLUMNS)


def bits(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return bits per base of nats and bases, ``[..., 2]``."""
    return total[..., 0] / total[..., 1] / BITS


def gain(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how many bits per base the second nats and bases lie below the first, ``[..., 4]``."""
    return bits(total) - bits(total[..., 2:])

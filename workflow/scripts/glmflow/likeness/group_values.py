"""Statistics of groups of pieces with their intervals, and which groups each of them can tell from real sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from .sequence_facts import STATISTICS, Facts

REAL, GENERATED = "real, held out", "generated"
LEVELS = 2.5, 97.5


def values_of(groups: dict[str, Sequence[Facts]], real: Facts, draws: int, seed: int = 0) -> pd.DataFrame:
    """Return a row a statistic and group.

    Parameters
    ----------
    groups
        Facts of the pieces of each group, `REAL` among them.
    real
        Pooled facts of the reference.
    draws
        Bootstrap draws over pieces.

    Returns
    -------
    DataFrame
        `statistic`, `label`, `level`, `group`, `value`, `ci_low`, `ci_high`, `n` (pieces), `floor` (the value of real
        pieces), `floor_low`, `floor_high`, `differs` (the 99 % interval of the difference from real pieces leaves out 0),
        `detects` (other groups that the statistic tells from real ones, `; ` between them).
    """
    rows = []
    for statistic in STATISTICS:
        known = {name: _rows(facts, statistic.fact) for name, facts in groups.items()}
        if any(own is None for own in known.values()):
            continue
        found = {
            name: _drawn(own, lambda sums, of=statistic: of.value(sums, real), draws, seed + place)
            for place, (name, own) in enumerate(known.items())
        }
        floor, of_floor = found[REAL]
        apart = {}
        for name, (value, of_group) in found.items():
            count = min(len(groups[name]), len(groups[REAL]))
            apart[name] = name != REAL and _apart(value - floor, of_group - of_floor, count)
        detects = "; ".join(name for name in groups if apart[name] and name != GENERATED)
        for name, (value, of_group) in found.items():
            low, high = _interval(of_group)
            rows.append(
                {
                    "statistic": statistic.name,
                    "label": statistic.label,
                    "level": statistic.level,
                    "group": name,
                    "value": value,
                    "ci_low": low,
                    "ci_high": high,
                    "n": len(groups[name]),
                    "floor": floor,
                    "floor_low": _interval(of_floor)[0],
                    "floor_high": _interval(of_floor)[1],
                    "differs": apart[name],
                    "detects": detects,
                }
            )
    return pd.DataFrame(rows)


def _apart(difference: float, draws: NDArray[np.float64], pieces: int) -> bool:
    """Whether a difference is more than chance would make of one in a hundred pairs of equal groups, by Student's t."""
    known = draws[np.isfinite(draws)]
    if not np.isfinite(difference) or len(known) < len(draws) / 2 or pieces < 2:
        return False
    spread = known.std() * np.sqrt(pieces / (pieces - 1))  # a bootstrap of few pieces varies too little
    return bool(abs(difference) > student.ppf(0.995, pieces - 1) * spread)


def pooled(facts: Sequence[Facts]) -> Facts:
    """Return the sums over pieces."""
    return {name: np.sum([own[name] for own in facts], axis=0) for name in facts[0]} if facts else {}


def _rows(facts: Sequence[Facts], name: str) -> NDArray[np.float64] | None:
    return np.array([own[name] for own in facts]) if name in facts[0] else None


def _drawn(rows: NDArray[np.float64], value, draws: int, seed: int) -> tuple[float, NDArray[np.float64]]:
    """Return a value and its bootstrap draws over pieces, moved so that their median is the value.

    Pieces that are drawn twice make a group look poorer than it is: divergences of draws are too high, entropies too low.
    """
    count = len(rows)
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    own, found = float(value(rows.sum(0))), value(weights.astype(float) @ rows)
    return own, found + (own - np.nanmedian(found) if np.isfinite(found).any() else 0.0)


def _interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, LEVELS)
    return float(low), float(high)

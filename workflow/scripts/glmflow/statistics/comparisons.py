"""Whether one model is better than another: on the same rows, over folds, and over tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from .group_draws import Scores, drawn_scores


class Difference(NamedTuple):
    """A difference of two models with its 95 % interval and two-sided p; `apart`: 0 is outside the interval."""

    value: float
    low: float
    high: float
    p: float

    @property
    def apart(self) -> bool:
        """Whether the models are distinguished."""
        return bool(self.low > 0 or self.high < 0)


def paired_bootstrap(
    scores: Callable[..., Scores],
    observed: NDArray[Any],
    first: Any,
    second: Any,
    groups: ArrayLike,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Difference]:
    """Return the difference of two models (first - second) on the same rows, by score.

    Groups are drawn once for both models; `p` is twice the smaller of the shares of draws at or below, and at or above 0.

    Parameters
    ----------
    scores
        As `group_draws.bootstrap` takes it.
    first, second
        Predictions of each model: an array, or a list with one of each seed, whose scores are averaged.
    """
    runs = [list(model) if isinstance(model, list | tuple) else [model] for model in (first, second)]
    ones = np.ones((1, len(observed)))
    values = [_mean([scores(observed, run, ones) for run in own]) for own in runs]
    each = drawn_scores(scores, observed, [*runs[0], *runs[1]], groups, draws, seed)
    drawn = [_mean(each[: len(runs[0])]), _mean(each[len(runs[0]) :])]
    found = {}
    for name in values[0]:
        difference = drawn[0][name] - drawn[1][name]
        difference = difference[np.isfinite(difference)]
        if not len(difference):
            continue
        low, high = np.percentile(difference, [2.5, 97.5])
        p = min(1.0, 2 * min((difference <= 0).mean(), (difference >= 0).mean()))
        found[name] = Difference(float(values[0][name][0] - values[1][name][0]), float(low), float(high), float(p))
    return found


def _mean(runs: Sequence[Scores]) -> dict[str, NDArray[np.float64]]:
    """Return the mean over seeds of each score."""
    return {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}


def mcnemar(first_correct: ArrayLike, second_correct: ArrayLike) -> float:
    """Return the two-sided exact p that two models are equally often right on the same rows (McNemar 1947)."""
    first, second = np.asarray(first_correct, bool), np.asarray(second_correct, bool)
    one, other = int((first & ~second).sum()), int((second & ~first).sum())
    return 1.0 if one + other == 0 else float(stats.binomtest(one, one + other).pvalue)


def corrected_t_test(differences: ArrayLike, test_share: float) -> float:
    """Return the two-sided p of differences over folds that share training rows (Nadeau and Bengio 2003).

    Parameters
    ----------
    differences
        One a fold, `[k]`.
    test_share
        Test rows / training rows of a fold: the variance is multiplied by `1 / k + test_share`.
    """
    values = np.asarray(differences, np.float64)
    spread = values.var(ddof=1)
    if spread == 0:
        return 1.0 if values.mean() == 0 else 0.0
    t = values.mean() / np.sqrt((1 / len(values) + test_share) * spread)
    return float(2 * stats.t.sf(abs(t), len(values) - 1))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p values adjusted for their number (Holm 1979), in the same order."""
    p = np.asarray(p, np.float64)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    return adjusted


CRITICAL = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""q of the Nemenyi test at .05 (Demsar 2006, table 5a); beyond ten models it is computed."""


class Ranking(NamedTuple):
    """Models ranked over tasks.

    Attributes
    ----------
    table : DataFrame
        A row a model: `mean_rank` (1 is best), `wins`, `tasks`.
    critical_difference : float
        Mean ranks that are closer than this are not distinguished at 5 % (Nemenyi); NaN with fewer than two tasks.
    friedman_p : float
        p that all models are alike (Friedman); NaN with fewer than three models or two tasks.
    pairs : DataFrame
        `first`, `second`, `p` (Wilcoxon signed-rank on the tasks' differences), `p_holm`, `difference` (mean).
    """

    table: pd.DataFrame
    critical_difference: float
    friedman_p: float
    pairs: pd.DataFrame


def rank_models(scores: pd.DataFrame, higher: bool = True) -> Ranking:
    """Rank models over tasks.

    Parameters
    ----------
    scores
        Tasks x models; tasks in which a model has no score are left out of the ranks.
    higher
        Whether a higher score is better.
    """
    whole = scores.dropna()
    ranks = whole.rank(axis=1, ascending=not higher)
    tasks, models = whole.shape
    table = pd.DataFrame(
        {"mean_rank": ranks.mean(), "wins": (ranks.eq(ranks.min(axis=1), axis=0)).sum(), "tasks": tasks}
    ).sort_values("mean_rank", kind="stable")
    critical = np.nan
    if tasks >= 2 and models >= 2:
        q = CRITICAL.get(models) or float(stats.studentized_range.ppf(0.95, models, 1e6) / np.sqrt(2))
        critical = q * np.sqrt(models * (models + 1) / (6 * tasks))
    enough = tasks >= 2 and models >= 3 and not (ranks.nunique(axis=1) == 1).all()
    friedman = float(stats.friedmanchisquare(*whole.to_numpy().T).pvalue) if enough else np.nan
    rows = []
    for place, first in enumerate(whole):
        for second in whole.columns[place + 1 :]:
            difference = (whole[first] - whole[second]).to_numpy()
            p = float(stats.wilcoxon(difference).pvalue) if tasks >= 2 and np.any(difference != 0) else 1.0
            rows.append({"first": first, "second": second, "p": p, "difference": difference.mean()})
    pairs = pd.DataFrame(rows, columns=["first", "second", "p", "difference"])
    pairs.insert(3, "p_holm", holm(pairs["p"]) if len(pairs) else [])
    return Ranking(table, float(critical), friedman, pairs)

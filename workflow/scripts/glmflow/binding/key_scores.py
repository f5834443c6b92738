"""Scores of predicted binding: over the regions of a key (cell, TF), and over the keys of a region."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

Array = NDArray[np.float64]
SMALLEST = 1e-7
"""Probability at which the log loss and the calibration slope are cut: a float16 prediction knows no smaller step."""
AT_ONCE = 1 << 22
"""Values of a matrix that are ranked at a time, so that a whole one needs little memory beside itself."""


def ranked_scores(labels: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """Return what one order of a key's regions is worth.

    Parameters
    ----------
    labels
        Whether each region is bound, bool `[regions]`.
    scores
        Higher means bound rather, `[regions]`, finite.

    Returns
    -------
    dict
        `auroc` (ties count half); `auprc`, the sum of (recall step) x precision over distinct scores; `prevalence`;
        `lift`, (auprc - prevalence) / (1 - prevalence); `recall_fdr10`, `recall_fdr50`, the largest recall at a precision
        of .9 or .5 at least, 0 where there is none. All but the prevalence are NaN for a key of one class.
    """
    bound, values = np.asarray(labels, bool), np.asarray(scores)
    order = np.argsort(-rankable(values), kind="stable" if values.dtype == np.float16 else None)
    ordered = values[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    hits = np.cumsum(bound[order])[last].astype(np.float64)
    called = last + 1.0
    positives, total = float(bound.sum()), float(len(bound))
    prevalence = positives / total if total else np.nan
    if positives in (0, total):
        nothing = dict.fromkeys(("auroc", "auprc", "lift", "recall_fdr10", "recall_fdr50"), np.nan)
        return {**nothing, "prevalence": prevalence}
    precision, recall = hits / called, hits / positives
    false = (called - hits) / (total - positives)
    area = np.trapezoid(np.append(0, recall), np.append(0, false))
    auprc = float((np.diff(recall, prepend=0) * precision).sum())
    return {
        "auroc": float(area),
        "auprc": auprc,
        "prevalence": prevalence,
        "lift": (auprc - prevalence) / (1 - prevalence),
        "recall_fdr10": float(recall[precision >= 0.9].max(initial=0)),
        "recall_fdr50": float(recall[precision >= 0.5].max(initial=0)),
    }


def matched_auroc(labels: ArrayLike, scores: ArrayLike, stratum: ArrayLike) -> float:
    """Return the AUROC over pairs of a bound and an unbound region of the same stratum (such as GC); NaN without a pair.

    Ties count half. Strata weigh by their pairs.
    """
    bound = np.asarray(labels, bool)
    number = np.unique(np.asarray(stratum), return_inverse=True)[1]
    size = np.bincount(number)
    ranks = stats.rankdata(number * (len(bound) + 1) + stats.rankdata(scores))  # one stratum behind another
    ranks -= (np.cumsum(size) - size)[number]
    up = np.bincount(number, bound)
    won, pairs = np.bincount(number, ranks * bound) - up * (up + 1) / 2, up * (size - up)
    return float(won.sum() / pairs.sum()) if pairs.sum() else np.nan


def f1(labels: ArrayLike, scores: ArrayLike, threshold: float = 0.5) -> float:
    """Return F1 of the regions whose score is above a threshold; 0 where none is bound nor called."""
    bound, called = np.asarray(labels, bool), np.asarray(scores) > threshold
    total = int(bound.sum()) + int(called.sum())
    return 2 * int((bound & called).sum()) / total if total else 0.0


def best_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the threshold of the highest F1 (called: above it), for use on other keys; the largest score where none is."""
    bound, values = np.asarray(labels, bool).ravel(), np.asarray(scores, np.float64).ravel()
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    hits = np.cumsum(bound[order])[last]
    reached = 2 * hits / (last + 1 + bound.sum())
    best = int(np.argmax(reached))
    if not hits[best]:
        return float(ordered[0])
    after = last[best] + 1
    return float((ordered[last[best]] + ordered[after]) / 2) if after < len(ordered) else float(ordered[-1]) - 1.0


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean negative log likelihood (nats) of labels."""
    p = np.clip(np.asarray(probabilities, np.float64), SMALLEST, 1 - SMALLEST)
    return float(-np.where(np.asarray(labels, bool), np.log(p), np.log1p(-p)).mean())


def calibration_slope(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the slope of the logistic regression of labels on the logit of what was predicted.

    1: the odds mean what they say; below: too extreme; above: too timid. NaN for one class or one constant prediction.
    """
    bound = np.asarray(labels, bool)
    logit = special.logit(np.clip(np.asarray(probabilities, np.float64), SMALLEST, 1 - SMALLEST))
    if bound.all() or not bound.any() or np.ptp(logit) < 1e-9:
        return np.nan
    spread = logit.std()
    x = np.column_stack([np.ones_like(logit), (logit - logit.mean()) / spread])

    def loss(weights: Array) -> tuple[float, Array]:
        eta = x @ weights
        value = np.logaddexp(0, eta).sum() - eta[bound].sum()
        return value / len(eta), x.T @ (special.expit(eta) - bound) / len(eta)

    found = optimize.minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B")
    return float(found.x[1] / spread)


class ColumnScores(NamedTuple):
    """Scores over the keys of each region, averaged over the `n` regions that some key binds and some does not."""

    auroc: float
    auprc: float
    n: int


def column_scores(labels: NDArray[np.bool_], scores: NDArray, known: NDArray[np.bool_] | None = None) -> ColumnScores:
    """Return the mean AUROC and AUPRC over regions of the order of keys, `[keys, regions]` each; NaN where n is 0.

    Keys are left out of the order in a region in which their label is not `known`.
    """
    areas, precisions, count = 0.0, 0.0, 0
    for part in column_parts(labels.shape):
        bound, values = labels[:, part], scores[:, part]
        scored = np.ones_like(bound) if known is None else known[:, part]
        positives = bound.sum(axis=0)
        both = (positives > 0) & (positives < scored.sum(axis=0))
        if not both.any():
            continue
        bound, values, scored = bound[:, both], rankable(values[:, both]), scored[:, both]
        won, pairs = concordant(bound, values, scored)
        areas += float((won / pairs).sum())
        # An unbound key behind all others changes no precision at a bound one.
        precisions += float(column_average_precision(bound, np.where(scored, values, -np.inf)).sum())
        count += int(both.sum())
    if not count:
        return ColumnScores(np.nan, np.nan, 0)
    return ColumnScores(areas / count, precisions / count, count)


def rankable(values: NDArray) -> NDArray:
    """Return values as they are; those of float16, which is slow to sort, in float32."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def column_parts(shape: tuple[int, int]) -> list[slice]:
    """Return slices of the columns of a matrix, of about `AT_ONCE` values each."""
    step = max(1, AT_ONCE // max(1, shape[0]))
    return [slice(start, start + step) for start in range(0, shape[1], step)]


def concordant(
    labels: NDArray[np.bool_], scores: NDArray, known: NDArray[np.bool_] | None = None
) -> tuple[Array, Array]:
    """Return for each column how many (bound, unbound) pairs of rows are ordered right (ties half), and how many there are.

    It is the statistic of Mann and Whitney of each column, from mid-ranks, over the rows whose label is `known`.
    """
    # Rows above all others change the ranks of none.
    ranks = stats.rankdata(scores if known is None else np.where(known, scores, np.inf), axis=0)
    positives = labels.sum(axis=0).astype(np.float64)
    won = (ranks * labels).sum(axis=0) - positives * (positives + 1) / 2
    rows = len(labels) if known is None else known.sum(axis=0)
    return won, positives * (rows - positives)


def column_average_precision(labels: NDArray[np.bool_], scores: NDArray) -> Array:
    """Return the average precision of each column, `[regions]`; 0 where it has no positive."""
    rows = len(labels)
    order = np.argsort(-scores, axis=0, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=0)
    bound = np.take_along_axis(labels, order, axis=0)
    precision = np.cumsum(bound, axis=0) / np.arange(1, rows + 1)[:, None]
    place = np.where(np.vstack([ordered[1:] != ordered[:-1], np.ones((1, ordered.shape[1]), bool)]),
                     np.arange(rows)[:, None], rows)  # fmt: skip
    end = np.minimum.accumulate(place[::-1], axis=0)[::-1]  # last row of equal scores
    at_end = np.take_along_axis(precision, end, axis=0)
    return (at_end * bound).sum(axis=0) / np.maximum(bound.sum(axis=0), 1)

"""Scores of predicted classes, for many weightings of the rows at once.

Every function takes `weights`, `[draws, rows]` (see `group_draws.group_weights`), and returns `[draws]`: a bootstrap is a
few matrix products and one sort, not a loop. Definitions are those of scikit-learn with `sample_weight`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
BINS = 15
"""Equal-width bins of the expected calibration error."""
SMALLEST = 1e-15
"""Probability below which the logarithm of the loss is cut (scikit-learn: the machine's precision)."""


def class_scores(observed: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> dict[str, Array]:
    """Return all scores of one class of several a row, each `[draws]`.

    Parameters
    ----------
    observed
        Class index of each row, `[rows]`.
    predicted
        Probabilities, `[rows, classes]`.
    weights
        `[draws, rows]`; by default each row once.

    Returns
    -------
    dict
        `accuracy`, `balanced_accuracy` (mean recall of classes present), `mcc` (Gorodkin 2004 for more than two),
        `f1_macro`, `auroc` (macro one-vs-rest over classes present where there are more than two), `brier` (summed over
        classes), `ece15`, `log_loss`, `auprc` (average precision of class 1 of two, else the mean over classes present); with
        two classes also `f1`. NaN where a draw holds one class alone and the score needs two.
    """
    observed = np.asarray(observed, np.int64)
    predicted = np.asarray(predicted, np.float64)
    classes = predicted.shape[1]
    weights = np.ones((1, len(observed))) if weights is None else np.asarray(weights, np.float64)
    chosen = predicted.argmax(axis=1)
    table = confusion(observed, chosen, classes, weights)
    total = weights.sum(axis=1)
    own = predicted[np.arange(len(observed)), observed]
    losses = np.stack(
        [((predicted**2).sum(axis=1) - 2 * own + 1), -np.log(np.clip(own / predicted.sum(axis=1), SMALLEST, 1))], axis=1
    )
    brier, log_loss = (weights @ losses / total[:, None]).T
    ranked = [1] if classes == 2 else range(classes)
    aurocs = np.stack([auroc(observed == c, predicted[:, c], weights) for c in ranked])
    found = {
        **confusion_scores(table),
        "auroc": _mean_of_present(aurocs),
        "brier": brier,
        "ece15": calibration_error(predicted.max(axis=1), chosen == observed, weights),
        "log_loss": log_loss,
    }
    found["auprc"] = _mean_of_present(
        np.stack([average_precision(observed == c, predicted[:, c], weights) for c in ranked])
    )
    return found


def label_scores(observed: ArrayLike, predicted: ArrayLike, weights: ArrayLike | None = None) -> dict[str, Array]:
    """Return scores of any of several labels a row, averaged over the labels that have both values, each `[draws]`.

    Parameters
    ----------
    observed
        0 or 1, `[rows, labels]`.
    predicted
        Probabilities, `[rows, labels]`.
    """
    observed, predicted = np.asarray(observed, bool), np.asarray(predicted, np.float64)
    weights = np.ones((1, len(observed))) if weights is None else np.asarray(weights, np.float64)
    both = observed.any(axis=0) & ~observed.all(axis=0)
    each: dict[str, list[Array]] = {"auroc": [], "auprc": [], "f1": [], "mcc": []}
    for label in np.flatnonzero(both):
        own, p = observed[:, label], predicted[:, label]
        each["auroc"].append(auroc(own, p, weights))
        each["auprc"].append(average_precision(own, p, weights))
        scores = confusion_scores(confusion(own.astype(int), (p >= 0.5).astype(int), 2, weights))
        each["f1"].append(scores["f1"])
        each["mcc"].append(scores["mcc"])
    nothing = np.full(len(weights), np.nan)
    means = {name: _mean_of_present(np.stack(values)) if values else nothing for name, values in each.items()}
    return {**means, "labels": np.full(len(weights), float(both.sum()))}


def confusion(observed: NDArray, chosen: NDArray, classes: int, weights: Array) -> Array:
    """Return how often each class is taken for each, `[draws, classes (observed), classes (predicted)]`."""
    cell = observed * classes + chosen
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(classes**2))
    present = np.flatnonzero(np.bincount(cell, minlength=classes**2))
    table = np.zeros((len(weights), classes**2))
    if len(present):
        table[:, present] = np.add.reduceat(weights[:, order], starts[present], axis=1)
    return table.reshape(-1, classes, classes)


def confusion_scores(table: Array) -> dict[str, Array]:
    """Return the scores of confusion tables `[draws, classes, classes]` (rows observed), each `[draws]`."""
    hits = np.einsum("dcc->dc", table)
    seen, said, total = table.sum(axis=2), table.sum(axis=1), table.sum(axis=(1, 2))
    correct = hits.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(seen > 0, hits / seen, np.nan)
        f1 = np.where(seen + said > 0, 2 * hits / (seen + said), np.nan)
        covariance = correct * total - (seen * said).sum(axis=1)
        scale = np.sqrt((total**2 - (said**2).sum(axis=1)) * (total**2 - (seen**2).sum(axis=1)))
        mcc = np.where(scale > 0, covariance / scale, 0.0)
    found = {
        "accuracy": correct / total,
        "balanced_accuracy": np.nanmean(recall, axis=1),
        "mcc": mcc,
        "f1_macro": np.nanmean(f1, axis=1),
    }
    if table.shape[1] == 2:
        found["f1"] = np.nan_to_num(f1[:, 1])
    return found


def auroc(positive: ArrayLike, score: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Return the area under the ROC curve, `[draws]`: ties count half; NaN where one class is absent."""
    up, all_ = _by_threshold(positive, score, weights)
    down = all_ - up
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.cumsum(down, axis=1) - down / 2  # thresholds ascend
        return (up * below).sum(axis=1) / (up.sum(axis=1) * down.sum(axis=1))


def chance_precision(positives: int, count: int) -> float:
    """Return the average precision that a random order is expected to have (Bestgen 2015, Prague Bull. Math. Linguist. 103:131).

    It is above the share of positives: of 10 among 120 rows .117, and not .083.
    """
    if positives < 1 or count < 2:
        return float(positives / count) if count else float("nan")
    harmonic = float((1 / np.arange(1, count + 1)).sum())
    return ((positives - 1) / (count - 1) * (count - harmonic) + harmonic) / count


def average_precision(positive: ArrayLike, score: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Return the average precision, `[draws]`: the step-wise area under precision and recall; NaN without positives."""
    up, all_ = (part[:, ::-1] for part in _by_threshold(positive, score, weights))
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(np.cumsum(up, axis=1) / np.cumsum(all_, axis=1))
        return (up * precision).sum(axis=1) / up.sum(axis=1)


def calibration_error(confidence: ArrayLike, correct: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Return the expected calibration error of the top probability in 15 bins of equal width (Guo et al. 2017), `[draws]`."""
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    weights = np.ones((1, len(confidence))) if weights is None else np.asarray(weights, np.float64)
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gap = np.zeros((len(confidence), BINS))
    gap[np.arange(len(confidence)), place] = correct - confidence
    return np.abs(weights @ gap).sum(axis=1) / weights.sum(axis=1)


def base_rate(positive: ArrayLike) -> float:
    """Return the share of positives: the average precision of a model that knows nothing."""
    return float(np.mean(np.asarray(positive, bool)))


def _by_threshold(positive: ArrayLike, score: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array]:
    """Return the weight of positives and of all rows at each distinct score, ascending, `[draws, thresholds]`."""
    positive, score = np.asarray(positive, bool), np.asarray(score, np.float64)
    weights = np.ones((1, len(score))) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(score, kind="stable")
    ascending = score[order]
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    sorted_weights = weights[:, order]
    up = sorted_weights * positive[order]
    if len(starts) < len(score):
        return np.add.reduceat(up, starts, axis=1), np.add.reduceat(sorted_weights, starts, axis=1)
    return up, sorted_weights


def _mean_of_present(values: Array) -> Array:
    """Return the mean over the first axis of what is a number; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0).sum(axis=0) / np.maximum(count, 1), np.nan)

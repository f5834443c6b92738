"""Heads that are computed from the kept states of a frozen model: logistic or ridge regressions, or trees."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from glmflow.files import atomic_path

from .cost import Fitted
from .frozen_states import StateStore
from .peak_memory import peak_memory_mb
from .ready import Maker, Ready
from .tuned import Tuned

log = logging.getLogger(__name__)

PENALTIES = (0.01, 0.1, 1.0, 10.0)
"""Inverse penalties of a logistic regression that are tried on validation rows."""
ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""Penalties of a ridge regression that are tried, of standardised states."""
ABSENT = -30.0
"""Score of a class, or label, that no training sequence has."""
AT_ONCE = 1024

Weights = tuple[NDArray[np.float64], NDArray[np.float64]]
"""`[outputs, D]` and `[outputs]`: of states as they are."""


def solve(model: Tuned, ready: Ready, kept: StateStore, folder: Path) -> Fitted:
    """Have a model's target compute its head from kept states; write `metrics.jsonl`, and return what it cost."""
    started = time.monotonic()
    found = model.target.computed(model, ready.train, ready.validation, kept)
    with atomic_path(folder / "metrics.jsonl") as temporary:
        temporary.write_text(json.dumps({"step": 1, **found}) + "\n")
    return Fitted(0, time.monotonic() - started, peak_memory_mb(), 0)


def on_pooled_states(model: Tuned, train: Maker, validation: Maker | None, kept: StateStore) -> dict[str, float]:
    """Set a model's linear head to the regression that does best on validation, or grow its trees; return what came out.

    Scores of classes and labels are logits, values in units of their training spread, as a trained head gives them.
    """
    states, truth = gathered(train, kept)
    held_out = gathered(validation, kept) if validation is not None else None
    if model.target.head.grown:
        model.target.head.grow(states.astype(np.float32), model.target.learned(truth))
        return {"eval_loss": loss_now(model, *held_out)} if held_out is not None else {}
    mean, spread = states.mean(axis=0), states.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    x = (states - mean) / spread
    best, chosen, lowest = None, None, np.inf
    for penalty, (weight, bias) in regressions(model, x, truth):
        weight = weight / spread
        found = weight, bias - weight @ mean
        loss = loss_of(model, found, *held_out) if held_out is not None else 0.0
        log.info("penalty %g: validation loss %.5f", penalty, loss)
        if best is None or loss < lowest:
            best, chosen, lowest = found, penalty, loss
        if held_out is None:
            break
    assert best is not None
    with_weights(model, best)
    return {"penalty": chosen, **({"eval_loss": lowest} if held_out is not None else {})}


def gathered(items: Maker, kept: StateStore) -> tuple[NDArray[np.float64], NDArray]:
    """Return the kept states of all items, `[n, D]`, and their targets."""
    states, targets = [], []
    for first in range(0, len(items), AT_ONCE):
        part = [items(index, None) for index in range(first, min(first + AT_ONCE, len(items)))]
        states.append(kept([item["sequence"] for item in part]).numpy())
        targets += [item["target"] for item in part]
    return np.concatenate(states).astype(np.float64), np.array(targets)


def regressions(model: Tuned, x: NDArray[np.float64], truth: NDArray) -> Iterator[tuple[float, Weights]]:
    """Yield penalty and weights of each regression that is tried, the one of no validation split first."""
    outputs, y = len(model.target.names), model.target.learned(truth)
    if y.dtype.kind == "f":
        from sklearn.linear_model import Ridge

        for alpha in sorted(ALPHAS, key=lambda value: value != 1.0):
            fitted = Ridge(alpha).fit(x, y)
            yield alpha, (np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_))
        return
    of = of_classes if truth.ndim == 1 else of_labels
    for c in sorted(PENALTIES, key=lambda value: value != 1.0):
        yield c, of(x, truth, outputs, c)


def of_classes(x: NDArray[np.float64], truth: NDArray[np.int64], outputs: int, c: float) -> Weights:
    """Return the logits of a multinomial logistic regression on classes, `[n]`."""
    from sklearn.linear_model import LogisticRegression

    weight, bias = np.zeros((outputs, x.shape[1])), np.full(outputs, ABSENT)
    known = np.unique(truth)
    if len(known) == 1:
        bias[known] = 0.0
        return weight, bias
    fitted = LogisticRegression(C=c, max_iter=1000).fit(x, truth)
    own, intercept = fitted.coef_, fitted.intercept_
    if len(known) == 2:  # one row: the logit of the second class
        own, intercept = np.concatenate([-own, own]) / 2, np.concatenate([-intercept, intercept]) / 2
    weight[known], bias[known] = own, intercept
    return weight, bias


def of_labels(x: NDArray[np.float64], truth: NDArray, outputs: int, c: float) -> Weights:
    """Return the logits of a logistic regression on each label by itself, `[n, labels]` of 0 and 1."""
    from sklearn.linear_model import LogisticRegression

    weight, bias = np.zeros((outputs, x.shape[1])), np.zeros(outputs)
    for place in range(outputs):
        own = truth[:, place].astype(np.int64)
        if own.min() == own.max():
            bias[place] = -ABSENT if own[0] else ABSENT
            continue
        fitted = LogisticRegression(C=c, max_iter=1000).fit(x, own)
        weight[place], bias[place] = fitted.coef_[0], fitted.intercept_[0]
    return weight, bias


def loss_of(model: Tuned, weights: Weights, states: NDArray[np.float64], truth: NDArray) -> float:
    """Return the training loss of a head with some weights on states."""
    with_weights(model, weights)
    return loss_now(model, states, truth)


def loss_now(model: Tuned, states: NDArray[np.float64], truth: NDArray) -> float:
    """Return the training loss of a head on states."""
    target, device = model.target, model.device
    with torch.no_grad():
        features = torch.from_numpy(states.astype(np.float32)).to(device)
        predictions = target.read(features, {})
        return float(target.loss(predictions, {"targets": torch.from_numpy(truth).to(device)}))


def with_weights(model: Tuned, weights: Weights) -> None:
    """Set the weights of the linear layer of a model's head."""
    linear = model.target.head.linear
    with torch.no_grad():
        for parameter, values in zip((linear.weight, linear.bias), weights):
            parameter.copy_(torch.from_numpy(np.asarray(values, np.float32)))

"""How far probabilities of answers can be trusted: temperature, risk by coverage, abstention."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

LEAST = 1e-12
RANGE = (-3.0, 3.0)
"""Natural logarithms of the temperatures that are tried."""


class Abstention(NamedTuple):
    """Which answers to give.

    Attributes
    ----------
    threshold : float
        Least probability of an answer that is given; infinite where no threshold keeps the error.
    coverage, risk : float
        Share of the questions answered, and of these answers that are wrong, on the questions it was chosen on.
    """

    threshold: float
    coverage: float
    risk: float


def tempered(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return probabilities of a softmax whose logits are divided by a temperature."""
    logits = np.log(np.clip(probabilities, LEAST, None)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    found = np.exp(logits)
    return found / found.sum(axis=1, keepdims=True)


def log_loss(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the mean negative log probability (nats) of the true classes."""
    return float(-np.log(np.clip(probabilities[np.arange(len(truth)), truth], LEAST, None)).mean())


def best_temperature(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the temperature of the least log loss (Guo et al. 2017); 1 without questions."""
    if not len(truth):
        return 1.0
    found = minimize_scalar(
        lambda power: log_loss(tempered(probabilities, float(np.exp(power))), truth), bounds=RANGE, method="bounded"
    )
    return float(np.exp(found.x))


def risk_by_coverage(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> pd.DataFrame:
    """Return the error among the surest answers: `answered`, `coverage`, `threshold`, `risk`; ties stand together."""
    surest = probabilities.max(axis=1)
    order = np.argsort(-surest, kind="stable")
    wrong = (probabilities.argmax(axis=1) != truth)[order].cumsum()
    number = np.arange(1, len(order) + 1)
    table = pd.DataFrame({
        "answered": number,
        "coverage": number / max(1, len(order)),
        "threshold": surest[order],
        "risk": wrong / number,
    })  # fmt: skip
    return table[table["threshold"].ne(table["threshold"].shift(-1))].reset_index(drop=True)


def abstention(curve: pd.DataFrame, error: float) -> Abstention:
    """Return the lowest threshold at which no more than a share `error` of the answers given is wrong."""
    kept = curve[curve["risk"] <= error]
    if kept.empty:
        return Abstention(np.inf, 0.0, 0.0)
    last = kept.iloc[-1]
    return Abstention(float(last["threshold"]), float(last["coverage"]), float(last["risk"]))

"""How the loss falls with parameters and data: ``L = E + A / N^alpha + B / D^beta`` (Hoffmann et al. 2022, arXiv:2203.15556).

Fitted as their third approach does: the Huber loss of the logarithm of L, from a grid of starts, the best end taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from glmflow.errors import InputError

PER_BASE = 6
"""Operations a parameter and base: two forwards, four backwards; the pairs of attention come on top and are not counted."""
ALIKE = 1.25
"""Ratio of the most to the fewest operations of runs that are taken for one budget."""
DELTA = 1e-3
"""Where Huber's loss turns from square to linear, in units of log L."""
FEWEST = 6
"""Runs without which five constants are not determined."""
FEWEST_FOR_INTERVALS = 12
STARTS = tuple(product(np.log([0.7, 1.5]), np.log([2.0, 100.0]), np.log([2.0, 100.0]), (0.2, 0.5), (0.2, 0.5)))
NAMES = ("E", "A", "B", "alpha", "beta")


class Interval(NamedTuple):
    """The middle 95 % of bootstrap values."""

    low: float
    high: float


class Budget(NamedTuple):
    """Runs of about one number of operations: the size that is best for it.

    Attributes
    ----------
    flop
        Their geometric mean.
    parameters, loss
        Of the lowest point of a parabola over log N (Hoffmann et al. 2022, second approach) where three sizes or more have one
        between them; else of the best run.
    runs
        How many they are.
    inside
        Whether the lowest point lies between sizes that were run: else a smaller or a larger one may be better.
    """

    flop: float
    parameters: float
    loss: float
    runs: int
    inside: bool


@dataclass(frozen=True)
class ScalingLaw:
    """A fitted law; losses in the unit of those it was fitted to."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    objective: float

    def predict(self, parameters: ArrayLike, bases: ArrayLike) -> NDArray[np.float64]:
        """Return the loss at numbers of parameters and of training bases."""
        N, D = np.asarray(parameters, float), np.asarray(bases, float)
        return self.E + self.A * N**-self.alpha + self.B * D**-self.beta

    @property
    def optimal_exponent(self) -> float:
        """The exponent a of ``N_optimal ~ FLOP^a``: beta / (alpha + beta)."""
        return self.beta / (self.alpha + self.beta)


def fit_scaling_law(parameters: ArrayLike, bases: ArrayLike, losses: ArrayLike) -> ScalingLaw:
    """Fit the law to runs.

    Parameters
    ----------
    parameters, bases, losses
        Of each run: parameters that are no embedding, training bases seen, and held-out loss, all positive.

    Raises
    ------
    InputError
        Too few runs, fewer than three sizes or amounts of data, or numbers that are not positive.
    """
    runs = _runs(parameters, bases, losses)
    ends = sorted((_descend(np.array(start), *runs, steps=30) for start in STARTS), key=lambda end: end[1])
    return _law(min((_descend(end[0], *runs) for end in ends[:3]), key=lambda end: end[1]))


def bootstrap_laws(
    law: ScalingLaw, parameters: ArrayLike, bases: ArrayLike, losses: ArrayLike, draws: int = 200, seed: int = 0
) -> list[ScalingLaw]:
    """Fit the law again to runs drawn with replacement, each from where the law of all runs is.

    A draw of fewer than `FEWEST` different runs is drawn again.

    Raises
    ------
    InputError
        Fewer runs than an interval can be made of.
    """
    N, D, L = _runs(parameters, bases, losses)
    if len(L) < FEWEST_FOR_INTERVALS:
        raise InputError(
            f"{len(L)} runs are too few for intervals of a scaling law",
            fix=f"Train {FEWEST_FOR_INTERVALS} or more, of several sizes and amounts of data.",
        )
    rng, found = np.random.default_rng(seed), []
    start = np.array([np.log(law.E), np.log(law.A), np.log(law.B), law.alpha, law.beta])
    while len(found) < draws:
        rows = rng.integers(len(L), size=len(L))
        if len(np.unique(rows)) >= FEWEST:
            found.append(_law(_descend(start, N[rows], D[rows], L[rows])))
    return found


def interval(values: ArrayLike) -> Interval:
    """Return the middle 95 % of values."""
    return Interval(*np.percentile(np.asarray(values, float), [2.5, 97.5]).tolist())


def left_out(parameters: ArrayLike, bases: ArrayLike, losses: ArrayLike, largest: int) -> NDArray[np.float64]:
    """Return, of the runs of the most compute (N x D), the loss that a law of the others foretells: the test of a law.

    Returns
    -------
    ``float64[largest, 4]``: parameters, bases, loss, foretold loss; the largest run last.
    """
    N, D, L = _runs(parameters, bases, losses)
    order = np.argsort(N * D, kind="stable")
    kept, held = order[:-largest], order[-largest:]
    law = fit_scaling_law(N[kept], D[kept], L[kept])
    return np.stack([N[held], D[held], L[held], law.predict(N[held], D[held])], axis=1)


def _runs(*columns: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    N, D, L = (np.asarray(column, float) for column in columns)
    if not (N > 0).all() or not (D > 0).all() or not (L > 0).all():
        raise InputError("sizes, bases and losses of runs have to be positive")
    if len(L) < FEWEST or len(np.unique(N)) < 3 or len(np.unique(D)) < 3:
        found = f"{len(L)} runs of {len(np.unique(N))} sizes and {len(np.unique(D))} amounts of data"
        raise InputError(
            f"{found} do not determine a scaling law",
            fix=f"Train {FEWEST} runs or more, of three sizes and three amounts of data at least.",
        )
    return N, D, L


def _law(end: tuple[NDArray[np.float64], float]) -> ScalingLaw:
    (e, a, b, alpha, beta), objective = end
    return ScalingLaw(*np.exp([e, a, b]).tolist(), float(alpha), float(beta), float(objective))


def _descend(
    start: NDArray[np.float64],
    N: NDArray[np.float64],
    D: NDArray[np.float64],
    L: NDArray[np.float64],
    steps: int = 500,
) -> tuple[NDArray[np.float64], float]:
    """Return the constants (the first three as logarithms) and the objective where a descent ends.

    Gauss-Newton steps within a trust region: the five constants are so nearly exchangeable that gradients alone take ten
    times as long.
    """
    n, d, truth = np.log(N), np.log(D), np.log(L)

    def log_loss_and_shares(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        terms = np.stack([np.full_like(n, x[0]), x[1] - x[3] * n, x[2] - x[4] * d])
        highest = terms.max(axis=0)
        weights = np.exp(terms - highest)
        total = weights.sum(axis=0)
        return highest + np.log(total), weights / total

    def residuals(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return log_loss_and_shares(x)[0] - truth

    def slopes(x: NDArray[np.float64]) -> NDArray[np.float64]:
        floor, size, data = log_loss_and_shares(x)[1]
        return np.stack([floor, size, data, -size * n, -data * d], axis=1)

    end = least_squares(residuals, start, slopes, bounds=BOUNDS, max_nfev=steps, **OPTIONS)
    return end.x, end.cost


BOUNDS = ([-10, -10, -10, 0, 0], [5, 40, 40, 3, 3])
OPTIONS = {"loss": "huber", "f_scale": DELTA, "x_scale": "jac", "xtol": 1e-10, "ftol": 1e-10, "gtol": 1e-12}


def equal_budgets(parameters: ArrayLike, bases: ArrayLike, losses: ArrayLike) -> list[Budget]:
    """Return the best size at each budget of operations (``6 N D``) that two sizes or more were run with, smallest first."""
    N, D, L = (np.asarray(values, float) for values in (parameters, bases, losses))
    flop, found = PER_BASE * N * D, []
    left = list(np.argsort(flop, kind="stable"))
    while left:
        own = np.array([at for at in left if flop[at] <= ALIKE * flop[left[0]]])
        left = left[len(own) :]
        if len(set(N[own])) < 2:
            continue
        mean, best = float(np.exp(np.log(flop[own]).mean())), own[np.argmin(L[own])]
        inside = bool(N[own].min() < N[best] < N[own].max())
        size, loss = N[best], L[best]
        if inside:
            square, slope, level = np.polyfit(np.log(N[own]), L[own], 2)
            if square > 0 and N[own].min() < np.exp(-slope / 2 / square) < N[own].max():
                size, loss = np.exp(-slope / 2 / square), level - slope**2 / 4 / square
        found.append(Budget(mean, float(size), float(loss), len(own), inside))
    return found

"""How the loss falls with what lies before a base: ``L(c) = E + G * c^-gamma``, of the same bases at every context.

`E` is what no length of context would save, `G` what there is to save at a context of one base, and `gamma` how soon it is saved.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from glmflow.errors import InputError

FEWEST = 4
"""Contexts without which three constants are not determined, with one to spare."""
STARTS = (0.1, 0.3, 1.0, 2.0)
"""Exponents that descents start from."""
LARGEST = 5.0
"""Largest exponent that is looked for: at it all is saved within two bases."""
OPTIONS = {"xtol": 1e-12, "ftol": 1e-12, "gtol": 1e-12, "max_nfev": 500}


class ContextLaw(NamedTuple):
    """A fitted law; losses in the unit of those it was fitted to, contexts in bases."""

    E: float
    G: float
    gamma: float

    def predict(self, contexts: ArrayLike) -> NDArray[np.float64]:
        """Return the loss at contexts."""
        return self.E + self.G * np.asarray(contexts, float) ** -self.gamma

    @property
    def at_border(self) -> bool:
        """Whether the fit ended where no floor is found: the contexts do not reach far enough, or nothing levels off."""
        return self.E <= 1e-6 or self.gamma >= LARGEST - 1e-6


def fit_context_law(contexts: ArrayLike, losses: ArrayLike, near: ContextLaw | None = None) -> ContextLaw:
    """Fit the law by least squares, with no constant below 0.

    Parameters
    ----------
    contexts
        Bases before the scored ones, positive.
    losses
        Of the same bases at each context.
    near
        A law that the descent starts from, as of losses that were drawn again; from several exponents where left out.

    Raises
    ------
    InputError
        Fewer than four contexts, or a loss that does not fall from the shortest to the longest.
    """
    c, loss = np.asarray(contexts, float), np.asarray(losses, float)
    if (count := len(np.unique(c))) < FEWEST:
        raise InputError(
            f"{count} contexts do not determine a law of context",
            where="tasks.*.contexts",
            fix=f"Score {FEWEST} contexts or more, each twice or four times the one before.",
        )
    if loss[np.argmax(c)] >= loss[np.argmin(c)]:
        raise InputError("the loss does not fall from the shortest context to the longest: there is no law of its fall")
    shortest = c.min()
    relative = c / shortest  # the gain at the shortest context: of one size with the losses, whatever the contexts

    def residuals(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x[0] + x[1] * relative ** -x[2] - loss

    def slopes(x: NDArray[np.float64]) -> NDArray[np.float64]:
        fall = relative ** -x[2]
        return np.stack([np.ones_like(fall), fall, -x[1] * fall * np.log(relative)], axis=1)

    low, gain = max(loss.min(), 1e-9), float(np.ptp(loss))
    starts = [(0.95 * low, gain, gamma) for gamma in STARTS]
    if near is not None:
        starts = [(max(near.E, 1e-9), near.G * shortest**-near.gamma, min(max(near.gamma, 1e-6), LARGEST - 1e-6))]
    bounds = ([0, 0, 0], [np.inf, np.inf, LARGEST])
    ends = [least_squares(residuals, start, slopes, bounds=bounds, **OPTIONS) for start in starts]
    floor, scaled, gamma = min(ends, key=lambda end: end.cost).x.tolist()
    return ContextLaw(floor, scaled * shortest**gamma, gamma)

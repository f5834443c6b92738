"""What bases cost those who know the source they were drawn from: a Markov background with copies of earlier segments.

The source is given where copies lie and how far back their originals are, as no model is. A base of a copy whose original can
be seen costs ``-ln(1 - s)`` where it is equal and ``-ln(s / 3)`` where it is another, s being the chance of a substitution; a
base of the background costs what the chain says of it. Where all originals can be seen the mean is the entropy of the source
given its copies, which the mean cost of no model goes below but by chance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RepeatSource:
    """The costs of bases under a source.

    Parameters
    ----------
    chain : float64[4 ** order, 4]
        Probabilities of the next base; the base before it stands in the lowest digit of the row's number.
    substitutions
        Chance of a base to be copied wrongly.
    """

    def __init__(self, chain: NDArray[np.float64], substitutions: float):
        self.substitutions = substitutions
        order = round(np.log(len(chain)) / np.log(4))
        shares = stationary(chain)
        # By bases known before the place: behind a copy the background is known from its first base on alone.
        self.tables = []
        for known in range(order + 1):
            joint = (shares[:, None] * chain).reshape(-1, 4**known, 4).sum(axis=0)
            self.tables.append(joint / joint.sum(axis=1, keepdims=True))

    def nats(self, codes: NDArray[np.uint8], distance: NDArray[np.int64], seen_from: int) -> NDArray[np.float64]:
        """Return the cost of each base from `seen_from` on, ``float64[L - seen_from]``.

        Parameters
        ----------
        codes : uint8[L]
            0 to 3.
        distance : int64[L]
            How far back the original of a copied base stands; 0: background.
        seen_from
            First base that is seen. A copy whose original lies before it is taken for background.
        """
        places = np.arange(len(codes))
        begins = np.flatnonzero(np.append(True, np.diff(distance) != 0))
        start = np.maximum(begins[np.searchsorted(begins, places, side="right") - 1], seen_from)
        known = np.clip(places - start, 0, len(self.tables) - 1)
        cost = np.empty(len(codes))
        for length, table in enumerate(self.tables):
            own = np.flatnonzero(known == length)
            context = sum(
                (codes[own - back].astype(np.int64) << 2 * (back - 1) for back in range(1, length + 1)), 0 * own
            )
            cost[own] = -np.log(table[context, codes[own]])
        copied = (distance > 0) & (places - distance >= seen_from)
        same = codes[copied] == codes[places[copied] - distance[copied]]
        s = self.substitutions
        with np.errstate(divide="ignore"):
            cost[copied] = np.where(same, -np.log1p(-s), -np.log(s / 3))
        return cost[seen_from:]

    @property
    def background(self) -> float:
        """Entropy of the background in nats per base."""
        table = self.tables[-1]
        return float(-(stationary(table)[:, None] * table * np.log(table)).sum())


def stationary(chain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the long-run shares of a chain's contexts, ``float64[4 ** order]``."""
    states = len(chain)
    rows = np.repeat(np.arange(states), 4)
    step = np.zeros((states, states))
    step[rows, (4 * rows + np.tile(np.arange(4), states)) % states] = chain.reshape(-1)
    system = np.vstack([step.T - np.eye(states), np.ones(states)])
    return np.linalg.lstsq(system, np.append(np.zeros(states), 1.0), rcond=None)[0].clip(min=0)

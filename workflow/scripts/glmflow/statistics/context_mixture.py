"""What a sequence costs a compressor: a mixture of models that each look a fixed number of bases back.

Each order estimates a base from the counts of what followed its context in the training sequences. The orders are mixed
with weights that follow how well each has predicted lately, ``w <- w^forgetting * p`` (finite-context models, Pinho et al.
2011, doi:10.1371/journal.pone.0021588). An order whose context was never seen has no say at that place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from .context_counts import Codes, ContextCounts, contexts, known_before

ORDERS = (1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 14, 16, 18, 20)
FORGETTING = 0.9
SEEN_OFTEN, SEEN_ONCE = 10, 12
"""Longest orders whose contexts are mostly seen often, and once, in a genome of a few million bases (4^10 is one million)."""
PSEUDO = (1.0, 0.125, 1.0, 0.088)
"""Added to each count of orders up to the first of these, up to the second, of longer ones, and of the longest: a context of
twenty bases that was seen is a copy, which goes on. Chosen by what genomes cost that are new to it, relatives and copies:
`tests/unit/statistics/test_compressor_figures.py`."""
STRETCH = 1 << 20
"""Places that are scored at a time."""


class ContextMixture:
    """A mixture of orders, fitted to sequences.

    Parameters
    ----------
    sequences
        Training sequences, codes ``uint8[L]`` (0 to 3; anything above is no base).
    orders
        Bases that each model looks back.
    both_strands
        Learn from the reverse complements too.
    forgetting
        How much of an order's record is kept from one base to the next, below 1.
    """

    def __init__(
        self,
        sequences: Iterable[Codes],
        orders: Sequence[int] = ORDERS,
        both_strands: bool = True,
        forgetting: float = FORGETTING,
    ):
        self.orders, self.forgetting = tuple(sorted(orders)), forgetting
        self.counts = ContextCounts(sequences, max(self.orders), both_strands)
        total = self.counts.following(np.zeros(1, np.uint64), 0)[:, 0] + 1.0
        self.composition = total / total.sum()
        self.start = np.zeros(len(self.orders))

    def warmed(self, codes: Codes) -> ContextMixture:
        """Start every sequence with the weights that the orders have on average in another one; returns itself."""
        probabilities, seen = self._estimates(codes)
        self.start = self._records(probabilities, seen).mean(axis=1)
        return self

    def nats(self, codes: Codes) -> NDArray[np.float64]:
        """Return the loss of each base in nats, ``float64[L]``; not a number where there is none.

        Nothing is known before the first base: a sequence costs the same wherever it was cut from.
        """
        record, costs = self.start.copy(), []
        for begin in range(0, len(codes), STRETCH):
            before = min(begin, self.counts.longest)
            part = codes[begin - before : begin + STRETCH]
            probabilities, seen = (table[:, before:] for table in self._estimates(part))
            records = self._records(probabilities, seen, record)
            record = self.forgetting * records[:, -1] + np.log(probabilities[:, -1])
            records[~seen] = -np.inf
            best = records.max(axis=0)
            records -= np.where(np.isfinite(best), best, 0.0)
            weights = np.exp(records, out=records)
            total = weights.sum(axis=0)
            mixed = np.einsum("kl,kl->l", weights, probabilities) / np.where(total > 0, total, 1)
            own = part[before:]
            alone = self.composition[np.where(own > 3, 0, own)]
            costs.append(np.where(own > 3, np.nan, -np.log(np.where(total > 0, mixed, alone))))
        return np.concatenate(costs) if costs else np.zeros(0)

    def _estimates(self, codes: Codes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what each order says of the base that stands there, ``[orders, L]``, and whether it has seen the context.

        Where it has not, or there is no base, it says 1/4.
        """
        order = np.argsort(asked := contexts(codes, self.counts.longest))
        asked, bases = asked[order], np.where(codes > 3, 0, codes)[order]
        known = known_before(codes, self.counts.longest)
        few, none = np.flatnonzero(known < self.counts.longest), np.flatnonzero(codes > 3)
        probabilities = np.empty((len(self.orders), len(codes)))
        seen = np.empty(probabilities.shape, bool)
        for length, chosen, total in self.counts.own(asked, bases, self.orders):
            row, pseudo = self.orders.index(length), self._pseudo(length)
            probabilities[row, order] = (chosen + pseudo) / (total + 4 * pseudo)
            seen[row, order] = total > 0
            for unknown in (none, few[known[few] < length]):
                probabilities[row, unknown], seen[row, unknown] = 0.25, False
        return probabilities, seen

    def _pseudo(self, order: int) -> float:
        """Return what is added to each count of an order."""
        longer = order > SEEN_ONCE
        return PSEUDO[int(order > SEEN_OFTEN) + longer + (longer and order == self.counts.longest)]

    def _records(
        self, probabilities: NDArray[np.float64], seen: NDArray[np.bool_], start: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the logarithm of each order's weight before each base, up to a constant, ``[orders, L]``."""
        start = self.start if start is None else start
        gained = np.log(probabilities)
        state = start[:, None]  # what the filter gives first, before any base
        return lfilter([0.0, 1.0], [1.0, -self.forgetting], gained, axis=1, zi=state)[0]


def fixed_order_nats(counts: ContextCounts, order: int, codes: Codes, pseudo: float = 1.0) -> NDArray[np.float64]:
    """Return the loss of each base under the counts of one order, in nats, ``float64[L]``; not a number for no base.

    Where fewer bases are known before a place, as many are looked at as there are.
    """
    sorting = np.argsort(asked := contexts(codes, counts.longest))
    asked, bases = asked[sorting], np.where(codes > 3, 0, codes)[sorting]
    known = np.minimum(known_before(codes, counts.longest)[sorting], order)
    cost = np.empty(len(codes))
    for length in np.unique(known):
        own = known == length
        found = counts.following(asked[own], int(length))
        chosen = found[bases[own], np.arange(int(own.sum()))]
        cost[sorting[own]] = -np.log((chosen + pseudo) / (found.sum(axis=0) + 4 * pseudo))
    return np.where(codes > 3, np.nan, cost)

"""What a model makes of windows read whole: token and base log-probabilities, states.

Each reference window is read once. A causal model reads an alternative from the first changed token on, where its
network can go on from what it remembers of the reference (`glmflow.models.continuation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .likelihood_model import LOGITS, LikelihoodModel
from .token_rows import TokenRows

LIKELIHOODS = ("ll", "ll_allele", "ll_flank")
BASES = ("next", "flank", "influence")
MEANS = ("l1_mean", "l2_mean", "cosine_mean")
STATES = ("l2_flat", "l2_site")


@dataclass
class Reading:
    """What a model made of one window.

    Attributes
    ----------
    logs
        `float64[T]`: log p(token | tokens to its left); 0 of tokens that are not scored.
    bases
        `float64[W, 4]`: log-probabilities of A, C, G and T among the four, at each base (causal: of the base behind it).
    mean
        `float64[D]`: mean state of the bases.
    states
        `[T, D]`
    cover
        `int32[W]`: the token of each base.
    """

    logs: NDArray[np.float64] | None = None
    bases: NDArray[np.float64] | None = None
    mean: NDArray[np.float64] | None = None
    states: Tensor | None = None
    cover: NDArray[np.int32] | None = None


class Reader:
    """Turns states of windows into `Reading`s, as far as the scores asked for need them."""

    def __init__(self, model: LikelihoodModel, names: Sequence[str]):
        self.model = model
        self.logs = any(name in LIKELIHOODS for name in names)
        self.bases = any(name in BASES for name in names) and model.kind == "base"
        self.means = any(name in MEANS for name in names)
        self.keeps = self.means or any(name in STATES for name in names)
        self.base_ids = torch.from_numpy(model.base_ids()) if self.bases else None

    def read(
        self, rows: TokenRows, chosen: NDArray, states: Tensor, at: int = 0, shared: Sequence[Reading] = ()
    ) -> list[Reading]:
        """Return the readings of some rows of one length.

        Parameters
        ----------
        states
            `[n, T - at, D]`: of the tokens from `at` on.
        shared
            The reading of the window that each row shares its first `at` + 1 tokens with.
        """
        length = int(rows.length[chosen[0]])
        ids = self.model.ids(rows.ids[chosen, :length])
        found = [Reading(cover=rows.cover[row]) for row in chosen]
        if self.logs or self.bases:
            self._read_logits(rows, chosen, ids[:, at:], states, found)
        if self.keeps:
            self._keep(rows, chosen, ids, states, found, at, shared)
        if shared:
            for one, other in zip(found, shared):
                if self.logs:
                    one.logs = np.concatenate([other.logs[: at + 1], one.logs[1:]])
                if self.bases:
                    one.bases = np.concatenate([other.bases[: at - self._first], one.bases])
        return found

    @property
    def _first(self) -> int:
        """The token of the first base."""
        return len(self.model.adapter.tokenizer.prefix)

    def _read_logits(self, rows: TokenRows, chosen: NDArray, ids: Tensor, states: Tensor, found: list[Reading]) -> None:
        """Read log-probabilities off logits, some tokens at a time."""
        n, length = ids.shape
        at = int(rows.length[chosen[0]]) - length
        size = max(1, LOGITS // (n * self.model.adapter.card.vocab_size))
        own, bases = [], []
        for begin in range(0, length, size):
            logits = self.model.logits(states[:, begin : begin + size])
            if self.logs:
                targets = ids[:, begin + 1 : begin + size + 1]
                ahead = logits[:, : targets.shape[1]]
                picked = ahead.gather(-1, targets[..., None])[..., 0] - ahead.logsumexp(-1)
                own.append(picked.double().cpu().numpy())
            if self.bases:
                bases.append(logits[..., self.base_ids.to(logits.device)].log_softmax(-1).double().cpu().numpy())
        if self.logs:
            logs = np.concatenate([np.zeros((n, 1)), *own], 1)
            logs *= self.model.scored(rows)[chosen, at : at + length]
            for one, values in zip(found, logs):
                one.logs = values
        if self.bases:
            first = max(self._first - at, 0)
            last = first + rows.cover.shape[1] - max(at - self._first, 0)
            for one, values in zip(found, np.concatenate(bases, 1)[:, first:last]):
                one.bases = values

    def _keep(
        self,
        rows: TokenRows,
        chosen: NDArray,
        ids: Tensor,
        states: Tensor,
        found: list[Reading],
        at: int,
        shared: Sequence[Reading],
    ) -> None:
        """Keep the states that distances compare, and their mean over bases."""
        states = self.model.compared_states(ids, states)
        if at:
            states = torch.cat([torch.stack([one.states[:at] for one in shared]), states], 1)
        for one, own in zip(found, states):
            one.states = own
        if self.means:
            covers = rows.cover[chosen]
            weight = np.zeros((len(chosen), states.shape[1]))
            np.add.at(weight, (np.arange(len(chosen))[:, None], covers), 1 / covers.shape[1])
            weights = torch.from_numpy(weight).to(states.device, torch.float32)
            means = (weights[:, None] @ states.float())[:, 0].double().cpu().numpy()
            for one, mean in zip(found, means):
                one.mean = mean


Pairs = Iterator[tuple[NDArray[np.int64], list[Reading], list[Reading]]]


def pairs(
    model: LikelihoodModel, reader: Reader, reference: TokenRows, row: NDArray, alternative: TokenRows, which: NDArray
) -> Pairs:
    """Yield some edits at a time with the readings of their reference and alternative windows.

    Parameters
    ----------
    reference, row, alternative
        The distinct reference windows, that of each edit, and the alternative windows.
    which
        `int64[c]`: the edits that are read.
    """
    for length in np.unique(reference.length[row[which]]):
        of_length = which[reference.length[row[which]] == length]
        parents = np.unique(row[of_length])
        size = model.rows_per_batch(int(length))
        for begin in range(0, len(parents), size):
            some = parents[begin : begin + size]
            children = of_length[np.isin(row[of_length], some)]
            yield from _family(model, reader, reference, some, row, alternative, children)


def references(model: LikelihoodModel, reader: Reader, reference: TokenRows, row: NDArray, which: NDArray) -> Pairs:
    """Yield some edits at a time with the readings of their reference windows alone, twice: for scores that need no more."""
    for length in np.unique(reference.length[row[which]]):
        of_length = which[reference.length[row[which]] == length]
        parents = np.unique(row[of_length])
        size = model.rows_per_batch(int(length))
        for begin in range(0, len(parents), size):
            some = parents[begin : begin + size]
            states = model.states(model.ids(reference.ids[some, :length]))
            readings = reader.read(reference, some, states)
            children = of_length[np.isin(row[of_length], some)]
            own = [readings[one] for one in np.searchsorted(some, row[children])]
            yield children, own, own


def _family(
    model: LikelihoodModel,
    reader: Reader,
    reference: TokenRows,
    parents: NDArray,
    row: NDArray,
    alternative: TokenRows,
    children: NDArray,
) -> Pairs:
    """Read some reference windows of one length, and the alternatives of each."""
    length = int(reference.length[parents[0]])
    ids = model.ids(reference.ids[parents, :length])
    continues, memory = model.continues(), None
    if continues:
        states, memory = model.remember(ids)
    else:
        states = model.states(ids)
    readings = reader.read(reference, parents, states)
    parent = np.searchsorted(parents, row[children])
    shared = _shared(reference, parents, parent, alternative, children) if continues else np.zeros(len(children))
    shared = np.minimum(shared, alternative.length[children]).astype(np.int64)
    order = np.lexsort((-shared, alternative.length[children]))
    children, parent, shared = children[order], parent[order], shared[order]
    for begin, end in _runs(alternative.length[children], model):
        some, own = children[begin:end], parent[begin:end]
        at = max(int(shared[begin:end].min()) - 1, 0)
        rows = alternative.ids[some, : alternative.length[some[0]]]
        of_parent = [readings[one] for one in own]
        if at:
            states = model.go_on(memory, own, at, model.ids(rows[:, at:]))
            yield some, of_parent, reader.read(alternative, some, states, at, of_parent)
        else:
            yield some, of_parent, reader.read(alternative, some, model.states(model.ids(rows)))


def _shared(
    reference: TokenRows, parents: NDArray, parent: NDArray, alternative: TokenRows, children: NDArray
) -> NDArray[np.int64]:
    """Return how many tokens each alternative window has in common with its reference from the left."""
    width = min(reference.ids.shape[1], alternative.ids.shape[1])
    differ = reference.ids[parents[parent], :width] != alternative.ids[children, :width]
    return np.where(differ.any(1), differ.argmax(1), width)


def _runs(lengths: NDArray, model: LikelihoodModel) -> Iterator[tuple[int, int]]:
    """Yield first and last of each batch of rows of one length, which are sorted by it."""
    begin = 0
    for end in (np.flatnonzero(np.append(np.diff(lengths), 1)) + 1).tolist():
        size = model.rows_per_batch(int(lengths[begin]))
        for first in range(begin, end, size):
            yield first, min(first + size, end)
        begin = end

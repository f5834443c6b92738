"""All answers of a list in one pass: a tree of their tokens, each of which sees its prompt and what leads to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Trie(NamedTuple):
    """Answers as a tree of tokens.

    Attributes
    ----------
    tokens : int[N]
        Token of each node; a node stands behind the node before it.
    parents : int[N]
        Node before each; -1 where that is the end of the prompt.
    depths : int[N]
        Nodes before it.
    paths : list[list[int]]
        Nodes of each answer in their order.
    """

    tokens: NDArray[np.int64]
    parents: NDArray[np.int64]
    depths: NDArray[np.int64]
    paths: list[list[int]]

    def sees(self) -> NDArray[np.bool_]:
        """Return which nodes each node sees, `[N, N]`: those before it and itself."""
        found = np.eye(len(self.tokens), dtype=bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                found[node] |= found[parent]
        return found

    def members(self) -> NDArray[np.float32]:
        """Return which nodes make each answer, `[answers, N]`."""
        found = np.zeros((len(self.paths), len(self.tokens)), np.float32)
        for row, path in enumerate(self.paths):
            found[row, path] = 1
        return found


def trie_of(answers: Sequence[Sequence[int]]) -> Trie:
    """Return answers (lists of ids) as a tree: what they begin with alike is one path.

    Every answer ends with a token that ends it, so that none is the beginning of another and the probabilities of all
    texts add up to one.
    """
    numbers: dict[tuple[int, ...], int] = {}
    tokens, parents, depths, paths = [], [], [], []
    for answer in answers:
        path, before = [], ()
        for token in answer:
            own = (*before, int(token))
            if own not in numbers:
                numbers[own] = len(tokens)
                tokens.append(int(token))
                parents.append(numbers.get(before, -1))
                depths.append(len(before))
            path.append(numbers[own])
            before = own
        paths.append(path)
    return Trie(*(np.array(values, np.int64) for values in (tokens, parents, depths)), paths)


def followed(scores: Tensor, parents: Tensor, members: Tensor) -> Tensor:
    """Return the answer that is written if at each place the likeliest token is taken that goes on to an answer, int `[B]`.

    Greedy decoding held to the list: unlike the ranking, it does not look ahead.

    Parameters
    ----------
    scores : float[B, N]
        Log probability of the token of each node behind what leads to it.
    parents : int[N]
        Node before each (`Trie.parents`).
    members : float[answers, N]
        Which nodes make each answer (`Trie.members`).
    """
    at = torch.full((len(scores),), -1, dtype=parents.dtype, device=scores.device)
    while True:
        next_ = parents == at[:, None]
        goes_on = next_.any(dim=1)
        if not bool(goes_on.any()):
            return members[:, at].argmax(dim=0)
        best = scores.masked_fill(~next_, float("-inf")).argmax(dim=1)
        at = torch.where(goes_on, best, at)


def tree_mask(prompt: Tensor, sees: Tensor) -> Tensor:
    """Return which places each place sees, bool `[B, 1, P + N, P + N]`, for prompts with a tree of answers behind them.

    A padded place sees itself alone, so that no row is empty, and no other place sees it.

    Parameters
    ----------
    prompt : bool[B, P]
        True for tokens, False for padding.
    sees : bool[N, N] or bool[B, N, N]
        Which nodes each node sees.
    """
    batch, width = prompt.shape
    sees = sees.expand(batch, *sees.shape[-2:])
    nodes = sees.shape[-1]
    mask = torch.zeros(batch, width + nodes, width + nodes, dtype=torch.bool, device=prompt.device)
    causal = torch.ones(width, width, dtype=torch.bool, device=prompt.device).tril()
    mask[:, :width, :width] = causal & prompt[:, None, :]
    mask[:, width:, :width] = prompt[:, None, :]
    mask[:, width:, width:] = sees
    every = torch.arange(width + nodes, device=prompt.device)
    mask[:, every, every] = True
    return mask[:, None]


def tree_positions(prompt: Tensor, depths: Tensor) -> Tensor:
    """Return the position of each place, `[B, P + N]`: padding is not counted, and answers go on behind the prompt."""
    own = (prompt.long().cumsum(1) - 1).clamp(min=0)
    return torch.cat([own, prompt.long().sum(1, keepdim=True) + depths], dim=1)

"""Recurrent networks: what was read of a sequence is a state of fixed size, which is handed on from stretch to stretch.

A sequence of any length is read in stretches and costs the memory of one. Where a batch is gone on with from its inside, states
are kept at intervals and what lies between is read again.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from glmflow.models.interface import Network

EVERY = 64
"""Tokens between two states that are kept of a sequence to be gone on with from its inside."""
State = list[Any]
"""Of each layer a named tuple of tensors, rows first."""


class Memory:
    """What was read of a batch: its tokens, and the state before every `EVERY`-th of them; or the state after the last alone."""

    def __init__(self, input_ids: Tensor, before: list[State], after: State):
        self.input_ids, self.before, self.after = input_ids, before, after


class CarriedNetwork(Network):
    """A network that goes on from a state."""

    continues = True

    @abstractmethod
    def start(self, rows: int) -> State:
        """Return the state before the first token of `rows` sequences."""

    @abstractmethod
    def carry(self, input_ids: Tensor, states: State) -> tuple[Tensor, State]:
        """Go on from a state: the states of the tokens ``[B, T, D]``, and the state after the last of them."""

    def states(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """``int64[B, T]`` to the normalised states ``[B, T, D]``; what stands to the right changes none of them."""
        return self.carry(input_ids, self.start(len(input_ids)))[0]

    def remember(self, input_ids: Tensor) -> tuple[Tensor, Memory]:
        """Return the states of a batch ``[B, T, D]``, and the state carried to every `EVERY`-th token."""
        state, parts, kept = self.start(len(input_ids)), [], []
        for part in input_ids.split(EVERY, 1):
            kept.append(state)
            states, state = self.carry(part, state)
            parts.append(states)
        return torch.cat(parts, 1), Memory(input_ids, kept, state)

    def go_on(self, memory: Memory, rows: Tensor, at: int, input_ids: Tensor) -> Tensor:
        """Return the states ``[n, S, D]`` of sequences that share their first `at` tokens with `rows` of that batch."""
        number = min(at // EVERY, len(memory.before) - 1)
        state = [type(layer)(*(part[rows] for part in layer)) for layer in memory.before[number]]
        shared = memory.input_ids[rows, number * EVERY : at]
        return self.carry(torch.cat([shared, input_ids], 1), state)[0][:, shared.shape[1] :]

    def begin(self, input_ids: Tensor, room: int) -> tuple[Tensor, Memory]:
        """Return the states of a batch ``[B, T, D]``, and the state after it: as large for a genome as for a base."""
        states, after = self.carry(input_ids, self.start(len(input_ids)))
        return states, Memory(input_ids[:, :0], [], after)

    def step(self, memory: Memory, at: int, input_ids: Tensor) -> Tensor:
        """Return the states ``[B, S, D]`` of the next tokens, and keep the state after them."""
        states, memory.after = self.carry(input_ids, memory.after)
        return states

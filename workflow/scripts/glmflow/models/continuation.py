"""Causal models that go on from a position inside a sequence they have read, without reading its beginning again.

Nothing of a causal model's states before a position depends on what stands there. So a second sequence that shares
its first tokens with one already read needs passes over its other tokens only. What those need of the first ones are
the inputs of the layers that mix positions (attention's keys and values, the inputs of convolutions): a `Tape` keeps
them while a batch is read, and gives them back in the same order.

The layers that mix positions call `before` (and `as_read` for filters as long as the sequence); outside of `remember`,
`go_on` and `step` both return what they are given. A network that mixes positions in any other way cannot be continued:
`Network.continues` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

_current: ContextVar[Tape | None] = ContextVar("tape", default=None)


@dataclass
class Tape:
    """What the mixing layers of a network read of a batch, in the order of their calls.

    Where a batch is gone on with token by token (`begin`, `step`), what is kept has room for the tokens to come and each
    of them is written into it.

    Attributes
    ----------
    kept
        Their inputs.
    rows, at
        While going on: the rows of the batch that the new sequences begin like, and how many tokens they share.
    place
        While going on: the next input to give back.
    writes
        Whether every row goes on with itself, and what is read is kept at `at`.
    """

    kept: list[Tensor] = field(default_factory=list)
    rows: Tensor | None = None
    at: int = 0
    place: int = 0
    writes: bool = False

    def next(self) -> Tensor:
        """Return the input of the call that comes next."""
        self.place += 1
        return self.kept[self.place - 1]


@contextmanager
def _playing(tape: Tape) -> Iterator[None]:
    token = _current.set(tape)
    try:
        yield
    finally:
        _current.reset(token)


def remember(network: nn.Module, input_ids: Tensor) -> tuple[Tensor, Tape]:
    """Return the states ``[B, T, D]`` of a batch, and what `go_on` needs of it."""
    tape = Tape()
    with _playing(tape):
        return network.states(input_ids), tape


def go_on(network: nn.Module, tape: Tape, rows: Tensor, at: int, input_ids: Tensor) -> Tensor:
    """Return the states of sequences from a position on.

    Parameters
    ----------
    tape
        Of the batch that was read.
    rows
        ``int64[n]``: the row of that batch whose first tokens each sequence shares.
    at
        How many tokens are shared.
    input_ids
        ``int64[n, S]``: the tokens from there on.

    Returns
    -------
    ``[n, S, D]``
    """
    with _playing(Tape(tape.kept, rows, at)):
        return network.states(input_ids)


def begin(network: nn.Module, input_ids: Tensor, room: int) -> tuple[Tensor, Tape]:
    """Return the states ``[B, T, D]`` of a batch, and what `step` needs to go on with it for `room` tokens.

    What stands behind the batch changes nothing of it: filler tokens are read with it once, so that everything that is kept,
    and filters as long as the sequence, are made for the length that it will have.
    """
    filler = input_ids[:, -1:].expand(-1, room)
    states, tape = remember(network, torch.cat([input_ids, filler], 1))
    kept = [tensor.clone() for tensor in tape.kept]
    return states[:, : input_ids.shape[1]], Tape(kept, writes=True)


def step(network: nn.Module, tape: Tape, at: int, input_ids: Tensor) -> Tensor:
    """Return the states ``[B, S, D]`` of the next tokens of a batch, of which `at` were read before."""
    with _playing(Tape(tape.kept, at=at, writes=True)):
        return network.states(input_ids)


def before(x: Tensor, dim: int, most: int | None = None) -> Tensor:
    """Return a mixing layer's input with what stands before it in its sequence, ``[..., P + S, ...]``.

    Parameters
    ----------
    x
        The input, sequences along the first dimension.
    dim
        The dimension of positions.
    most
        Positions before it that matter: the width of a filter less one. All by default.
    """
    tape = _current.get()
    if tape is None:
        return x
    if tape.writes:
        held = tape.next()
        held.narrow(dim, tape.at, x.shape[dim]).copy_(x)
        length = tape.at if most is None else min(most, tape.at)
        return held.narrow(dim, tape.at - length, length + x.shape[dim]).to(x.dtype)
    if tape.rows is None:
        tape.kept.append(x)
        return x
    length = tape.at if most is None else min(most, tape.at)
    shared = tape.next().narrow(dim, tape.at - length, length)
    return torch.cat([shared[tape.rows].to(x.dtype), x], dim)


def as_read(filters: Tensor) -> Tensor:
    """Return filters made for the length of a whole sequence, also where only its end is read."""
    tape = _current.get()
    if tape is None:
        return filters
    if tape.writes:
        return tape.next()
    if tape.rows is None:
        tape.kept.append(filters)
        return filters
    return tape.next()


def offset() -> int:
    """Return the position of the first token that is read: 0, or where a sequence is gone on with."""
    tape = _current.get()
    return 0 if tape is None else tape.at

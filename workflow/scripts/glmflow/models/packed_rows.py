"""Several records in one row, each read as if it stood alone: no layer looks over the border between two.

Layers that mix positions ask `here` what they may see; outside of `packed` every row is one sequence, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

_current: ContextVar[Records | None] = ContextVar("records", default=None)


class Records(NamedTuple):
    """Which record each token is of, ``int64[B, T]``: neighbours of one number are one record."""

    numbers: Tensor

    @property
    def places(self) -> Tensor:
        """Place of each token in its record, ``int64[B, T]``."""
        return torch.arange(self.numbers.shape[1], device=self.numbers.device) - self.starts

    @property
    def starts(self) -> Tensor:
        """Where the record of each token begins, ``int64[B, T]``."""
        order = torch.arange(self.numbers.shape[1], device=self.numbers.device)
        return torch.where(self.first, order, 0).cummax(1).values

    @property
    def first(self) -> Tensor:
        """Whether a token is the first of its record, ``bool[B, T]``."""
        return pad(self.numbers[:, 1:] != self.numbers[:, :-1], (1, 0), value=True)

    @property
    def seen(self) -> Tensor:
        """Which tokens are of one record, ``bool[B, 1, T, T]``."""
        return (self.numbers[:, None] == self.numbers[:, :, None])[:, None]


@contextmanager
def packed(numbers: Tensor | None) -> Iterator[None]:
    """Let rows be of several records, whose numbers are ``int64[B, T]``; None: of one."""
    token = _current.set(None if numbers is None else Records(numbers))
    try:
        yield
    finally:
        _current.reset(token)


def here() -> Records | None:
    """Return the records of the rows that are read; None where each row is one."""
    return _current.get()


def moved(x: Tensor, steps: int) -> Tensor:
    """Return what stood `steps` places before (negative: behind) in the same record, ``[B, D, T]``; zeros elsewhere."""
    if not steps:
        return x
    length = x.shape[-1]
    found = pad(x, (steps, 0))[..., :length] if steps > 0 else pad(x, (0, -steps))[..., -steps:]
    records = here()
    if records is None:
        return found
    other = records.numbers.roll(steps, 1)
    return found * (other == records.numbers)[:, None].to(x.dtype)


def convolved(x: Tensor, weight: Tensor, bias: Tensor | None, before: int) -> Tensor:
    """Convolve the channels of each record as if it stood alone, tap by tap.

    Parameters
    ----------
    x
        ``[B, D, T]``.
    weight
        ``[E, D, K]`` as `torch.nn.Conv1d` has it: tap k meets what stands ``before - k`` places before.
    """
    mixed = sum(linear(moved(x, before - tap).mT, weight[..., tap]) for tap in range(weight.shape[-1]))
    assert isinstance(mixed, Tensor)
    return (mixed if bias is None else mixed + bias).mT


def apart(x: Tensor, records: Records) -> tuple[Tensor, Tensor, Tensor]:
    """Lay each record into a row of its own, filled up with zeros on the right.

    Parameters
    ----------
    x
        ``[B, T, D]``.

    Returns
    -------
    Row and place of each token, ``int64[B, T]``, and the rows ``[R, longest, D]``: ``rows[row, place]`` is `x`.
    """
    row = records.first.flatten().cumsum(0).view_as(records.numbers) - 1
    place = records.places
    laid = x.new_zeros(int(row.max()) + 1, int(place.max()) + 1, x.shape[-1])
    return row, place, laid.index_put((row, place), x)


def at_chunks(records: Records, chunk: int) -> tuple[Tensor, Tensor, int]:
    """Return places of tokens such that each record begins a chunk, ``int64[B, T]``, which chunks begin one, and their number.

    Chunks are ``bool[B, n]``; the last of a record may have room left.
    """
    order = torch.arange(records.numbers.shape[1], device=records.numbers.device)
    starts = records.starts
    length = order[1:] - starts[:, :-1]  # of the record that ends before a token, where it does
    room = pad(torch.where(records.first[:, 1:], -length % chunk, 0), (1, 0)).cumsum(1)
    places = order + room
    count = int(places.max()) // chunk + 1
    begins = torch.zeros(len(places), count, dtype=torch.bool, device=places.device)
    rows = torch.arange(len(places), device=places.device)[:, None].expand_as(places)
    begins[rows[records.first], places[records.first] // chunk] = True
    return places, begins, count

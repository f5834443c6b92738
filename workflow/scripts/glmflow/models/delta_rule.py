"""The recurrence of RWKV-7 in chunks: the same numbers as one step a token, as products of matrices.

``S <- S diag(w) - (S kk)(kk a)^T + v k^T``, ``y = S r`` (Peng et al. 2025, arXiv:2503.14456). Within a chunk decays are
divided out, so that what the steps do to one another is a triangular system; between chunks only S is handed on.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from glmflow.models.packed_rows import Records, at_chunks
from glmflow.models.settings.rwkv7 import LONGEST

CHUNK = 32


class Step(NamedTuple):
    """What a token gives to the recurrence, each ``[B, H, T, N]``.

    ``r`` receptance, ``log_w`` logarithm of the decay (-0.6065 to 0), ``k`` key, ``v`` value, ``kk`` unit key that is
    removed, ``a`` how much of it.
    """

    r: Tensor
    log_w: Tensor
    k: Tensor
    v: Tensor
    kk: Tensor
    a: Tensor


def recur(step: Step, state: Tensor) -> tuple[Tensor, Tensor]:
    """Return the outputs ``[B, H, T, N]`` and the last state ``[B, H, N, N]`` (value, key), one token at a time."""
    outputs = []
    for r, log_w, k, v, kk, a in zip(*(part.unbind(2) for part in step)):
        removed = (state @ kk[..., None]) * (kk * a)[..., None, :]
        state = state * log_w.exp()[..., None, :] - removed + v[..., None] * k[..., None, :]
        outputs.append((state @ r[..., None])[..., 0])
    return torch.stack(outputs, 2), state


def recur_in_chunks(
    step: Step, state: Tensor, chunk: int = CHUNK, begins: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return what `recur` returns, `chunk` tokens at a time.

    Parameters
    ----------
    begins
        ``bool[B, n]``: chunks before which nothing was read, the first of a record.
    """
    if not 1 <= chunk <= LONGEST:
        raise ValueError(f"chunks of {chunk} tokens: 1 to {LONGEST}")
    length = step.r.shape[2]
    missing = -length % chunk
    # A token of zeros decays nothing, removes nothing and adds nothing.
    r, log_w, k, v, kk, a = (pad(part, (0, 0, 0, missing)).unflatten(2, (-1, chunk)) for part in step)
    decay = log_w.cumsum(3)
    q, removed = r * decay.exp(), -kk * (decay - log_w).exp()
    grown = (-decay).exp()
    added, back = k * grown, kk * a * grown
    ones = torch.ones(chunk, chunk, dtype=torch.bool, device=r.device)
    system = torch.eye(chunk, dtype=r.dtype, device=r.device) - (removed @ back.mT).tril(-1)
    own = (removed @ added.mT).tril(-1) @ v
    solved = torch.linalg.solve_triangular(system, torch.cat([removed, own], -1), upper=False, unitriangular=True)
    of_state, alone = solved.split(r.shape[-1], -1)
    last = decay[..., -1:, :].exp()
    gained = v.mT @ added
    states, changes = [], []
    for number in range(r.shape[2]):
        if begins is not None:
            state = state.masked_fill(begins[:, number, None, None, None], 0.0)
        states.append(state)
        change = of_state[:, :, number] @ state.mT + alone[:, :, number]
        changes.append(change)
        state = (state + gained[:, :, number] + change.mT @ back[:, :, number]) * last[:, :, number]
    before, change = torch.stack(states, 2), torch.stack(changes, 2)
    seen = ones.tril()
    y = q @ before.mT + ((q @ added.mT) * seen) @ v + ((q @ back.mT) * seen) @ change
    return y.flatten(2, 3)[:, :, :length], state


def recur_in_records(step: Step, state: Tensor, chunk: int, records: Records) -> tuple[Tensor, Tensor]:
    """Return what `recur_in_chunks` returns of rows of several records, each from a state of zeros."""
    places, begins, count = at_chunks(records, chunk)
    at = places[:, None, :, None].expand_as(step.r)
    laid = [part.new_zeros(*part.shape[:2], count * chunk, part.shape[-1]).scatter(2, at, part) for part in step]
    y, state = recur_in_chunks(Step(*laid), state, chunk, begins)
    return y.gather(2, at), state

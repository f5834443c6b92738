"""Bits per base of a whole sequence that is read as one stream: a state of fixed size is all that is kept of what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.errors import InputError
from glmflow.models.adapter import Adapter
from glmflow.models.carried_state import CarriedNetwork, State
from glmflow.models.likelihood import SLICE

FIRST = 1024
"""Bases of the first bin of distances; each other one is as long as all before it."""
BINS = 40
BITS = np.log(2)


class DistanceBits(NamedTuple):
    """Bits per base of the bases from `start` to `end` bases behind the beginning of a sequence, and how many were scored.

    `restarted`: the same bases, by a model whose state starts again at regular intervals; None where that was not asked.
    """

    start: int
    end: int
    bases: int
    carried: float
    restarted: float | None


def stream_bits(model: Adapter, pieces: Iterable[bytes], restart: int | None = None) -> list[DistanceBits]:
    """Score a sequence in one pass, left to right, on one strand.

    Neither the length of the sequence nor the number of its pieces matters to what is held in memory: a stretch of `SLICE`
    bases (or of `restart`, where that is longer) and the state.

    Parameters
    ----------
    pieces
        The sequence in upper-case letters A, C, G, T and N.
    restart
        Score the bases once more, with a state that starts again every so many: what the carried state is worth is what is
        lost by it.

    Returns
    -------
    list
        By distance from the beginning: the first `FIRST` bases, then each time as many as before; last the whole sequence. Unknown
        bases are read and not scored, nor are bases that one of the two scores has nothing before.

    Raises
    ------
    InputError
        The model has no state, or more than a token a base.
    """
    network = model.network
    if not isinstance(network, CarriedNetwork) or model.tokenizer is None or model.tokenizer.prefix:
        fix = "Take a model of `rwkv7` or `mamba`; `glmflow likelihood` scores others."
        raise InputError(f"family {model.card.family} has no state that a stream could be read with", fix=fix)
    size = SLICE if restart is None else restart * max(1, SLICE // restart)
    sums, read, state, last = np.zeros((BINS, 3)), 0, network.start(1), None
    model.eval()
    with torch.no_grad():
        for codes in stretches(pieces, size):
            ids = torch.from_numpy(model.tokenizer.pieces(codes).ids)[None].to(model.device)
            nats, state, last = _carried(network, ids, state, last)
            alone = np.zeros(len(codes)) if restart is None else _restarted(network, ids, restart)
            scored = (codes != ord("N")) & np.isfinite(nats) & np.isfinite(alone)
            bins = bin_of(np.arange(read, read + len(codes)))[scored]
            for column, values in enumerate((np.ones(len(bins)), nats[scored], alone[scored])):
                sums[:, column] += np.bincount(bins, values, BINS)
            read += len(codes)
    return list(_by_distance(sums, read, restart is not None))


def stretches(pieces: Iterable[bytes], size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield a sequence in stretches of `size` bases, the last one shorter, whatever its pieces."""
    kept = b""
    for piece in pieces:
        kept += piece
        whole = len(kept) - len(kept) % size
        for start in range(0, whole, size):
            yield np.frombuffer(kept, np.uint8, size, start)
        kept = kept[whole:]
    if kept:
        yield np.frombuffer(kept, np.uint8)


def bin_of(distance: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the bin that a distance from the beginning lies in, ``int64[n]``."""
    return np.frexp(distance // FIRST)[1].astype(np.int64)


def _carried(
    network: CarriedNetwork, ids: Tensor, state: State, last: Tensor | None
) -> tuple[NDArray[np.float64], State, Tensor]:
    """Return the nats of each base of a stretch, what is handed on, and the prediction of the base that follows it, ``[1, V]``."""
    states, state = network.carry(ids, state)
    logs = network.logits(states)[0].float().log_softmax(-1)
    nats = np.full(ids.shape[1], np.nan)
    nats[1:] = -logs[:-1].gather(-1, ids[0, 1:, None])[:, 0].double().cpu().numpy()
    if last is not None:
        nats[0] = -float(last[0, ids[0, 0]])
    return nats, state, logs[-1:]


def _restarted(network: CarriedNetwork, ids: Tensor, every: int) -> NDArray[np.float64]:
    """Return the nats of each base of a stretch whose state starts again every so many bases, side by side."""
    length = ids.shape[1]
    rows = torch.nn.functional.pad(ids, (0, -length % every)).view(-1, every)
    logs = network.logits(network.states(rows)).float().log_softmax(-1)
    nats = np.full(rows.shape, np.nan)
    nats[:, 1:] = -logs[:, :-1].gather(-1, rows[:, 1:, None])[..., 0].double().cpu().numpy()
    return nats.flatten()[:length]


def _by_distance(sums: NDArray[np.float64], length: int, restarted: bool) -> Iterator[DistanceBits]:
    """Yield the bits of each bin that has scored bases, and those of all."""
    starts = np.concatenate([[0], FIRST << np.arange(BINS - 1)])
    for start, end, own in zip(starts.tolist(), [*starts[1:].tolist(), length], sums):
        if own[0]:
            yield _bits(start, min(end, length), own, restarted)
    if (total := sums.sum(0))[0]:
        yield _bits(0, length, total, restarted)


def _bits(start: int, end: int, sums: NDArray[np.float64], restarted: bool) -> DistanceBits:
    count, carried, alone = sums.tolist()
    return DistanceBits(start, end, int(count), carried / count / BITS, alone / count / BITS if restarted else None)

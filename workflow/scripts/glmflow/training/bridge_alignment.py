"""The bridge of an untrained head learns first what the alleles say of the answer, without the text model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from .stream import to_device

log = logging.getLogger(__name__)


def align(
    model: nn.Module,
    draws: Sequence[Any],
    collate: Callable[[list[Any]], dict[str, Any]],
    updates: int,
    batch: int,
    rate: float,
    seed: int,
) -> None:
    """Train a bridge alone, in place, by a linear classifier of the answer that is thrown away.

    It reads the mean of the bridge's vectors. The DNA model is as it is (its kept states, where there are some), and the text
    model has no part in it. The same for the same seed, whatever was drawn before; no generator is moved.

    Parameters
    ----------
    model
        A `Tuned` whose head has a bridge that reads DNA.
    draws
        Training questions in their order; the first `updates x batch` are taken, from the beginning again after the last.
    """
    head, losses = model.target.head, []
    devices = [model.device] if model.device.type == "cuda" else []
    training = model.training
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        width = head.bridge.project[head.bridge.parts[0]].out_features
        probe = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(head.classes))).to(model.device)
        optimizer = torch.optim.AdamW([*head.bridge.parameters(), *probe.parameters()], lr=rate)
        model.eval()
        for update in range(updates):
            places = [(update * batch + place) % len(draws) for place in range(batch)]
            own = to_device(collate([draws[place] for place in places]), model.device)
            with torch.no_grad():
                cells = model.target.cells(model, own)
            loss = cross_entropy(probe(head.of_cells(cells).mean(1)), own["targets"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    model.zero_grad()
    model.train(training)
    log.info("bridge aligned in %d updates: loss %.4g at first, %.4g at last", updates, losses[0], losses[-1])

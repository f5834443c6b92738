"""Can the model learn a single batch? Asked before a long run: what cannot do that learns nothing from a hundred thousand."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import TrainerCallback

from glmflow.config.adaptations import Training
from glmflow.errors import HopelessError
from glmflow.statistics.correlation import spearman

from ..stream import to_device
from .interruption import restore_snapshot, take_snapshot
from .sharding import is_shared_out
from .trainer import load_trainable_state, trainable_state

log = logging.getLogger(__name__)

LONG_RUN = 1000
"""Updates from which on a run is worth the check."""
STEPS = 40
RISE = 100.0
"""The learning rate rises from that of the run to this multiple of it, as which one suits the batch is not known yet."""
LARGEST_RATE = 1e-2
FALL = 0.01
"""Of the first loss that is a fall for certain; a smaller one has to be steady."""


def check_overfit(model: nn.Module, draws: Dataset, collate: Callable, training: Training) -> None:
    """Train on the first micro-batch of a run and leave the model, and all generators, as they were.

    Every process of a distributed run does so with the same batch, be the model whole in each or shared out (FSDP2).

    Raises
    ------
    HopelessError
        The loss does not fall.
    torch.OutOfMemoryError
        A model that is shared out does not fit: then neither does its training.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batch = collate([draws[draw] for draw in range(training.micro_batch)])
    if not is_shared_out(model):
        model.to(device)
    log.info("one batch is learned alone first, %d steps: that a run of many updates can learn at all", STEPS)
    state, snapshot, mode = trainable_state(model), take_snapshot(model), model.training
    try:
        losses = losses_on(model, to_device(batch, device), training)
    except torch.OutOfMemoryError:
        if is_shared_out(model):
            raise
        log.warning("one batch was not tried: it does not fit into the memory of the GPU")
        losses = []
    load_trainable_state(model, state)
    restore_snapshot(model, snapshot)
    model.train(mode)
    if not losses:
        return
    log.info("one batch, learned alone: loss %.4g, at best %.4g in %d steps", losses[0], min(losses), len(losses))
    if not falls(losses):
        describe = getattr(draws, "describe", lambda draw: f"draw {draw}")
        raise HopelessError(
            f"the loss of a single batch ({describe(0)}) does not fall: {losses[0]:.4g}, at best {min(losses):.4g} after "
            f"{len(losses)} steps",
            where="adaptations.*.train",
            fix="Look at its targets, at the loss and at what is frozen; `overfit_check: false` skips this check",
        )


class OneBatchFirst(TrainerCallback):
    """Calls a check with the model as it is trained, shared out among processes, before its first update."""

    def __init__(self, check: Callable[[nn.Module], None]):
        self.check = check

    def on_train_begin(self, args, state, control, model=None, **kwargs) -> None:
        """Check the model."""
        self.check(model)


def losses_on(model: nn.Module, batch: dict[str, Any], training: Training) -> list[float]:
    """Return the losses of a batch while it is learned; the weights are changed."""
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1.0)
    last = max(training.learning_rate, min(RISE * training.learning_rate, LARGEST_RATE))
    losses = []
    for step in range(STEPS):
        rate = training.learning_rate * (last / training.learning_rate) ** (step / (STEPS - 1))
        with torch.autocast(next(model.parameters()).device.type, torch.bfloat16, enabled=training.bf16):
            loss = model(**batch)["loss"]
        losses.append(loss.item())
        loss.backward()  # in any case: with it FSDP lets go of the weights that it gathered
        if not math.isfinite(losses[-1]):
            break
        for parameter in trained:
            if parameter.grad is not None:  # by sign, as Adam's first step: of one size for every weight, and no memory
                parameter.grad.sign_().mul_(rate)
        optimizer.step()
        optimizer.zero_grad()
    return [value for value in losses if math.isfinite(value)] or [math.nan]


def falls(losses: Sequence[float]) -> bool:
    """Whether the loss falls on the way to its least value: clearly, or at least steadily."""
    least = min(range(len(losses)), key=losses.__getitem__)
    if losses[0] - losses[least] > FALL * abs(losses[0]):
        return True
    way = losses[: least + 1]
    return len(way) > STEPS // 8 and float(spearman(list(range(len(way))), way)) < -0.5

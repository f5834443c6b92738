"""A run that is asked to end (SIGTERM) saves what it has and leaves; an update that was begun is taken back first."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from transformers import TrainerCallback


class Terminated(Exception):  # noqa: N818 (not an error)
    """SIGTERM has arrived, at a place where training can be left."""


class Snapshot(NamedTuple):
    """What an update changes before its optimizer step: the generators, and the buffers of the model."""

    python: Any
    numpy: Any
    cpu: Tensor
    cuda: list[Tensor]
    buffers: dict[str, Tensor]


def take_snapshot(model: nn.Module) -> Snapshot:
    """Copy the states of all random generators and the buffers (batch normalisation updates them going forward)."""
    return Snapshot(
        random.getstate(),
        np.random.get_state(),
        torch.get_rng_state(),
        torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        {name: value.detach().clone() for name, value in model.named_buffers()},
    )


def restore_snapshot(model: nn.Module, snapshot: Snapshot) -> None:
    """Undo what happened since `take_snapshot`, and drop gradients."""
    random.setstate(snapshot.python)
    np.random.set_state(snapshot.numpy)
    torch.set_rng_state(snapshot.cpu)
    if snapshot.cuda:
        torch.cuda.set_rng_state_all(snapshot.cuda)
    with torch.no_grad():
        for name, value in model.named_buffers():
            value.copy_(snapshot.buffers[name])
    model.zero_grad(set_to_none=True)


@contextmanager
def kept_generators() -> Iterator[None]:
    """Leave the generators as they were: what is evaluated, and when, must not change what is learned."""
    snapshot = take_snapshot(nn.Module())
    try:
        yield
    finally:
        restore_snapshot(nn.Module(), snapshot)


class Interruption(TrainerCallback):
    """Hears SIGTERM, and knows how far an update has come.

    Attributes
    ----------
    requested
        Whether SIGTERM has arrived.
    begun
        The state at the beginning of the update under way; None between updates.
    stepping
        Whether the optimizer is changing the weights: an update can no longer be taken back.
    """

    def __init__(self) -> None:
        self.requested = False
        self.begun: Snapshot | None = None
        self.stepping = False
        self._leave_at_once = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle SIGTERM within the block (in the main thread; elsewhere Python allows no handlers)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, self._hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if self._leave_at_once:
            self._leave_at_once = False
            raise Terminated

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Run a block that changes no weights: SIGTERM ends it at once."""
        if self.requested:
            raise Terminated
        self._leave_at_once = True
        try:
            yield
        finally:
            self._leave_at_once = False

    def on_step_begin(self, args, state, control, model=None, **kwargs) -> None:
        """Remember the state that an unfinished update is taken back to."""
        self.begun = take_snapshot(model)

    def on_substep_end(self, args, state, control, **kwargs) -> None:
        """Leave between two micro-batches."""
        if self.requested and args.world_size == 1:
            raise Terminated

    def on_pre_optimizer_step(self, args, state, control, **kwargs) -> None:
        """From here on the update is finished, come what may."""
        self.stepping = True

    def on_step_end(self, args, state, control, **kwargs) -> None:
        """Note that the update is done; several processes agree to stop here, none ahead of the others."""
        self.begun, self.stepping = None, False
        if args.world_size > 1 and any_process(self.requested, args.device):
            control.should_save = control.should_training_stop = True


def any_process(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set in any process of a distributed run."""
    value = torch.tensor(int(flag), device=device)
    torch.distributed.all_reduce(value, op=torch.distributed.ReduceOp.MAX)
    return bool(value.item())

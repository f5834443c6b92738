"""Leaving before the walltime: a job knows when its batch system will end it, and how long its checkpoint takes.

`$GLMFLOW_DEADLINE` (seconds since the epoch; set by PBS jobs of this workflow) or `$SLURM_JOB_END_TIME` says when. PBS
gives 10 seconds after SIGTERM, which a large checkpoint does not fit into.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn
from transformers import TrainerCallback

log = logging.getLogger(__name__)

DEADLINE, NOTES = "GLMFLOW_DEADLINE", "GLMFLOW_NOTES"
"""Environment variables: when the job will be ended; a file that the job notes its checkpoint in."""
LEAVING, SHARE = 20.0, 0.1
"""Seconds that a job takes to end after its checkpoint is written, and the part of a short job that these may be."""
SAFETY = 2.0
"""The file system may be half as fast as it was when it was measured."""
COPIES = 3
"""A checkpoint holds each weight and, with Adam, two numbers more."""
SAMPLE = 32 * 2**20
"""Bytes that are written to measure the file system."""
LOOK = 0.5


class LeaveInTime(TrainerCallback):
    """Sends this process SIGTERM when it has just the time left that its checkpoint takes.

    Parameters
    ----------
    end
        When the job will be ended, in seconds since the epoch; None: it is not known, and nothing happens.
    save_seconds
        How long a checkpoint takes to be written and hashed; measured again with each that is written.
    together
        Whether several processes train: they can leave only after an update or a validation that is finished.

    Attributes
    ----------
    leaving
        Whether this process was asked to leave by this clock.
    """

    def __init__(
        self, end: float | None, save_seconds: float, together: bool = False, clock: Callable[[], float] = time.time
    ):
        self.end, self.save_seconds, self.together, self.clock = end, save_seconds, together, clock
        self.leaving = False
        self.longest = 0.0
        self._begun: float | None = None
        self._leave = min(LEAVING, SHARE * max(0.0, end - clock())) if end is not None else 0.0

    @property
    def seconds_needed(self) -> float:
        """Seconds before the end at which training has to stop."""
        return SAFETY * self.save_seconds + self.longest + self._leave

    def is_due(self) -> bool:
        """Whether it is time to leave."""
        return self.end is not None and self.clock() >= self.end - self.seconds_needed

    def saved(self, seconds: float) -> None:
        """Take the time that a checkpoint took."""
        self.save_seconds = seconds

    @contextmanager
    def watching(self, tell: Callable[[], None] | None = None) -> Iterator[None]:
        """Watch the clock within the block (`tell` instead of SIGTERM, for tests)."""
        if self.end is None:
            yield
            return
        tell = tell or (lambda: os.kill(os.getpid(), signal.SIGTERM))
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK):
                if self.is_due():
                    self.leaving = True
                    log.warning(
                        "the walltime ends in %.0f s, and a checkpoint takes about %.0f s: saving and leaving",
                        *(self.end - self.clock(), self.save_seconds),
                    )
                    tell()
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def on_step_begin(self, args, state, control, **kwargs) -> None:
        """Note when an update begins; of several processes, when the one before ended."""
        if self._begun is None or not self.together:
            self._begun = self.clock()

    def on_step_end(self, args, state, control, **kwargs) -> None:
        """Take how long an update takes."""
        now = self.clock()
        if self._begun is not None:
            self.longest = max(self.longest, now - self._begun)
        self._begun = now


def deadline() -> float | None:
    """Return when the batch system will end this job, in seconds since the epoch; None where it does not say."""
    for name in (DEADLINE, "SLURM_JOB_END_TIME"):
        try:
            return float(os.environ[name])
        except (KeyError, ValueError):
            continue
    return None


def expected_save_seconds(model: nn.Module, folder: Path) -> float:
    """Return how long the first checkpoint of a model will take: its size by the measured speed of the folder."""
    trained = sum(value.numel() * value.element_size() for value in model.parameters() if value.requires_grad)
    size = COPIES * trained + sum(value.numel() * value.element_size() for value in model.buffers())
    return size / write_speed(folder, max(1, min(SAMPLE, size)))


def write_speed(folder: Path, size: int = SAMPLE) -> float:
    """Return the bytes a second at which this process writes into a folder, to the disk, and hashes."""
    path = folder / f".speed.{os.getpid()}"
    block = os.urandom(min(size, 2**20))
    digest, started = hashlib.sha256(), time.monotonic()
    try:
        with path.open("wb") as handle:
            for _ in range(max(1, size // len(block))):
                handle.write(block)
                digest.update(block)
            handle.flush()
            os.fsync(handle.fileno())
    finally:
        path.unlink(missing_ok=True)
    return size / max(1e-6, time.monotonic() - started)


def note_checkpoint(step: int, out_of_time: bool) -> None:
    """Note for the batch system's side of the workflow that the job ends early and leaves a checkpoint of an update."""
    path = os.environ.get(NOTES)
    if path:
        try:
            with Path(path).open("a") as handle:
                handle.write(f"saved {step} {'walltime' if out_of_time else 'SIGTERM'}\n")
        except OSError as error:
            log.warning("%s cannot be written: %s", path, error)

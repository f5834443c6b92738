"""A job that is not over, and who hears how it fares."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .calls import number
from .explain import Ending
from .qstat import JobState
from .records import Record


@dataclass
class Open:
    """A job from when Snakemake hands it over until it hears how it ended.

    Attributes
    ----------
    job
        Snakemake's job (unknown here).
    command
        qsub with its arguments and the script.
    folder
        Where PBS writes what it prints.
    """

    job: Any
    record: Record
    command: list[str]
    folder: Path
    title: str
    newest_input: float | None = None
    forced: bool = False
    outputs: tuple[str, ...] = ()
    known: bool = False
    found: Record | None = None
    state: JobState | None = None
    gone: float | None = None
    failed: float | None = None
    starts: int = 1
    waited_since: float = field(default_factory=time.time)
    not_before: float = 0.0
    said: set[str] = field(default_factory=set)

    @property
    def number(self) -> str:
        """Number of the job in PBS."""
        return number(self.record.id or "")


class Listener(Protocol):
    """What hears how jobs fare."""

    def submitted(self, job: Open, followed: bool) -> None:
        """Hear that PBS has a job; `followed`: since an earlier start of Snakemake."""

    def succeeded(self, job: Open) -> None:
        """Hear that a job has succeeded."""

    def ended(self, job: Open, ending: Ending) -> None:
        """Hear that a job has not succeeded, and why."""

    def goes_on(self, job: Open, ending: Ending) -> bool:
        """Prepare the job to go on from its checkpoint in a new submission; False where it cannot."""

    def waits(self, job: Open, words: str, once: bool) -> None:
        """Hear why a job waits in the queue; `once`: it is to be printed."""

    def say(self, words: str, warning: bool = False) -> None:
        """Print a line."""

    def broke(self, error: BaseException) -> None:
        """Hear that the thread has ended by an error of its own."""


def exit_code(notes: Path, job_number: str) -> int | None:
    """Return the exit code that a job recorded; None: none yet."""
    try:
        return int((notes / f"{job_number}.exit").read_text())
    except (OSError, ValueError):
        return None

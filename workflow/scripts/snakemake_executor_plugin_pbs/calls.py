"""How the commands of PBS are called, and what their answers mean."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

TIMED_OUT = -1
"""Exit code of a command that did not answer in time."""
LOOK = 0.1
"""Seconds between two looks at a command under way."""

LIMIT_CODES = (38, 39, 198)
"""Exit codes of qsub at a limit of jobs or of resources (PBSE_ENTLIMCT, PBSE_ENTLIMRESC, PBSE_MAXQUED, modulo 256)."""
LIMIT = re.compile(r"would exceed .*limit|Maximum number of jobs", re.I)
REFUSED = re.compile(r"no permission|unauthorized|not authorized|access denied|permission denied|bad uid", re.I)
AWAY = re.compile(
    r"cannot connect|could(n't| not) connect|connection (refused|reset|timed out)|communication failure|timed? ?out"
    r"|end of file|protocol error|no free connections|shutting down|no route to host|unknown host|invalid credential"
    r"|trying to connect|system error",
    re.I,
)


class Answer(NamedTuple):
    """Exit code and texts of a command."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What the command complains about, in one line; what it says of each of many jobs, once."""
        lines = list(dict.fromkeys(line.strip() for line in self.err.splitlines() if line.strip()))
        if not lines and self.code == TIMED_OUT:
            return "no answer in time"
        return " ".join(lines) or f"exit code {self.code}"

    @property
    def limited(self) -> bool:
        """Whether the server takes no more jobs for now."""
        return self.code != 0 and (self.code in LIMIT_CODES or bool(LIMIT.search(self.err)))

    @property
    def away(self) -> bool:
        """Whether the server could not be reached. One that refuses us is there."""
        if self.code == 0 or self.limited or REFUSED.search(self.err):
            return False
        return self.code == TIMED_OUT or self.code == 255 or bool(AWAY.search(self.err))


Call = Callable[..., Answer]


def call(command: Sequence[str], seconds: float = 120, stop: threading.Event | None = None) -> Answer:
    """Run a command in a session of its own, where the Ctrl-C of a terminal does not reach it.

    Parameters
    ----------
    seconds
        After these it is killed (`TIMED_OUT`).
    stop
        Kills it, once set.
    """
    end = time.monotonic() + seconds
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        while True:
            try:
                out, err = process.communicate(timeout=LOOK)
                return Answer(process.returncode, out, err)
            except subprocess.TimeoutExpired:
                if time.monotonic() > end or (stop is not None and stop.is_set()):
                    kill_group(process)
                    return Answer(TIMED_OUT, "", "")


def kill_group(process: subprocess.Popen) -> None:
    """Kill a process of `call` and its children."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=5)


class Pace:
    """Allows this many calls in this many seconds."""

    def __init__(self, calls: int = 10, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic):
        self.calls, self.seconds, self.clock = calls, seconds, clock
        self._made: deque[float] = deque(maxlen=calls)

    def allows(self) -> bool:
        """Whether a call may be made now."""
        return len(self._made) < self.calls or self.clock() - self._made[0] >= self.seconds

    def made(self) -> None:
        """Count a call."""
        self._made.append(self.clock())


def number(job: str) -> str:
    """Return the id of a job without the name of its server, which is long in one place and short in another."""
    return job.strip().partition(".")[0]


def batches(items: Sequence[str], size: int) -> list[list[str]]:
    """Return a list in pieces of at most `size`."""
    return [list(items[first : first + size]) for first in range(0, len(items), size)]

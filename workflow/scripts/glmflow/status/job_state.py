"""The state of a job in a file of its own, with a sign of life while it runs."""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from glmflow.files import atomic_path

from .page import write_page

SIGN_OF_LIFE = 30.0
"""Seconds between two refreshments of a running job."""
PROGRESS = "GLMFLOW_PROGRESS"
"""Environment variable that tells a job's processes where to write its progress."""
KILLED = "ended without a word: killed (walltime, memory, loss of its node)"


class JobStatus:
    """Keeps the state of one job, and the page, up to date from its start to its end.

    Use it as a context: an exception that leaves the block is the job's last error.

    Parameters
    ----------
    results
        Folder of the study's results.
    name
        Name of the job, with slashes, as its log is called below `logs/{study}`.
    log
        The job's log file.

    Attributes
    ----------
    attempt
        1, or one more than that of an attempt that came to no good end.
    """

    def __init__(self, results: Path, name: str, log: Path, interval: float = SIGN_OF_LIFE):
        self.results, self.log, self.interval = Path(results), Path(log), interval
        self.path = self.results / "status" / f"{name}.json"
        self._before = read_json(self.path)
        self._state: dict[str, Any] = {}
        self._again = "attempt" in self._before and self._before.get("state") != "done"
        self.attempt = self._before.get("attempt", 1) + 1 if self._again else 1
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._life = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> JobStatus:
        error = KILLED if self._before.get("state") == "running" else self._before.get("error")
        with suppress(OSError):
            progress_path(self.path).unlink()
        self._write(
            state="running",
            started=time.time(),
            attempt=self.attempt,
            error=error if self._again else None,
            log=os.path.relpath(self.log, self.results),
            host=platform.node(),
            job=os.environ.get("PBS_JOBID") or os.environ.get("SLURM_JOB_ID"),
        )
        os.environ[PROGRESS] = str(progress_path(self.path).absolute())
        self._life.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._ended.set()
        os.environ.pop(PROGRESS, None)
        if kind is None:
            self._write(state="done")
        else:
            self._write(state="failed", error=describe(error))

    def _live(self) -> None:
        """Show that the job is alive until it ends."""
        while not self._ended.wait(self.interval):
            self._write()

    def _write(self, **changes: Any) -> None:
        """Write the state and the page; a job never fails because it cannot say how it is."""
        with self._lock:
            if self._ended.is_set() and not changes:
                return
            self._state |= changes | {"updated": time.time()}
            with suppress(OSError):
                write_json(self.path, self._state)
                write_page(self.results)


def describe(error: BaseException | None) -> str:
    """Return an error in one line."""
    if isinstance(error, SystemExit) and error.code == 143:
        return "asked to end (SIGTERM): the next attempt goes on from its last checkpoint"
    text = " ".join(str(error).split())
    name = type(error).__name__
    return text if name in ("InputError", "HopelessError", "ConfigurationError") else f"{name}: {text}"


def expect_jobs(results: Path, names: Iterable[str]) -> None:
    """Put jobs that are still to come on the page; those that have begun before are left as they are."""
    for name in names:
        path = Path(results) / "status" / f"{name}.json"
        if not path.exists():
            write_json(path, {"state": "waiting", "updated": time.time()})
    write_page(results)


def progress_path(state: Path) -> Path:
    """Return where the progress of the job with this state file is kept."""
    return state.with_suffix(".progress")


def write_progress(progress: Mapping[str, Any]) -> None:
    """Write how far the training of this job has come, where somebody wants to know."""
    path = os.environ.get(PROGRESS)
    if path:
        with suppress(OSError):
            write_json(Path(path), progress)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read JSON; empty where there is none that can be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}

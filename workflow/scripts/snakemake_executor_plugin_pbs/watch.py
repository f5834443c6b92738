"""The jobs that PBS has: how they fare, and how they ended."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

from . import explain
from .calls import Call, number
from .explain import Ended
from .open_jobs import Listener, Open, exit_code
from .qstat import FINISHED, JobState, Qstat
from .records import Registry

BETWEEN_LOOKS = 6.1
"""Seconds between two looks at the server: at most ten a minute."""
SAY_AGAIN = 600.0
"""Seconds after which an outage that goes on is said again."""
GRACE = 10.0
"""Seconds that the exit file of a job that is gone may take to arrive from another node."""
TAIL = 20_000
"""Bytes of a job's output that are looked at for why it ended."""


class Watch:
    """The jobs that PBS has. Two witnesses tell of an end: the job's own exit file, and PBS.

    Parameters
    ----------
    notes
        Folder of the exit files and notes that jobs write.
    """

    def __init__(self, call: Call, listener: Listener, registry: Registry, notes: Path, between_looks: float):
        self.call, self.listener, self.registry, self.notes = call, listener, registry, notes
        self.between_looks = between_looks
        self.stop = threading.Event()
        self.qstat = Qstat(call, stop=self.stop)
        self.lock = threading.RLock()
        self.running: dict[str, Open] = {}
        self._looked = 0.0
        self._outage_said = 0.0

    def submit_again(self, job: Open) -> None:
        """Submit a job once more, which is still the same to Snakemake."""
        raise NotImplementedError

    def room(self) -> None:
        """Hear that one job fewer is in the queue."""

    def look_at_all(self) -> None:
        """Read exit files and, if it is time for it, ask PBS."""
        self._read_exit_files()
        if self.running and time.monotonic() - self._looked >= self.between_looks and self.qstat.pace.allows():
            self._look()

    def _read_exit_files(self) -> None:
        """Tell of jobs that succeeded, before PBS does; what failed waits until PBS says why."""
        with self.lock:
            jobs = list(self.running.values())
        for job in jobs:
            code = exit_code(self.notes, job.number)
            if code == 0:
                self._success(job)
            elif code is not None:
                job.failed = job.failed or time.monotonic()
                if time.monotonic() - job.failed > 3 * self.between_looks + GRACE:
                    self._end(job, code)

    def _look(self) -> None:
        """Ask PBS about all jobs."""
        with self.lock:
            jobs = dict(self.running)
        self._looked = time.monotonic()
        round_ = self.qstat.ask([job.record.id for job in jobs.values()])
        if self.stop.is_set():
            return
        if round_.outage:
            self._outage(round_.outage)
            return
        if self._outage_said:
            self._outage_said = 0.0
            self.listener.say("PBS answers again.")
        for name, job in jobs.items():
            if name in round_.jobs:
                self._seen(job, round_.jobs[name])
            elif name in round_.gone:
                self._missed(job)

    def _seen(self, job: Open, state: JobState) -> None:
        """Take what PBS says about a job that it knows."""
        job.state, job.gone = state, None
        if state.letter == FINISHED:
            code = exit_code(self.notes, job.number)
            if (code if code is not None else state.exit_status) == 0:
                self._success(job)
            else:
                self._end(job, code)
            return
        self._started_again(job, state.run_count)
        words = explain.waiting(state, time.time() - job.waited_since)
        if words is not None and words[0] not in job.said:
            job.said.add(words[0])
            self.listener.waits(job, f"job {job.record.id} {words[1]}", once=True)

    def _started_again(self, job: Open, starts: int) -> None:
        """Tell of a job that PBS started more than once, as PBS counts or as the job itself noted."""
        if starts > job.starts:
            job.starts = starts
            self.listener.say(
                f"{job.title}: PBS started job {job.record.id} again (start {starts}): its node was lost, or it was "
                "requeued.",
                warning=True,
            )

    def _missed(self, job: Open) -> None:
        """Note that PBS does not know a job any more; its exit file may still be on its way."""
        job.gone = job.gone or time.monotonic()
        with suppress(OSError):
            list(self.notes.iterdir())  # has a network file system look again
        code = exit_code(self.notes, job.number)
        if code == 0:
            self._success(job)
        elif code is not None or time.monotonic() - job.gone > GRACE:
            self._end(job, code)

    def _success(self, job: Open) -> None:
        # It may have been lost, started again and done between two looks at the server.
        self._started_again(job, explain.read_notes(self.notes / f"{job.number}.notes").starts)
        self._close(job)
        self.listener.succeeded(job)

    def _end(self, job: Open, code: int | None) -> None:
        """Tell why a job ended, or let it go on where it left a checkpoint at its walltime."""
        notes = explain.read_notes(self.notes / f"{job.number}.notes")
        record = job.record
        facts = Ended(
            *(record.id, code, job.state, notes, self._output(job), record.mem_mb, record.minutes, time.time()),
        )
        ending = explain.ending(facts)
        progressed = notes.saved is not None and notes.saved > (record.saved if record.saved is not None else -1)
        if ending.kind == explain.WALLTIME and progressed and not self.stop.is_set():
            record.earlier.append(record.id)
            record.id, record.saved = None, notes.saved
            if self.listener.goes_on(job, ending):
                with self.lock:
                    self.running.pop(number(record.earlier[-1]), None)
                    job.state = job.gone = job.failed = None
                    job.starts = 1
                    job.said.clear()
                self.submit_again(job)
                return
            record.id = record.earlier.pop()
        self._close(job)
        self.listener.ended(job, ending)

    def _output(self, job: Open) -> str:
        """Return the end of what PBS wrote for a job."""
        for path in self.output_paths(job):
            with suppress(OSError), path.open("rb") as handle:
                handle.seek(max(0, path.stat().st_size - TAIL))
                return handle.read().decode(errors="replace")
        return ""

    def output_paths(self, job: Open) -> list[Path]:
        """Return where the output of a job may lie: PBS writes the long or the short name of its server."""
        return sorted(job.folder.glob(f"{job.number}.*OU")) if job.number else []

    def _close(self, job: Open) -> None:
        with self.lock:
            self.running.pop(job.number, None)
        self.registry.remove(job.record.key)
        for name in (job.record.key, f"{job.record.key}.ended"):
            path = self.notes / "alive" / name
            with suppress(OSError):
                if path.read_text().strip() == job.number:
                    path.unlink()
        self.room()

    def _outage(self, message: str) -> None:
        """Say at once that the server cannot be reached, and again now and then."""
        if time.monotonic() - self._outage_said > SAY_AGAIN or not self._outage_said:
            self._outage_said = time.monotonic()
            self.listener.say(f"PBS cannot be reached ({message}): jobs go on, and it is asked again.", warning=True)

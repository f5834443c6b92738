"""The jobs of a run, from when Snakemake hands them over: found again, submitted, watched, deleted."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from . import cancel, explain
from .calls import Answer, Call, number
from .explain import Ending
from .open_jobs import Listener, Open, exit_code
from .qstat import JobState, Qstat, by_name
from .records import FOLLOW, REPLACE, SKEW, TAKE_RESULT, Record, Registry, fate
from .submit import submitted_id
from .watch import BETWEEN_LOOKS, SAY_AGAIN, Watch

TURN = 0.5
"""Seconds between two looks at exit files and at jobs that wait for their submission."""
PAUSE, AT_LIMIT = 5.0, 30.0
"""Seconds until a submission is tried again: the server did not answer; it takes no more jobs."""
SUBMITTERS = 6
"""Calls of qsub at a time."""


class Queue(Watch):
    """All jobs that are not over. Its thread is the only one that looks at PBS; qsub is called by a few helpers."""

    def __init__(
        self, call: Call, listener: Listener, registry: Registry, notes: Path, between_looks: float = BETWEEN_LOOKS
    ):
        super().__init__(call, listener, registry, notes, between_looks)
        self.waiting: list[Open] = []
        self.submitting: dict[Future, Open] = {}
        self.pool = ThreadPoolExecutor(SUBMITTERS, thread_name_prefix="qsub")
        self._limited = False
        self._limit_said = -SAY_AGAIN
        self._limited_until = 0.0
        self.thread = threading.Thread(target=self._run, daemon=True, name="pbs")

    def add(self, job: Open) -> None:
        """Take a job over from Snakemake."""
        job.found = self.registry.read(job.record.key) or self._alive(job)
        with self.lock:
            self.waiting.append(job)

    def _alive(self, job: Open) -> Record | None:
        """Return a record of a job that computes the same, shows that it is alive and is on no record."""
        path = self.notes / "alive" / job.record.key
        try:
            other, age = path.read_text().strip(), time.time() - path.stat().st_mtime
        except OSError:
            return None
        if not other or age > 60:
            return None
        return Record(**vars(job.record) | {"id": other, "submitted": time.time()})

    def submit_again(self, job: Open) -> None:
        """Submit a job once more, which is still the same to Snakemake."""
        with self.lock:
            self.waiting.append(job)

    def room(self) -> None:
        """Try at once whether the server takes another job."""
        self._limited_until = 0.0

    def open_jobs(self) -> list[Open]:
        """Return all jobs."""
        with self.lock:
            return [*self.waiting, *self.submitting.values(), *self.running.values()]

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                self.turn()
                self.stop.wait(TURN)
        except BaseException as error:
            self.listener.broke(error)

    def turn(self) -> None:
        """Do what is due: find jobs again, submit, read exit files, ask PBS."""
        self._find_again()
        self._submit()
        self._collect()
        self.look_at_all()

    def _find_again(self) -> None:
        """Decide about jobs that an earlier Snakemake has submitted, all in one call."""
        now = time.monotonic()
        with self.lock:
            jobs = [job for job in self.waiting if job.found is not None and job.not_before <= now]
        if not jobs or not self.qstat.pace.allows():
            return
        nameless = [job for job in jobs if job.found.id is None]
        ids = by_name(self.call, [job.found.name for job in nameless]) if nameless else {}
        if isinstance(ids, Answer):
            self._outage(ids.message)
            self._later(jobs, PAUSE)
            return
        for job in nameless:
            job.found.id = next(iter(ids[job.found.name]), None) or self._ended_meanwhile(job.found)
        asked = [job.found.id for job in jobs if job.found.id]
        round_ = self.qstat.ask(asked)
        if round_.outage:
            self._outage(round_.outage)
            self._later(jobs, PAUSE)
            return
        for job in jobs:
            self._decide(job, round_.jobs.get(number(job.found.id or "")))

    def _ended_meanwhile(self, found: Record) -> str | None:
        """Return the number of a job that ended before its id was recorded."""
        path = self.notes / "alive" / f"{found.key}.ended"
        try:
            return path.read_text().strip() if path.stat().st_mtime > found.submitted - SKEW else None
        except OSError:
            return None

    def _decide(self, job: Open, state: JobState | None) -> None:
        """Follow a job that is found again, take its result, or submit it."""
        found, job.found = job.found, None
        if state is not None and state.name and state.name != found.name:
            state = None  # another job: the numbers of this server have begun again
        code = exit_code(self.notes, number(found.id or ""))
        complete = all(Path(path).exists() for path in job.outputs)
        what = fate(found, state, code, job.record.identity, job.newest_input, job.forced, complete)
        if what == REPLACE:
            self.listener.say(
                f"{job.title}: job {found.id} of an earlier start computes something else: it is deleted."
            )
            cancel.delete([found.id], self.call, self.qstat, self.listener.say, seconds=30)
        if what in (FOLLOW, TAKE_RESULT):
            found.identity = job.record.identity
            job.record, job.state, job.waited_since = found, state, found.submitted
            with self.lock:
                self.waiting.remove(job)
                self.running[job.number] = job
            self.registry.write(job.record)
            self.listener.submitted(job, followed=True)
            if what == TAKE_RESULT:
                self._success(job)

    def _later(self, jobs: list[Open], seconds: float) -> None:
        for job in jobs:
            job.not_before = time.monotonic() + seconds

    def _submit(self) -> None:
        """Hand the jobs that wait to the helpers; at a limit, one job tries now and then."""
        now = time.monotonic()
        if now < self._limited_until:
            return
        with self.lock:
            due = [job for job in self.waiting if job.found is None and job.not_before <= now]
            self._limited = self._limited and bool(self.waiting)
            if self._limited:
                due = due[:1] if not self.submitting else []
            for job in due:
                self.waiting.remove(job)
                job.record.submitted = time.time()
                self.registry.write(job.record)
                self.submitting[self.pool.submit(self._qsub, job)] = job

    def _qsub(self, job: Open) -> Answer:
        """Call qsub; where an earlier call was cut off, look first whether it was heard."""
        if job.known:
            ids = by_name(self.call, [job.record.name])
            if isinstance(ids, Answer):
                return ids
            if ids[job.record.name]:
                return Answer(0, ids[job.record.name][0], "")
        answer = self.call(job.command)
        if answer.code != 0 and answer.away:
            job.known = True
        return answer

    def _collect(self) -> None:
        """Take the answers of qsub."""
        with self.lock:
            done = [(future, job) for future, job in self.submitting.items() if future.done()]
        for future, job in done:
            answer = future.result()
            with self.lock:
                del self.submitting[future]
            self._submitted(job, answer)

    def _submitted(self, job: Open, answer: Answer) -> None:
        found = submitted_id(answer.out) if answer.code == 0 else None
        if found:
            job.record.id, job.waited_since, job.known = found, time.time(), False
            self._forget_old_exit(job.number)
            self.registry.write(job.record)
            with self.lock:
                self.running[job.number] = job
            self.listener.submitted(job, followed=False)
            return
        if answer.limited or answer.away:
            with self.lock:
                self.waiting.insert(0, job)
            if answer.limited:
                self._limit(job, answer.message)
            else:
                self._outage(answer.message)
                self._later([job], PAUSE)
            return
        self.registry.remove(job.record.key)
        said = answer.message if answer.code else f"it printed no id: {answer.out.strip()[:200]}"
        words = f"qsub refused the job ({answer.code}): {said}\n{' '.join(job.command)}"
        self.listener.ended(job, Ending(explain.REFUSED, words))

    def _limit(self, job: Open, message: str) -> None:
        """Wait at a limit of jobs, and say so once."""
        self._limited, self._limited_until = True, time.monotonic() + AT_LIMIT
        with self.lock:
            waiting = [*self.waiting, *self.submitting.values()]
        if time.monotonic() - self._limit_said >= SAY_AGAIN:
            self._limit_said = time.monotonic()
            self.listener.say(f"PBS takes no more jobs for now ({message}): {len(waiting)} wait here, none has failed.")
        for each in waiting:
            if "limit" not in each.said:
                each.said.add("limit")
                self.listener.waits(each, f"waits to be submitted: {message}", once=False)

    def _forget_old_exit(self, job_number: str) -> None:
        """Remove the record of a job that had the same number before the server began to count again."""
        for suffix in ("exit", "notes"):
            path = self.notes / f"{job_number}.{suffix}"
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > 60:
                    path.unlink()

    def cancel(self) -> list[str]:
        """Delete all jobs; return the ids of those that are left."""
        self.stop.set()
        self._join()
        with self.lock:
            self.waiting.clear()
            pending = dict(self.submitting)
        for future, job in pending.items():
            if future.cancel():
                self.registry.remove(job.record.key)
                continue
            with suppress(Exception):
                answer = future.result(timeout=90)
                found = submitted_id(answer.out) if answer.code == 0 else None
                if found:
                    job.record.id = found
                    with self.lock:
                        self.running[job.number] = job
                elif not answer.away:
                    self.registry.remove(job.record.key)
        with self.lock:
            self.submitting.clear()
            jobs = dict(self.running)
            self.running.clear()
        ids = [job.record.id for job in jobs.values()]
        nameless = [job for job in pending.values() if job.record.id is None and self.registry.read(job.record.key)]
        names = by_name(self.call, [job.record.name for job in nameless]) if nameless else {}
        if not isinstance(names, Answer):
            ids += [job for found in names.values() for job in found]
            for job in nameless:
                self.registry.remove(job.record.key)
        if not ids:
            return []
        self.listener.say(f"Deleting {len(ids)} jobs.")
        fresh = Qstat(self.call)
        fresh.history, fresh.text = self.qstat.history, self.qstat.text
        left = cancel.delete(ids, self.call, fresh, self.listener.say)
        for job in jobs.values():
            if job.record.id not in left:
                self.registry.remove(job.record.key)
        return left

    def _join(self) -> None:
        """Wait for the thread: what it is doing takes a moment once `stop` is set."""
        if self.thread.is_alive() and threading.current_thread() is not self.thread:
            self.thread.join(timeout=40)

    def close(self) -> None:
        """End the thread."""
        self.stop.set()
        self._join()
        self.pool.shutdown(wait=False, cancel_futures=True)

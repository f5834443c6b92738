"""What Snakemake calls: jobs come in here, and their ends go out."""

from __future__ import annotations

import atexit
import os
import shlex
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import calls, explain, jobscript
from .explain import Ending
from .open_jobs import Open
from .queue import Queue
from .records import Record, Registry, identity_of, key_of, newest
from .retries import Largest, Request, is_pointless, next_request
from .settings import keys_of, umask_of
from .submit import job_name, output_folder, qsub
from .version import check_version
from .watch import BETWEEN_LOOKS

DEFAULT = Request(mem_mb=2000, minutes=60)
"""What a job asks for whose rule and profile say nothing."""
ONE_CTRL_C = 5.0
"""Seconds within which a second Ctrl-C is the same as the first."""


class Executor(RemoteExecutor):
    """Runs jobs on OpenPBS and PBS Pro."""

    def __post_init__(self) -> None:
        settings = self.workflow.executor_settings
        if self.workflow.remote_execution_settings.immediate_submit:
            raise WorkflowError("--immediate-submit is not possible with this executor: it watches its jobs")
        check_version(calls.call)
        umask = os.umask(0)
        os.umask(umask)
        self.umask = umask_of(settings.umask, umask)
        self.site = ""
        if settings.site:
            if not Path(settings.site).is_file():
                raise WorkflowError(f"pbs-site: there is no file {settings.site}. Give its path, or remove the key")
            self.site = str(Path(settings.site).resolve())
        if self.is_default_jobscript:
            self.jobscript = jobscript.TEMPLATE.read_text()
        self.folder = Path.cwd()
        notes = self.folder / "logs/pbs"
        notes.mkdir(parents=True, exist_ok=True)
        self.jobs = Queue(calls.call, self, Registry(self.folder / ".snakemake/pbs"), notes, self._between_looks())
        self._before: dict[str, tuple[Request, str]] = {}
        self._cancelling = self._started = False
        self._interrupted = -ONE_CTRL_C

    def _between_looks(self) -> float:
        """Return the seconds between two looks at the server: what the user wants to wait, but never less than ours."""
        wanted = self.workflow.remote_execution_settings.seconds_between_status_checks
        return max(BETWEEN_LOOKS, wanted if wanted and wanted > 10 else 0)

    def _wait_thread(self) -> None:
        """Do nothing: the queue has a thread of its own."""

    async def check_active_jobs(self, active_jobs: Sequence[SubmittedJobInfo]):
        """Yield all jobs: the queue tells how they end."""
        for job in active_jobs:
            yield job

    # From Snakemake

    def run_jobs(self, jobs: Sequence[JobExecutorInterface]) -> None:
        """Take jobs over. They are submitted by a thread, several at a time."""
        if not self._started:
            self._started = True
            self._listen()
            atexit.register(self._at_exit)
            self.jobs.thread.start()
        for job in jobs:
            self.run_job_pre(job)
            self.run_job(job)

    def run_job(self, job: JobExecutorInterface) -> None:
        """Take a job over."""
        key = key_of(self.folder, job.output, job.name)
        before, ending = self._before.get(key, (None, None))
        request = next_request(request_of(job.resources), before, ending, largest_of(job.resources))
        name, output = job_name(job.name, key), self.folder / output_folder(logs_of(job))
        keys = keys_of(job.resources, self.workflow.executor_settings)
        command = qsub(name, job.resources, job.threads, request, keys, output, self.umask)
        output.mkdir(parents=True, exist_ok=True)
        script = self._write_script(job, key, request)
        record = Record(key, name, identity_of(job.properties()), mem_mb=request.mem_mb, minutes=request.minutes)
        self.jobs.add(
            Open(
                *(job, record, [*command, script], output, f"job {job.jobid} ({job.name})"),
                newest_input=newest([str(path) for path in job.input]),
                forced=self._is_forced(job),
                outputs=tuple(map(str, job.output)),
            )
        )

    def _write_script(self, job: JobExecutorInterface, key: str, request: Request) -> str:
        """Write the script of a job; return its path."""
        gpus = int(job.resources.get("gpu", 0) or 0)
        variables = jobscript.settings_of(key, request.minutes, gpus, self.umask, self.site)
        path = self.get_jobscript(job)
        Path(path).write_text(jobscript.fill(self.jobscript, job.properties(), self.format_job_exec(job), variables))
        return path

    def _is_forced(self, job: JobExecutorInterface) -> bool:
        """Whether the user wants a job to run in any case."""
        settings = self.workflow.dag_settings
        wanted = {str(name) for name in getattr(settings, "forcerun", ())}
        return bool(getattr(settings, "forceall", False) or wanted & {job.name, *map(str, job.output)})

    def get_job_exec_prefix(self, job: JobExecutorInterface) -> str:
        """Return what a job does first: go to the working directory."""
        return f"cd {shlex.quote(str(self.folder))}"

    def cancel_jobs(self, active_jobs: Sequence[SubmittedJobInfo]) -> None:
        """Delete all jobs, whatever Snakemake names."""
        self._delete_all()

    def cancel(self) -> None:
        """Delete all jobs: those in the queue, those that run, and those that are being submitted."""
        self._delete_all()
        self.shutdown()

    def shutdown(self) -> None:
        """End; jobs that are still there are deleted (after an error of the executor itself)."""
        self._delete_all()
        self.jobs.close()
        super().shutdown()

    def _delete_all(self) -> None:
        self._cancelling = True
        if not self.jobs.open_jobs():
            return
        left = self.jobs.cancel()
        if left:
            self.logger.error(
                f"{len(left)} jobs could not be deleted. Delete them with `qdel {' '.join(left)}`, or start Snakemake "
                "again here: it finds them."
            )

    def _at_exit(self) -> None:
        """Delete what is left where Snakemake ends in a way that does not call `cancel`."""
        with suppress(Exception):
            self._delete_all()

    def _listen(self) -> None:
        """Let SIGTERM end the run as Ctrl-C does, and a second Ctrl-C not break off the deletion of jobs."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._interrupt)
            signal.signal(signal.SIGTERM, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._cancelling:
            self.logger.info("Jobs are being deleted; this takes some seconds.")
            return
        if time.monotonic() - self._interrupted < ONE_CTRL_C:
            return
        self._interrupted = time.monotonic()
        if number == signal.SIGTERM:
            raise SystemExit(128 + number)
        raise KeyboardInterrupt

    # From the queue

    def submitted(self, job: Open, followed: bool) -> None:
        """Tell Snakemake that PBS has a job."""
        how = "Found" if followed else "Submitted"
        request = f"{job.record.mem_mb} MB, {job.record.minutes} min"
        since = " of an earlier start again" if followed else f" ({request})"
        self.logger.info(f"{how} {job.title} with external jobid '{job.record.id}'{since}.")
        super(RemoteExecutor, self).report_job_submission(info_of(job))

    def succeeded(self, job: Open) -> None:
        """Tell Snakemake that a job has succeeded."""
        self._before.pop(job.record.key, None)
        self.report_job_success(info_of(job))

    def ended(self, job: Open, ending: Ending) -> None:
        """Tell Snakemake, the rule's log and the status page that a job has not succeeded, and why."""
        text, again = ending.text, ending.kind not in explain.NOT_AGAIN
        pointless = is_pointless(job.record.request, ending.kind, largest_of(job.job.resources))
        if pointless:
            text, again = f"{text}. It is not tried again: {pointless}", False
        self._before[job.record.key] = (job.record.request, ending.kind)
        if ending.kind in explain.KILLS:
            write_into_log(logs_of(job.job), text)
            note_status(logs_of(job.job), state="failed", error=text)
        elif ending.kind == explain.REFUSED:
            note_status(logs_of(job.job), state="failed", error=text.partition("\n")[0])
        if not again:
            use_up_retries(job.job)
        outputs = [str(path) for path in self.jobs.output_paths(job)]
        self.report_job_error(info_of(job), msg=f"{text}. ", **({"aux_logs": outputs} if outputs else {}))

    def goes_on(self, job: Open, ending: Ending) -> bool:
        """Submit a job once more that left a checkpoint at its walltime: for Snakemake it goes on."""
        line = f"{ending.text}. It goes on from there in a new job"
        self.logger.info(f"{job.title}: {line}.")
        write_into_log(logs_of(job.job), line)
        note_status(logs_of(job.job), state="waiting", error=line)
        return Path(job.command[-1]).exists()

    def waits(self, job: Open, words: str, once: bool) -> None:
        """Say why a job waits, here and on the status page."""
        if once:
            self.logger.warning(f"{job.title}: {words}")
        note_status(logs_of(job.job), state="waiting", note=words)

    def say(self, words: str, warning: bool = False) -> None:
        """Print a line."""
        (self.logger.warning if warning else self.logger.info)(words)

    def broke(self, error: BaseException) -> None:
        """End the run where the thread of the queue cannot go on."""
        self.logger.error(f"The executor cannot go on: {type(error).__name__}: {error}")
        self.workflow.scheduler.executor_error_callback(error)


def info_of(job: Open) -> SubmittedJobInfo:
    """Return a job as Snakemake wants to hear of it."""
    return SubmittedJobInfo(job.job, external_jobid=job.record.id)


def logs_of(job: JobExecutorInterface) -> list[str]:
    """Return the logs of a job's rule; none for a group."""
    return [] if job.is_group() else [str(path) for path in job.log]


def request_of(resources: Mapping[str, Any]) -> Request:
    """Return what a rule asks for."""
    return Request(int(resources.get("mem_mb", DEFAULT.mem_mb)), int(resources.get("runtime", DEFAULT.minutes)))


def largest_of(resources: Mapping[str, Any]) -> Largest:
    """Return what the cluster gives at most, from the profile."""
    bounds = (resources.get(name) for name in ("largest_mem_mb", "longest_minutes"))
    return Largest(*(int(bound) if bound else None for bound in bounds))


def use_up_retries(job: JobExecutorInterface) -> None:
    """Keep Snakemake from trying a job again. Its resources are not worked out again: they are still to be given back."""
    name = "_attempt" if hasattr(job, "_attempt") else "attempt"
    setattr(job, name, max(job.attempt, job.restart_times + 1))


def write_into_log(logs: Sequence[str], text: str) -> None:
    """Add a line to the log of a rule."""
    if logs:
        with suppress(OSError):
            Path(logs[0]).parent.mkdir(parents=True, exist_ok=True)
            with Path(logs[0]).open("a") as log:
                print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} PBS: {text}", file=log)


def note_status(logs: Sequence[str], **changes: Any) -> None:
    """Put something about a job on the status page of its study."""
    from glmflow.status import note_job

    if logs:
        note_job(logs[0], **changes)

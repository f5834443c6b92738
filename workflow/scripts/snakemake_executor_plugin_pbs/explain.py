"""Why a job waits, and why it ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from .qstat import FINISHED, WAITING, JobState

LONG_WAIT = 600.0
"""Seconds in the queue after which it is said why."""
NEAR = 0.9
"""Share of the memory asked for above which a killed process is taken to have had too little."""

WALLTIME, MEMORY, NODE, DELETED, TWICE, FAILED, OTHER, REFUSED = (
    *("walltime", "memory", "node", "deleted", "twice", "failed", "other", "refused"),
)
NOT_AGAIN = frozenset((DELETED, TWICE, REFUSED))
"""Endings after which a job is not submitted again."""
KILLS = frozenset((WALLTIME, MEMORY, NODE, DELETED, TWICE, OTHER))
"""Endings that the job's own log knows nothing of."""


class Notes(NamedTuple):
    """What a job noted itself: a line each in `logs/pbs/{number}.notes`.

    Attributes
    ----------
    started, terminated
        When it began and when SIGTERM reached it, in seconds since the epoch.
    saved
        The update that its checkpoint is of, where it left one when it ended early.
    out_of_time
        Whether it ended early by itself, because of its walltime.
    refused
        The number of another job that computes the same.
    starts
        How often it began: more than once if PBS requeued it.
    """

    started: float | None = None
    terminated: float | None = None
    host: str = ""
    saved: int | None = None
    out_of_time: bool = False
    refused: str = ""
    starts: int = 0


class Ended(NamedTuple):
    """All that is known of a job that has ended.

    Attributes
    ----------
    code
        Its own record of its exit code; None: it left none.
    state
        The last that PBS said about it.
    output
        The end of what PBS wrote for it.
    asked_mb, asked_minutes
        What it asked for.
    now
        Seconds since the epoch.
    """

    id: str
    code: int | None
    state: JobState | None
    notes: Notes
    output: str
    asked_mb: int
    asked_minutes: int
    now: float


class Ending(NamedTuple):
    """Kind and words of an ending."""

    kind: str
    text: str


def ending(job: Ended) -> Ending:
    """Return why a job did not succeed, from the first witness that says something.

    Witnesses: the job's notes, PBS's exit status and comment, what PBS wrote into the job's output, signals, and time
    and memory used beside what was asked for. Without history PBS says nothing after the end.
    """
    for witness in (_by_its_notes, _by_pbs, _by_its_output, _by_deletion, _by_signal, _by_silence):
        found = witness(job)
        if found is not None:
            return found
    raise AssertionError


def _by_its_notes(job: Ended) -> Ending | None:
    if job.notes.refused:
        return Ending(TWICE, f"job {job.id} did nothing: job {job.notes.refused} computes the same output already")
    if job.notes.out_of_time:
        return _out_of_time(job, "it left before its walltime")
    return None


def _by_pbs(job: Ended) -> Ending | None:
    status = job.state.exit_status if job.state else None
    comment = job.state.comment if job.state else ""
    exceeded = re.search(r"exceeded resource (\w+)", comment)
    which = {-29: "walltime", -27: "mem", -26: "vmem", -28: "cput", -25: "ncpus", -24: "ncpus"}.get(status or 0)
    which = which or (exceeded[1] if exceeded else None)
    if which:
        return _exceeded(job, which)
    if status is not None and status < 0:
        return Ending(
            NODE, f"PBS could not run job {job.id} to its end (Exit_status {status}): {comment or 'no comment'}"
        )
    return None


def _by_its_output(job: Ended) -> Ending | None:
    killed = re.search(r"PBS: job killed: (\w+)", job.output)
    if killed:
        return _exceeded(job, killed[1])
    if re.search(r"Cgroup mem(ory|sw)? limit exceeded|oom-kill|Out of memory: Killed process", job.output, re.I):
        return _exceeded(job, "mem")
    return None


def _by_deletion(job: Ended) -> Ending | None:
    comment = job.state.comment if job.state else ""
    by = re.search(r"terminated by (\S+)", comment)
    if by:
        return Ending(DELETED, f"job {job.id} was deleted by {by[1]} (qdel): it is not submitted again")
    if job.state and job.state.letter == FINISHED and job.state.substate == 91 and job.notes.started is None:
        return Ending(DELETED, f"job {job.id} was deleted in the queue (qdel): it is not submitted again")
    return None


def _by_signal(job: Ended) -> Ending | None:
    status = job.state.exit_status if job.state else None
    ran = elapsed(job)
    if job.notes.terminated is not None or (status is not None and status > 256):
        if ran is not None and ran >= 60 * job.asked_minutes - 30:
            return _exceeded(job, "walltime")
        if job.notes.terminated is not None and (status is None or status == 271):
            return Ending(
                DELETED,
                f"job {job.id} was asked to end (SIGTERM) after {minutes(ran)} of {job.asked_minutes} min: deleted with "
                "qdel, or its node was shut down. It is not submitted again; start Snakemake once more if it should be",
            )
        if job.code is None:
            return Ending(OTHER, f"job {job.id} was killed by signal {(status or 256) - 256} after {minutes(ran)} min")
    code = job.code if job.code is not None else status
    if code is None:
        return None
    killed = re.search(r"SIGKILL|signal 9|exit status (137|-9)\b|^Killed$", job.output, re.M)
    if killed and job.state and (job.state.used_mb or 0) >= NEAR * job.asked_mb:
        return _exceeded(job, "mem")
    return Ending(FAILED, f"job {job.id} ended with exit code {code}{used(job)}")


def _by_silence(job: Ended) -> Ending:
    """Return the ending of a job that is gone without a word.

    A server requeues the jobs of a lost node, after minutes, under the same id; one that is gone before its script began
    was deleted.
    """
    if job.notes.started is None:
        began = job.state is not None and job.state.letter not in WAITING
        when = "before its script began" if began else "before it began"
        how = "deleted with qdel, or PBS could not start it" if began else "deleted with qdel"
        return Ending(DELETED, f"job {job.id} left the queue {when}: {how}. It is not submitted again")
    ran = elapsed(job)
    if ran is not None and ran >= 60 * job.asked_minutes:
        return _exceeded(job, "walltime")
    host = job.notes.host or (job.state.host if job.state else "")
    node = f"its node {host}" if host else "its node"
    return Ending(NODE, f"job {job.id} ended without a word (no exit code): {node} was lost or rebooted{used(job)}")


def _exceeded(job: Ended, which: str) -> Ending:
    """Return the ending of a job that used more of a resource than it asked for."""
    if which == "walltime":
        return _out_of_time(job, "PBS ended it")
    if which in ("mem", "vmem", "pmem", "pvmem"):
        most = job.state.used_mb if job.state else None
        seen = f" (last seen at {most:.0f} MB)" if most else ""
        return Ending(MEMORY, f"job {job.id} needed more memory than the {job.asked_mb} MB it asked for{seen}")
    return Ending(OTHER, f"PBS ended job {job.id}: it used more {which} than it asked for")


def _out_of_time(job: Ended, how: str) -> Ending:
    saved = f"; its checkpoint is of update {job.notes.saved}" if job.notes.saved is not None else ""
    return Ending(WALLTIME, f"job {job.id} did not end within its walltime of {job.asked_minutes} min: {how}{saved}")


def elapsed(job: Ended) -> float | None:
    """Return the seconds that a job ran, as far as is known."""
    measured = job.state.used_seconds if job.state else None
    if job.notes.started is None:
        return measured
    return max(measured or 0.0, (job.notes.terminated or job.now) - job.notes.started)


def minutes(seconds: float | None) -> str:
    """Return seconds in minutes, as words."""
    return "an unknown part" if seconds is None else f"{seconds / 60:.0f}"


def used(job: Ended) -> str:
    """Return what a job used, as words."""
    if job.state is None or job.state.used_mb is None or not job.asked_mb:
        return ""
    return f" (it used up to {job.state.used_mb:.0f} of {job.asked_mb} MB)"


def waiting(state: JobState, seconds: float) -> tuple[str, str] | None:
    """Return why a job waits, where that is to be said: a key by which it is said once, and the words.

    Parameters
    ----------
    seconds
        How long it has waited.
    """
    if state.letter == "M":
        return "moved", "was moved to another server: its end is known from its exit file alone"
    if state.letter not in WAITING:
        return None
    comment = state.comment or "PBS gives no reason"
    if re.search(r"can never run", comment, re.I):
        return "never", f"can never run as it is: {comment}. Lower what it asks for, or delete it (qdel {state.id})"
    if state.letter == "H":
        return "held", f"is held (hold {state.hold}): {comment}. Release it with qrls {state.id}"
    if seconds >= LONG_WAIT:
        return "long", f"has waited {minutes(seconds)} min: {comment}"
    return None


def read_notes(path: Path) -> Notes:
    """Return what a job noted; empty where there is nothing."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return Notes()
    readers: Mapping[str, Callable[[list[str]], dict]] = {
        "start": lambda words: {
            "started": float(words[0]),
            "host": words[1],
            "terminated": None,
            "starts": notes.starts + 1,
        },
        "term": lambda words: {"terminated": float(words[0])},
        "saved": lambda words: {"saved": int(words[0]), "out_of_time": words[1] == "walltime"},
        "refused": lambda words: {"refused": words[0]},
    }
    notes = Notes()
    for line in lines:
        word, *rest = line.split()[:3] or [""]
        try:
            notes = notes._replace(**readers[word](rest)) if word in readers else notes
        except (IndexError, ValueError):
            continue  # a line that was cut off
    return notes

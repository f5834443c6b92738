"""The states of many jobs from one call of `qstat`."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .calls import Answer, Call, Pace, number

FINISHED = "F"
WAITING = frozenset("QHWTS")
"""Letters of jobs that have not begun: queued, held, waiting for their time, in transit, suspended."""

NO_HISTORY = re.compile(r"not configured to maintain job history", re.I)
GONE = re.compile(r"Unknown Job Id:? (\S+)|(\S+):? Job has finished|Job has finished:? (\S+)", re.I)
UNITS = {"b": 2**-20, "kb": 2**-10, "mb": 1.0, "gb": 2.0**10, "tb": 2.0**20, "w": 2**-17, "kw": 2**-7}
"""MB in a unit of PBS's sizes."""


class JobState(NamedTuple):
    """What PBS says about a job.

    Attributes
    ----------
    letter
        `job_state`: Q, H, R, E, F, ...
    substate
        91: deleted, 92: ended, 93: failed.
    exit_status
        None while it has not ended; below 0: PBS ended it (-29 walltime, -27 memory); above 256: killed by a signal.
    used_mb, used_seconds
        Memory and time that it has used so far.
    """

    id: str
    name: str = ""
    letter: str = ""
    substate: int = 0
    comment: str = ""
    exit_status: int | None = None
    hold: str = "n"
    used_mb: float | None = None
    used_seconds: float | None = None
    run_count: int = 0
    host: str = ""
    owner: str = ""
    folder: str = ""


class Round(NamedTuple):
    """What one look at the server says.

    Attributes
    ----------
    jobs
        States by the number of the job.
    gone
        Numbers of jobs that the server does not know any more.
    outage
        Why the server could not be reached; None: it answered.
    """

    jobs: dict[str, JobState]
    gone: frozenset[str]
    outage: str | None = None


class Qstat:
    """Asks for the states of many jobs, one call a round.

    Finds out by itself whether the server keeps a history, and whether its JSON can be trusted: some versions write only
    the first of several jobs, or numbers that are none. Those are asked for text from then on.
    """

    def __init__(self, call: Call, pace: Pace | None = None, stop: threading.Event | None = None):
        self._call, self.pace, self._stop = call, pace or Pace(), stop
        self.history: bool | None = None
        self.text = False

    def ask(self, jobs: Sequence[str]) -> Round:
        """Return the states of jobs, by their ids."""
        if not jobs:
            return Round({}, frozenset())
        found = self._ask(jobs)
        if self.history is None and found is not None:
            self.history = True
        return found if found is not None else self._ask(jobs) or Round({}, frozenset())

    def _ask(self, jobs: Sequence[str]) -> Round | None:
        """Return the states, or None where the call has to be made in another way."""
        past = [] if self.history is False else ["-x"]
        form = [] if self.text else ["-F", "json"]
        self.pace.made()
        answer = self._call(["qstat", *past, "-f", *form, *jobs], stop=self._stop)
        if past and NO_HISTORY.search(answer.err):
            self.history = False
            return None
        if answer.away:
            return Round({}, frozenset(), answer.message)
        found = parse_text(answer.out) if self.text else parse_json(answer.out)
        gone = gone_jobs(answer)
        missing = {number(job) for job in jobs} - gone - set(found or {})
        if not self.text and (found is None or missing):
            self.text = True
            return None
        if missing and not found and not gone:
            return Round({}, frozenset(), answer.message)
        return Round(found or {}, frozenset(gone))


def gone_jobs(answer: Answer) -> set[str]:
    """Return the numbers of the jobs that qstat names as unknown, or as finished where it is not asked for history."""
    return {number(next(filter(None, match.groups()))) for match in GONE.finditer(answer.err)}


def parse_json(text: str) -> dict[str, JobState] | None:
    """Return the jobs in the output of `qstat -f -F json` by their numbers; None where it is no JSON."""
    try:
        jobs = json.loads(text, strict=False).get("Jobs", {}) if text.strip() else {}
    except (ValueError, AttributeError):
        return None
    return {number(name): state(name, flat(job)) for name, job in jobs.items()}


def flat(job: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a job as text, those of groups with their name: `resources_used.mem`."""
    found = {}
    for name, value in job.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": str(item) for inner, item in value.items()}
        else:
            found[name] = str(value)
    return found


def parse_text(text: str) -> dict[str, JobState]:
    """Return the jobs in the output of `qstat -f` by their numbers. Long lines go on after a line break and a tab."""
    jobs: dict[str, JobState] = {}
    for block in re.split(r"^Job Id: ", text, flags=re.M)[1:]:
        name, _, rest = block.replace("\n\t", "").partition("\n")
        values = {}
        for line in rest.splitlines():
            key, found, value = line.strip().partition(" = ")
            if found:
                values[key] = value
        folder = re.search(r"PBS_O_WORKDIR=([^,]*)", values.get("Variable_List", ""))
        values["Variable_List.PBS_O_WORKDIR"] = folder[1] if folder else ""
        jobs[number(name)] = state(name.strip(), values)
    return jobs


def state(name: str, values: Mapping[str, str]) -> JobState:
    """Return a job's state from its attributes."""
    return JobState(
        id=name,
        name=values.get("Job_Name", ""),
        letter=values.get("job_state", ""),
        substate=whole(values.get("substate")) or 0,
        comment=" ".join(values.get("comment", "").split()),
        exit_status=whole(values.get("Exit_status")),
        hold=values.get("Hold_Types", "n"),
        used_mb=megabytes(values.get("resources_used.mem")),
        used_seconds=seconds(values.get("resources_used.walltime")),
        run_count=whole(values.get("run_count")) or 0,
        host=values.get("exec_host", "").partition("/")[0],
        owner=values.get("Job_Owner", "").partition("@")[0],
        folder=values.get("Variable_List.PBS_O_WORKDIR", ""),
    )


def whole(text: str | None) -> int | None:
    """Return a whole number, or None."""
    return int(text) if text and re.fullmatch(r"-?\d+", text) else None


def megabytes(text: str | None) -> float | None:
    """Return a size of PBS, as 4220kb, in MB."""
    match = re.fullmatch(r"(\d+)([a-z]*)", (text or "").lower())
    return int(match[1]) * UNITS.get(match[2] or "b", 1.0) if match else None


def seconds(text: str | None) -> float | None:
    """Return a time of PBS, as 100:00:10, in seconds."""
    match = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+)", text or "")
    return 3600 * int(match[1] or 0) + 60 * int(match[2]) + int(match[3]) if match else None


def by_name(call: Call, names: Iterable[str]) -> dict[str, list[str]] | Answer:
    """Return the ids of queued and running jobs by their names, for names that no id is known of.

    An `Answer` means that the server could not be asked.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        answer = call(["qselect", "-N", name])
        if answer.code != 0:
            return answer
        found[name] = answer.out.split()
    return found

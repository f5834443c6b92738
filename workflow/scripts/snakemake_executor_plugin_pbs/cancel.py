"""Deleting jobs, all of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from .calls import Call, batches, number
from .qstat import FINISHED, Qstat

BATCH = 100
"""Jobs in one call of qdel."""
PAUSE = 2.0
"""Seconds between two looks."""


def delete(
    jobs: Sequence[str],
    call: Call,
    qstat: Qstat,
    say: Callable[[str], None],
    seconds: float = 60.0,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Delete jobs and wait until none is left in the queue or ending; return those that could not be deleted.

    A server that does not answer is asked again until `seconds` are over. Jobs that have been asked to end get time to
    save what they have (PBS sends SIGKILL 10 seconds after SIGTERM).
    """
    left, told, complained = list(jobs), False, False
    end = time.monotonic() + seconds
    while left:
        if not told:
            answers = [call(["qdel", *batch], seconds=30) for batch in batches(left, BATCH)]
            away = next((answer for answer in answers if answer.away), None)
            told = away is None
            if away is not None and not complained:
                complained = True
                say(f"PBS does not answer ({away.message}): trying for {seconds:.0f} s to delete {len(left)} jobs.")
        if told:
            round_ = qstat.ask(left)
            if round_.outage is None:
                still = {
                    name
                    for name, job in round_.jobs.items()
                    if job.letter != FINISHED and not re.search("terminated by", job.comment)
                }
                ending = {name for name, job in round_.jobs.items() if job.letter not in (FINISHED, "E")} - still
                left = [job for job in left if number(job) in still | ending]
                told = not still
        if not left or time.monotonic() > end:
            break
        sleep(PAUSE)
    return left
